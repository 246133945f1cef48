/** What a reader sees of the model's suggestions, since when, and what was answered before. */

import type { Seen, When } from "../api/types";
import type { Answer } from "../protocol/types";
import type { StateCell } from "./cell";
import { protocolOf, type RoomState } from "./state";

/** A suggestion that was on screen for less than this was not seen. */
const SEEN_AFTER_MS = 400;

/** Whether the model suggests any number of choices: they are answered once all of them are made. */
const isOfSeveral = ({ current }: RoomState): boolean => {
  if (current?.kind !== "case") return false;
  const { question } = current.leased.suggestion;
  return protocolOf(current).questions.some(({ key, kind }) => key === question && kind === "multi");
};

export class Seeing {
  readonly #cell: StateCell;
  readonly #now: () => number;
  #answerAt = 0;
  readonly #drawnAt = new Map<string, number>();

  constructor(cell: StateCell, now: () => number) {
    this.#cell = cell;
    this.#now = now;
  }

  /** What was seen for long enough to see it. */
  get seen(): Seen | null {
    const { seen, drawnSeen, answers } = this.#cell.state;
    const taken = this.#cell.state.taken.filter((key) => answers[key] !== undefined);
    const answer = this.#isSeen(this.#answerAt) ? seen : null;
    const drawn = Object.entries(drawnSeen).filter(
      ([key]) => taken.includes(key) || this.#isSeen(this.#drawnAt.get(key)),
    );
    if (drawn.length === 0) return answer;
    return { when: "", first: {}, ...answer, drawn: Object.fromEntries(drawn), taken };
  }

  /** Show all that there is. */
  all(): void {
    this.#answer(true);
    this.#drawn(() => true);
  }

  /** Show what the reader has answered without it; of several choices nothing yet, since more may come. */
  answered(): void {
    const { state } = this.#cell;
    const { current, answers } = state;
    if (current?.kind !== "case") return;
    this.#answer(!isOfSeveral(state) && answers[current.leased.suggestion.question] !== undefined);
    this.#drawn((key) => answers[key] !== undefined);
  }

  /** Show the suggestion of several choices, now that the reader has made them all; false where none comes. */
  complete(): boolean {
    const { state } = this.#cell;
    const isDue =
      state.current?.kind === "case" &&
      state.current.leased.suggestion.mode === "after_answer" &&
      isOfSeveral(state) &&
      state.seen === null;
    this.#answer(isDue, []);
    return isDue && this.#cell.state.seen !== null;
  }

  /** The mask that the model proposes became the answer. */
  took(key: string): void {
    const { taken } = this.#cell.state;
    if (!taken.includes(key)) this.#cell.set({ taken: [...taken, key] });
  }

  #isSeen(at = 0): boolean {
    return this.#now() - at >= SEEN_AFTER_MS;
  }

  /** Note once what was answered when the suggestion came on screen. */
  #answer(isNow: boolean, nothing?: Answer): void {
    const { current, seen, answers } = this.#cell.state;
    if (!isNow || seen || current?.kind !== "case") return;
    const { probabilities, question } = current.leased.suggestion;
    if (!probabilities) return;
    const first = answers[question] ?? nothing;
    this.#answerAt = this.#now();
    this.#cell.set({
      seen:
        first === undefined
          ? { when: "before_answer", first: {} }
          : { when: "after_answer", first: { [question]: first } },
    });
  }

  /** Note once, question by question, whether the reader had drawn when the model's drawing came on screen. */
  #drawn(isNow: (key: string) => boolean): void {
    const { current, drawnSeen, answers } = this.#cell.state;
    if (current?.kind !== "case") return;
    const fresh = current.leased.suggestion.drawn
      .map(({ question }) => question)
      .filter((key) => !(key in drawnSeen) && isNow(key));
    if (fresh.length === 0) return;
    for (const key of fresh) this.#drawnAt.set(key, this.#now());
    const when = (key: string): When => (answers[key] === undefined ? "before_answer" : "after_answer");
    this.#cell.set({
      drawnSeen: { ...drawnSeen, ...Object.fromEntries(fresh.map((key) => [key, when(key)])) },
    });
  }
}
