/** The case on screen: what is asked, what is answered, how long it took. */

import type { Answers, Draft, LeasedCase, PastReading } from "../api/types";
import type { StateCell } from "./cell";
import { ActiveClock } from "./clock";
import type { DraftSaver } from "./drafts";
import { type Current, firstOpen, protocolOf, questionsOf, stillValid } from "./state";

export class Desk {
  readonly #cell: StateCell;
  readonly #drafts: DraftSaver;
  readonly #now: () => number;
  readonly #clock = new ActiveClock();
  /** The case that was on screen before the last reading was opened again. */
  #held: LeasedCase | null = null;

  constructor(cell: StateCell, drafts: DraftSaver, now: () => number) {
    this.#cell = cell;
    this.#drafts = drafts;
    this.#now = now;
  }

  get clock(): ActiveClock {
    return this.#clock;
  }

  get seconds(): number {
    return this.#clock.seconds(this.#now());
  }

  /** The leased case that the reader is at, on screen or held while the last reading is open. */
  get leased(): LeasedCase | null {
    const { current } = this.#cell.state;
    return this.#held ?? (current?.kind === "case" ? current.leased : null);
  }

  /** What the leased case was answered with so far. */
  get leasedAnswers(): Answers {
    return this.#held ? (this.#latestDraft(this.#held)?.answers ?? {}) : this.#cell.state.answers;
  }

  /** Put a case on screen, with its draft or with answers that are to be confirmed. */
  open(leased: LeasedCase, answers?: Answers): void {
    const draft = this.#drafts.open(leased.case.id, leased.lease_id, leased.draft);
    const shown = stillValid(leased.protocol, answers ?? draft.answers);
    this.#clock.restart(draft.seconds, this.#now());
    this.#bring({ kind: "case", leased }, shown);
    if (answers) this.#drafts.change(shown, this.seconds);
  }

  /** Put the last reading on screen; the case before is held. */
  openPast(past: PastReading): void {
    this.#held = this.leased;
    this.#drafts.close();
    this.#clock.restart(0, this.#now());
    this.#bring({ kind: "past", past }, past.answers);
  }

  /** Return to the held case; false where there was none. */
  comeBack(): boolean {
    const held = this.#held;
    this.#held = null;
    if (held) this.open({ ...held, draft: this.#latestDraft(held) });
    else this.#cell.set({ current: null });
    return held !== null;
  }

  /** Take the leased case off: it is answered, passed on or lost. */
  finish(): void {
    this.#drafts.finish();
    this.#held = null;
  }

  /** Take it off for a while: its draft stays. */
  putAside(): void {
    this.#drafts.close();
    this.#cell.set({ current: null, phase: "waiting" });
  }

  answer(key: string, value: string): void {
    if (!this.canAnswer()) return;
    const { state } = this.#cell;
    const answers = { ...state.answers, [key]: value };
    const questions = questionsOf(state);
    const open = firstOpen(questions, answers);
    const answered = questions.findIndex((question) => question.key === key);
    this.#cell.set({ answers, activeQuestion: open === -1 ? answered : open, notice: null });
    if (state.current?.kind === "case") this.#drafts.change(answers, this.seconds);
  }

  /** Answer the active question with its nth choice, from 0. */
  choose(nth: number): void {
    const question = questionsOf(this.#cell.state)[this.#cell.state.activeQuestion];
    const choice = question?.choices[nth];
    if (question && choice) this.answer(question.key, choice.value);
  }

  /** Make another question the one that digits answer. */
  turn(step: 1 | -1): void {
    const count = questionsOf(this.#cell.state).length;
    if (count > 1)
      this.#cell.set({ activeQuestion: (this.#cell.state.activeQuestion + step + count) % count });
  }

  /** What is on screen where every question has its answer; else says what is missing. */
  answered(): Current | null {
    const { current, answers } = this.#cell.state;
    if (!current || !this.canAnswer()) return null;
    const open = firstOpen(questionsOf(this.#cell.state), answers);
    if (open === -1) return current;
    this.#cell.set({ activeQuestion: open });
    this.#cell.say("Choose an answer first.", "warn");
    return null;
  }

  /** Nobody may answer an image that is not on screen. */
  canAnswer(): boolean {
    const { phase, image, lost, dialog, connection } = this.#cell.state;
    const isFree = phase === "reading" && lost === null && dialog === "none" && connection !== "other_user";
    if (isFree && image !== "shown") this.#cell.say("The image is not on screen yet.", "warn");
    return isFree && image === "shown";
  }

  /** Another tab of the reader saved a newer draft. */
  overtaken(caseId: string, newer: Draft): void {
    const { current } = this.#cell.state;
    if (current?.kind !== "case" || current.leased.case.id !== caseId) return;
    this.#cell.set({ answers: stillValid(current.leased.protocol, newer.answers) });
    this.#cell.say("Another of your windows has a newer answer to this case: it is shown now.", "warn");
  }

  imageShown(showing: number): void {
    if (showing === this.#cell.state.showing) this.#cell.set({ image: "shown" });
  }

  imageFailed(showing: number, words: string): void {
    if (showing === this.#cell.state.showing) this.#cell.set({ image: "failed", imageError: words });
  }

  showAgain(): void {
    this.#cell.set({ showing: this.#cell.state.showing + 1, image: "loading", imageError: "" });
  }

  #bring(current: Current, answers: Answers): void {
    const open = firstOpen(protocolOf(current).questions, answers);
    this.#cell.set({ phase: "reading", current, answers, activeQuestion: Math.max(0, open) });
    this.showAgain();
  }

  #latestDraft(leased: LeasedCase): Draft | null {
    return this.#drafts.latest(leased.case.id) ?? leased.draft;
  }
}
