/** What a reader sees of the model's suggestions, since when, and what was answered before. */

import type { Seen, When } from "../api/types";
import { isEmpty } from "../protocol/conditions";
import { type Answer, isRegionQuestion, type Question } from "../protocol/types";
import { say } from "../words/say";
import type { StateCell } from "./cell";
import { askedIn, questionsOf, type RoomState } from "./state";

/** A suggestion that was on screen for less than this was not seen. */
const SEEN_AFTER_MS = 400;

/** Whether what the model suggests is any number of choices: they are answered once all of them are made. */
const isOfSeveral = (state: RoomState): boolean =>
  state.current?.kind === "case" &&
  questionOf(state, state.current.leased.suggestion.question)?.kind === "multi";

/** Whether one drawing answers a question: of more, and of a mask's strokes, another can always come. */
const isDrawnAtOnce = (state: RoomState, key: string): boolean => {
  const question = questionOf(state, key);
  return question !== undefined && isRegionQuestion(question) && question.max === 1;
};

const questionOf = (state: RoomState, key: string): Question | undefined =>
  questionsOf(state).find((question) => question.key === key);

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

  /** Show all to the reader who asks, where the project lets readers ask. */
  ask(): void {
    const { current } = this.#cell.state;
    if (current?.kind !== "case" || current.leased.suggestion.mode !== "on_demand") return;
    const { probabilities, drawn } = current.leased.suggestion;
    this.all();
    if (!probabilities && drawn.length === 0) this.#cell.say(say("no_suggestion"));
  }

  /** Show what the reader has answered without it; nothing yet where more may come. */
  answered(): void {
    const { state } = this.#cell;
    const { current, answers } = state;
    if (current?.kind !== "case") return;
    this.#answer(!isOfSeveral(state) && answers[current.leased.suggestion.question] !== undefined);
    this.#drawn((key) => answers[key] !== undefined && isDrawnAtOnce(state, key));
  }

  /** Show what waits for all choices to be made, or all to be drawn, now that they are; false where none comes. */
  complete(): boolean {
    const { state } = this.#cell;
    if (state.current?.kind !== "case" || state.current.leased.suggestion.mode !== "after_answer")
      return false;
    this.#answer(isOfSeveral(state), []);
    const { drawn } = state.current.leased.suggestion;
    const agreed = drawn.filter(
      ({ question, answer }) => isEmpty(answer) && isEmpty(state.answers[question]),
    );
    const isOpen = (key: string): boolean =>
      askedIn(state).some((question) => question.key === key) &&
      !agreed.some(({ question }) => question === key);
    this.#drawn(isOpen, "after_answer");
    return this.#cell.state.seen !== state.seen || this.#cell.state.drawnSeen !== state.drawnSeen;
  }

  /** Whether a suggestion came only now that all was answered: the reader sends once more. */
  isToCompare(): boolean {
    const isToCompare = this.complete();
    if (isToCompare) this.#cell.say(say("compare_then_send"));
    return isToCompare;
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
  #drawn(isNow: (key: string) => boolean, said?: When): void {
    const { current, drawnSeen, answers } = this.#cell.state;
    if (current?.kind !== "case") return;
    const fresh = current.leased.suggestion.drawn
      .map(({ question }) => question)
      .filter((key) => !(key in drawnSeen) && isNow(key));
    if (fresh.length === 0) return;
    for (const key of fresh) this.#drawnAt.set(key, this.#now());
    const when = (key: string): When =>
      said ?? (answers[key] === undefined ? "before_answer" : "after_answer");
    this.#cell.set({
      drawnSeen: { ...drawnSeen, ...Object.fromEntries(fresh.map((key) => [key, when(key)])) },
    });
  }
}
