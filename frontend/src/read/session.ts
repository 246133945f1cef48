/** A reader's sitting: what the keys do, what is saved, and what happens when it cannot be. No HTML, no pixels. */

import type { Api } from "../api/client";
import { isSignedOut, wordsFor } from "../api/problems";
import type { LeasedCase, PastReading, Protocol, Session, SkipReason } from "../api/types";
import { say } from "../words/say";
import { StateCell } from "./cell";
import { isPassing } from "./connection";
import type { Delivered } from "./delivery";
import { Desk } from "./desk";
import { readingOf, revisionOf, skipOf } from "./entries";
import { Flow } from "./flow";
import type { Pending, PendingRevision } from "./journal";
import { Keeping } from "./keeping";
import { type Dialog, inWords, isWorthTelling, type RoomState } from "./state";
import type { KeyValueStore } from "./takeover";
import type { Vault } from "./vault";
import { Worklist } from "./worklist";

export interface SessionParts {
  readonly client: Api;
  readonly projectId: string;
  readonly storage: KeyValueStore;
  readonly vault: Vault;
  readonly now: () => number;
  readonly newKey: () => string;
}

const UNDO_SHOWN_MS = 6000;

export class ReadingSession {
  readonly desk: Desk;
  readonly flow: Flow;
  readonly #parts: SessionParts;
  readonly #cell = new StateCell();
  readonly #keeping: Keeping;
  readonly #worklist: Worklist;
  #isBackWanted = false;
  #lastProtocol: Protocol | null = null;
  #undoTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#keeping = new Keeping(parts, this.#cell, {
      worklist: () => this.#worklist,
      overtaken: (caseId, newer) => this.desk.overtaken(caseId, newer),
      delivered: (result) => this.#delivered(result),
      online: () => this.#online(),
    });
    const { connection, drafts, journal, leases, outbox } = this.#keeping;
    this.desk = new Desk(this.#cell, drafts, journal, parts.now);
    this.desk.onComplete = () => this.#advance();
    this.flow = this.#newFlow();
    this.#worklist = new Worklist({
      cell: this.#cell,
      client: parts.client,
      connection,
      desk: this.desk,
      leases,
      projectId: parts.projectId,
      pending: () => outbox.entries,
      kept: () => this.kept(),
    });
  }

  get state(): RoomState {
    return this.#cell.state;
  }

  subscribe(listener: () => void): void {
    this.#cell.subscribe(listener);
  }

  /** Come in: who reads, what waited to be sent, what is to be read. */
  async start(): Promise<void> {
    const { client, projectId } = this.#parts;
    this.#cell.set({ phase: "loading", error: "" });
    try {
      const session = await client.session();
      const { user } = session;
      if (!this.#keeping.connection.belongsTo(user.id)) return;
      await this.#settleIn(session);
      void this.flow.settleIn(user.id);
      await this.#keeping.outbox.send();
      this.#worklist.accept(await client.workload(projectId));
    } catch (error) {
      this.#cannotStart(error);
    }
  }

  /** Enter: submit and show the next case, or take note of what was said. */
  confirm(): void {
    const { lost, feedback, phase, image } = this.state;
    if (lost) this.#worklist.dismissLost();
    else if (feedback) this.#cell.set({ feedback: null });
    else if (phase === "error") void this.start();
    else if (phase === "empty") void this.#worklist.look();
    else if (image === "failed") this.desk.showAgain();
    else this.#submit();
  }

  /** Pass the case on; where its dialog says that nobody can read it, it is set aside for all. */
  skip(reason: SkipReason, comment = ""): void {
    const { current, dialog } = this.state;
    this.#cell.set({ dialog: "none" });
    if (current?.kind !== "case") return;
    const { leased } = current;
    this.#leave(leased, skipOf(this.#stamp(leased.case), leased, reason, comment, dialog === "unreadable"));
  }

  /** Open the last reading again, once everything before it is saved. */
  async back(): Promise<void> {
    const { current, lost, pending } = this.state;
    if ((current !== null && current.kind !== "case") || lost) return;
    this.#cell.set({ undo: null });
    this.#isBackWanted = pending > 0;
    if (this.#isBackWanted) {
      this.#cell.say(say("wait_for_last"));
      return;
    }
    try {
      this.#openPast(await this.#parts.client.lastReading(this.#parts.projectId));
    } catch (error) {
      this.#worklist.couldNot(say("open_reading"), error);
    }
  }

  /** Close what lies over the image, or return from the last reading and leave it as it is. */
  escape(): void {
    const { dialog, lost, feedback, current } = this.state;
    if (dialog !== "none") this.openDialog("none");
    else if (lost) this.#worklist.dismissLost();
    else if (feedback) this.#cell.set({ feedback: null });
    else if (current && current.kind !== "case") this.#comeBack();
  }

  /** Answer the colleague's question on screen, and return to the case before. */
  async reply(text: string): Promise<void> {
    if (await this.flow.reply(text)) this.#comeBack();
  }

  openDialog(dialog: Dialog): void {
    const isOfCase = dialog === "skip" || dialog === "unreadable";
    if (isOfCase && this.state.current?.kind !== "case") return;
    this.#cell.set({ dialog });
    if (dialog === "today") void this.flow.lookAtDay();
    if (dialog === "asked") void this.flow.lookAtRemarks();
  }

  /** Say what an act did. */
  tell(words: string): void {
    this.#cell.say(words);
  }

  /** Settles when what was confirmed is kept: before, nothing that comes after it is called shown. */
  kept(): Promise<void> {
    return this.#keeping.kept();
  }

  /** A key, a click, a move: the reader is here. */
  present(): void {
    const now = this.#parts.now();
    this.desk.clock.sign(now);
    if (this.#keeping.connection.state === "online") void this.#keeping.leases.tend(now);
  }

  /** The page cannot be seen any more, or goes away. */
  hidden(): void {
    this.desk.clock.pause(this.#parts.now());
    void this.#keeping.drafts.flush(true);
  }

  /** The page or the network is back: see at once whether the server is too. */
  look(): void {
    void this.#keeping.connection.probe();
  }

  imageFailed(showing: number, error: unknown): void {
    if (isPassing(error)) this.#keeping.connection.lost(error);
    this.desk.imageFailed(showing, wordsFor(error));
  }

  async #settleIn({ user, journal_keys }: Session): Promise<void> {
    await this.#keeping.journal.belongsTo(user.id, journal_keys);
    this.#keeping.outbox.load();
    this.#cell.set({ pending: this.#keeping.outbox.entries.length });
  }

  #cannotStart(error: unknown): void {
    const words = isSignedOut(error) ? say("you_are_signed_out") : wordsFor(error);
    this.#cell.set({ phase: "error", error: words });
    if (isPassing(error)) this.#keeping.connection.lost(error);
  }

  /** One key has answered all that is asked: on to the next, with a way back shown for a while. */
  #advance(): void {
    const { current } = this.state;
    if (current?.kind !== "case") return;
    const undo = {
      number: current.leased.case.number,
      answer: inWords(current.leased.protocol, this.desk.sent),
    };
    this.#submit();
    this.#cell.set({ undo });
    clearTimeout(this.#undoTimer);
    this.#undoTimer = setTimeout(() => this.#cell.set({ undo: null }), UNDO_SHOWN_MS);
  }

  #newFlow(): Flow {
    const { client, projectId, storage } = this.#parts;
    return new Flow({
      cell: this.#cell,
      client,
      desk: this.desk,
      projectId,
      storage,
      couldNot: (what, error) => this.#worklist.couldNot(what, error),
      remark: (place, remark) => this.#keeping.post({ ...this.#stamp(place), kind: "remark", remark }),
    });
  }

  #submit(): void {
    const current = this.desk.answered();
    const work = { answers: this.desk.sent, seconds: this.desk.seconds };
    if (current?.kind === "case") {
      const { leased } = current;
      this.#leave(leased, readingOf(this.#stamp(leased.case), leased, work, this.desk.seeing.seen));
    }
    if (current?.kind === "past")
      this.#submitRevision(current.past, revisionOf(this.#stamp(current.past.case), current.past, work));
  }

  #submitRevision(past: PastReading, entry: PendingRevision): void {
    const isSame = JSON.stringify(entry.answers) === JSON.stringify(past.answers);
    // What was sent back is answered by leaving it as it is, too.
    const isAsked = typeof past.comment === "string";
    this.#comeBack();
    if (isSame && !isAsked) this.#cell.say(say("left_as_it_was"));
    else this.#keeping.post(entry);
  }

  #leave(leased: LeasedCase, entry: Pending): void {
    this.#lastProtocol = leased.protocol;
    this.desk.finish();
    this.#keeping.leases.release(leased.lease_id);
    this.#keeping.post(entry);
    this.#worklist.next();
  }

  #stamp({ id, number }: { readonly id: string; readonly number: number }) {
    return { idempotency_key: this.#parts.newKey(), case_id: id, number, at: Date.now() };
  }

  #openPast(past: PastReading | null): void {
    if (past) this.desk.openPast(past);
    else this.#cell.say(say("nothing_read_yet"));
  }

  #comeBack(): void {
    if (!this.desk.comeBack()) this.#worklist.next();
  }

  #delivered({ workload, told }: Delivered): void {
    if (told && isWorthTelling(told.told))
      this.#cell.set({ feedback: { ...told, protocol: this.#lastProtocol }, dialog: "none" });
    if (workload) {
      this.#worklist.accept(workload);
      void this.flow.lookAtDay();
    } else {
      void this.flow.lookAtRemarks();
    }
    if (this.#isBackWanted && this.state.pending === 0) void this.back();
  }

  #online(): void {
    if (this.state.phase === "error" || this.state.phase === "loading") void this.start();
    else void this.#resume();
  }

  async #resume(): Promise<void> {
    await this.#keeping.resume();
    if (this.state.image === "failed") this.desk.showAgain();
    if (this.state.current === null) await this.#worklist.look();
  }
}
