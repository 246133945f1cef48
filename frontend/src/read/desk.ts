/** The case on screen: what is asked, what is answered, how long it took. */

import type { Asked, Draft, LeasedCase, PastReading } from "../api/types";
import { askedAnswers } from "../protocol/conditions";
import { problemsOf } from "../protocol/problems";
import type { Answer, Answers } from "../protocol/types";
import { say } from "../words/say";
import type { StateCell } from "./cell";
import { ActiveClock } from "./clock";
import type { DraftSaver } from "./drafts";
import type { Journal } from "./journal";
import { Seeing } from "./seeing";
import { type Current, protocolOf, questionsOf, stillValid, stopsIn } from "./state";
import {
  answerAt,
  chosen,
  firstOpen,
  isOneKey,
  nextOpen,
  put,
  type Stop,
  stopOfProblem,
  stopsOf,
  withAnswer,
} from "./stops";

/** Whether what was entered before answers an older version of the protocol. */
const answersOlder = ({ draft, protocol }: LeasedCase): boolean =>
  Boolean(draft?.protocol_version) && draft?.protocol_version !== protocol.version;

export class Desk {
  readonly #cell: StateCell;
  readonly #drafts: DraftSaver;
  readonly #journal: Journal;
  readonly #now: () => number;
  readonly clock = new ActiveClock();
  /** What the reader sees of the model's suggestions. */
  readonly seeing: Seeing;
  /** Called when one key has answered all that is asked, where the project wants to go on then. */
  onComplete: () => void = () => undefined;
  /** The case that was on screen before another was opened for a while. */
  #held: LeasedCase | null = null;

  constructor(cell: StateCell, drafts: DraftSaver, journal: Journal, now: () => number) {
    this.#cell = cell;
    this.seeing = new Seeing(cell, now);
    this.#drafts = drafts;
    this.#journal = journal;
    this.#now = now;
  }

  get seconds(): number {
    return this.clock.seconds(this.#now());
  }

  /** The leased case that the reader is at, on screen or held while another is open. */
  get leased(): LeasedCase | null {
    const { current } = this.#cell.state;
    return this.#held ?? (current?.kind === "case" ? current.leased : null);
  }

  /** What the leased case was answered with so far. */
  get leasedAnswers(): Answers {
    return this.#held ? (this.#latestDraft(this.#held)?.answers ?? {}) : this.#cell.state.answers;
  }

  /** What is sent of what was entered. */
  get sent(): Answers {
    return askedAnswers(questionsOf(this.#cell.state), this.#cell.state.answers);
  }

  /** Put a case on screen, with its draft or with answers that are to be confirmed. */
  open(leased: LeasedCase, answers?: Answers): void {
    const draft = this.#drafts.open(leased.case.id, leased.lease_id, leased.protocol.version, leased.draft);
    const shown = stillValid(leased.protocol, answers ?? draft.answers);
    this.clock.restart(draft.seconds, this.#now());
    this.#bring({ kind: "case", leased }, shown);
    if (answersOlder(leased)) this.#cell.say(say("questions_changed"), "warn");
    if (leased.suggestion.mode === "from_start") this.seeing.all();
    if (answers) this.#drafts.change(shown, this.seconds);
  }

  /** Put an own reading on screen; the case before is held. */
  openPast(past: PastReading): void {
    this.#leaveOpen();
    const kept = this.#journal.revision(past.reading_id, past.revision);
    this.#bring({ kind: "past", past }, kept ?? past.answers);
    if (kept) this.#cell.say(say("revision_kept"));
  }

  /** Put the case of a colleague's question on screen; the case before is held. */
  openAsked(asked: Asked): void {
    this.#leaveOpen();
    this.#bring({ kind: "asked", asked }, {});
  }

  /** Return to the held case; false where there was none. */
  comeBack(): boolean {
    const held = this.#held;
    const { current } = this.#cell.state;
    this.#held = null;
    if (current?.kind === "past") this.#journal.dropRevision(current.past.reading_id);
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

  /** Answer a stop; undefined takes the answer away. by: how, since one key alone may move on. */
  answer(path: string, value: Answer | undefined, by: "key" | "typing" = "key"): void {
    const stop = this.#stop(path);
    if (!stop || !this.canAnswer()) return;
    const { state } = this.#cell;
    const answers = withAnswer(state.answers, stop, value, state.spot);
    this.#enter(answers, by === "key" ? this.#after(stop, answers) : path);
    if (by === "key") this.#advance(stop);
  }

  /** What was drawn answers a whole question; the chosen region is where the keyboard goes. */
  drawn(key: string, answer: Answer | undefined, region: string): void {
    const { state } = this.#cell;
    if (!this.#canDraw()) return;
    const answers = put(state.answers, key, answer);
    const spot = { ...state.spot, region };
    const stops = stopsOf(questionsOf(state), answers, spot);
    const attribute = stops.find((stop) => stop.region !== "" && answerAt(answers, stop, spot) === undefined);
    this.#enter(answers, attribute?.path ?? key, spot);
  }

  /** What was painted comes a moment after its stroke: the keyboard stays where the reader has gone since. */
  painted(key: string, answer: Answer | undefined): void {
    const { state } = this.#cell;
    if (this.#canDraw()) this.#enter(put(state.answers, key, answer), state.active);
  }

  /** Answer the active stop with its nth choice, from 0. Returns the choice's value, "" for none. */
  choose(nth: number): void {
    const { state } = this.#cell;
    const stop = this.#stop(state.active);
    if (!stop) return;
    const value = chosen(stop.question, answerAt(state.answers, stop, state.spot), nth);
    if (value !== undefined) this.answer(stop.path, value);
  }

  /** Make another stop the one that digits answer. */
  turn(step: 1 | -1): void {
    const paths = stopsIn(this.#cell.state).map(({ path }) => path);
    const here = paths.indexOf(this.#cell.state.active);
    const next = paths[(here + step + paths.length) % paths.length];
    if (next !== undefined) this.#cell.set({ active: next, focusing: this.#cell.state.focusing + 1 });
  }

  /** The keyboard's focus came to a stop by itself. */
  activate(path: string): void {
    if (path !== this.#cell.state.active && this.#stop(path)) this.#cell.set({ active: path });
  }

  /** Another region is chosen, or another image is on screen. */
  look(spot: { readonly region: string; readonly image: string }): void {
    const { state } = this.#cell;
    if (spot.region === state.spot.region && spot.image === state.spot.image) return;
    this.#cell.set({ spot });
    if (!this.#stop(state.active)) this.#cell.set({ active: state.active.split("/")[0] ?? "" });
  }

  /** What is on screen where nothing is wrong; else says what, and goes to the first. */
  answered(): Current | null {
    const { state } = this.#cell;
    if (!state.current || !this.canAnswer()) return null;
    const problems = problemsOf(questionsOf(state), this.sent);
    const [first] = problems;
    if (!first) return this.seeing.isToCompare() ? null : state.current;
    const { path, region } = stopOfProblem(first.at, this.sent);
    this.#cell.set({
      isChecked: true,
      active: path,
      focusing: state.focusing + 1,
      spot: region === "" ? state.spot : { ...state.spot, region },
    });
    this.#cell.say(
      problems.length === 1 ? say("one_problem") : say("problems", { count: problems.length }),
      "warn",
    );
    return null;
  }

  /** Nobody may answer an image that is not on screen. */
  canAnswer(): boolean {
    const { phase, image, lost, feedback, dialog, connection } = this.#cell.state;
    const isCovered = lost !== null || feedback !== null;
    const isFree = phase === "reading" && !isCovered && dialog === "none" && connection !== "other_user";
    if (isFree && image !== "shown") this.#cell.say(say("image_not_shown"), "warn");
    return isFree && image === "shown";
  }

  /** Another tab of the reader saved a newer draft: it is shown, and what was here can be taken back. */
  overtaken(caseId: string, newer: Draft): void {
    const { current, answers } = this.#cell.state;
    if (current?.kind !== "case" || current.leased.case.id !== caseId) return;
    const theirs = stillValid(current.leased.protocol, newer.answers);
    const isSame = JSON.stringify(theirs) === JSON.stringify(answers);
    this.#cell.set({ answers: theirs, rival: isSame ? null : answers });
    this.#cell.say(say("overtaken"), "warn");
  }

  /** Put the own answers back that gave way to another window's. */
  takeBack(): void {
    const { rival, active } = this.#cell.state;
    if (!rival) return;
    this.#cell.set({ rival: null });
    this.#enter(rival, active);
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

  #stop(path: string): Stop | undefined {
    return stopsIn(this.#cell.state).find((stop) => stop.path === path);
  }

  #after(stop: Stop, answers: Answers): string {
    const { state } = this.#cell;
    if (!isOneKey(stop.question)) return stop.path;
    return nextOpen(stopsOf(questionsOf(state), answers, state.spot), answers, state.spot, stop.path);
  }

  #canDraw(): boolean {
    const { phase, lost, feedback } = this.#cell.state;
    return phase === "reading" && !lost && !feedback;
  }

  #enter(answers: Answers, active: string, spot = this.#cell.state.spot): void {
    const { state } = this.#cell;
    const moved = active === state.active ? state.focusing : state.focusing + 1;
    this.#cell.set({ answers, active, spot, focusing: moved, notice: null });
    this.#cell.set({ isChecked: state.isChecked && problemsOf(questionsOf(state), this.sent).length > 0 });
    if (state.current?.kind === "past") {
      const { reading_id, revision } = state.current.past;
      this.#journal.keepRevision({ reading_id, base_revision: revision, answers });
    }
    if (state.current?.kind !== "case") return;
    this.#drafts.change(answers, this.seconds);
    if (state.current.leased.suggestion.mode === "after_answer") this.seeing.answered();
  }

  /** One question and one key: go on by itself where the project wants that. */
  #advance({ question }: Stop): void {
    const { current } = this.#cell.state;
    if (!current || protocolOf(current).settings.auto_advance !== true) return;
    if (isOneKey(question) && stopsIn(this.#cell.state).length === 1) this.onComplete();
  }

  #leaveOpen(): void {
    this.#held = this.leased;
    this.#drafts.close();
    this.clock.restart(0, this.#now());
  }

  #bring(current: Current, answers: Answers): void {
    this.#cell.set({
      phase: "reading",
      current,
      answers,
      active: "",
      spot: { region: "", image: "" },
      isChecked: false,
      seen: null,
      drawnSeen: {},
      taken: [],
      rival: null,
    });
    this.#cell.set({ active: firstOpen(stopsIn(this.#cell.state), answers, this.#cell.state.spot) });
    this.showAgain();
  }

  #latestDraft(leased: LeasedCase): Draft | null {
    return this.#drafts.latest(leased.case.id) ?? leased.draft;
  }
}
