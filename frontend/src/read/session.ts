/** A reader's sitting: what the keys do, what is saved, and what happens when it cannot be. No HTML, no pixels. */

import type { Api } from "../api/client";
import { isSignedOut, Refusal, wordsFor } from "../api/problems";
import type { Answers, LeasedCase, PastReading, SkipReason } from "../api/types";
import { StateCell } from "./cell";
import { Connection, type ConnectionState, isPassing } from "./connection";
import { type Delivered, deliver } from "./delivery";
import { Desk } from "./desk";
import { DraftSaver } from "./drafts";
import { Journal, type KeyValueStore, type Pending } from "./journal";
import { LeaseKeeper } from "./leases";
import { Outbox } from "./outbox";
import type { Dialog, RoomState } from "./state";
import { Worklist } from "./worklist";

export interface SessionParts {
  readonly client: Api;
  readonly projectId: string;
  readonly storage: KeyValueStore;
  readonly now: () => number;
  readonly newKey: () => string;
}

export class ReadingSession {
  readonly desk: Desk;
  readonly #parts: SessionParts;
  readonly #cell = new StateCell();
  readonly #connection: Connection;
  readonly #journal: Journal;
  readonly #outbox: Outbox<Delivered>;
  readonly #drafts: DraftSaver;
  readonly #leases: LeaseKeeper;
  readonly #worklist: Worklist;
  #isBackWanted = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#journal = new Journal(parts.storage, parts.projectId);
    this.#connection = new Connection(
      () => parts.client.session(),
      (state) => this.#connectionIs(state),
    );
    this.#outbox = this.#newOutbox();
    this.#drafts = this.#newDrafts();
    this.#leases = this.#newLeases();
    this.desk = new Desk(this.#cell, this.#drafts, parts.now);
    this.#worklist = new Worklist({
      cell: this.#cell,
      client: parts.client,
      connection: this.#connection,
      desk: this.desk,
      leases: this.#leases,
      projectId: parts.projectId,
      pending: () => this.#outbox.entries,
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
      const { user } = await client.session();
      this.#settleIn(user.id);
      await this.#outbox.send();
      this.#worklist.accept(await client.workload(projectId));
    } catch (error) {
      this.#cannotStart(error);
    }
  }

  /** Enter: submit and show the next case, or take note of what was said. */
  confirm(): void {
    const { lost, phase, image } = this.state;
    if (lost) this.#worklist.dismissLost();
    else if (phase === "error") void this.start();
    else if (phase === "empty") void this.#worklist.look();
    else if (image === "failed") this.desk.showAgain();
    else this.#submit();
  }

  /** Pass the case on. */
  skip(reason: SkipReason): void {
    const { current } = this.state;
    this.#cell.set({ dialog: "none" });
    if (current?.kind !== "case") return;
    const { leased } = current;
    this.#leave(leased, { ...this.#entry(leased.case), kind: "skip", lease_id: leased.lease_id, reason });
  }

  /** Open the last reading again, once everything before it is saved. */
  async back(): Promise<void> {
    const { current, lost, pending } = this.state;
    if (current?.kind === "past" || lost) return;
    this.#isBackWanted = pending > 0;
    if (this.#isBackWanted) {
      this.#cell.say("One moment: the last reading is being saved.");
      return;
    }
    try {
      this.#openPast(await this.#parts.client.lastReading(this.#parts.projectId));
    } catch (error) {
      this.#worklist.couldNot("open the last reading", error);
    }
  }

  /** Close what lies over the image, or return from the last reading and leave it as it is. */
  escape(): void {
    const { dialog, lost, current } = this.state;
    if (dialog !== "none") this.openDialog("none");
    else if (lost) this.#worklist.dismissLost();
    else if (current?.kind === "past") this.#comeBack();
  }

  openDialog(dialog: Dialog): void {
    if (dialog === "skip" && this.state.current?.kind !== "case") return;
    this.#cell.set({ dialog });
  }

  /** A key, a click, a move: the reader is here. */
  present(): void {
    const now = this.#parts.now();
    this.desk.clock.sign(now);
    if (this.#connection.state === "online") void this.#leases.tend(now);
  }

  /** The page cannot be seen any more, or goes away. */
  hidden(): void {
    this.desk.clock.pause(this.#parts.now());
    void this.#drafts.flush(true);
  }

  /** The page or the network is back: see at once whether the server is too. */
  look(): void {
    void this.#connection.probe();
  }

  imageFailed(showing: number, error: unknown): void {
    if (isPassing(error)) this.#connection.lost(error);
    this.desk.imageFailed(showing, wordsFor(error));
  }

  #settleIn(userId: string): void {
    this.#connection.belongsTo(userId);
    this.#journal.belongsTo(userId);
    this.#outbox.load();
    this.#cell.set({ pending: this.#outbox.entries.length });
  }

  #cannotStart(error: unknown): void {
    const words = isSignedOut(error) ? "You are signed out." : wordsFor(error);
    this.#cell.set({ phase: "error", error: words });
    if (isPassing(error)) this.#connection.lost(error);
  }

  #submit(): void {
    const current = this.desk.answered();
    if (current?.kind === "case") this.#submitReading(current.leased, this.state.answers);
    if (current?.kind === "past") this.#submitRevision(current.past, this.state.answers);
  }

  #submitReading(leased: LeasedCase, answers: Answers): void {
    this.#leave(leased, {
      ...this.#entry(leased.case),
      kind: "reading",
      lease_id: leased.lease_id,
      answers,
      seconds: this.desk.seconds,
      protocol_version: leased.protocol.version,
    });
  }

  #submitRevision(past: PastReading, answers: Answers): void {
    const entry: Pending = {
      ...this.#entry(past.case),
      kind: "revision",
      reading_id: past.reading_id,
      base_revision: past.revision,
      answers,
      seconds: this.desk.seconds,
      protocol_version: past.protocol.version,
    };
    const isSame = JSON.stringify(answers) === JSON.stringify(past.answers);
    this.#comeBack();
    if (isSame) this.#cell.say("Left as it was.");
    else this.#post(entry);
  }

  #leave(leased: LeasedCase, entry: Pending): void {
    this.desk.finish();
    this.#leases.release(leased.lease_id);
    this.#post(entry);
    this.#worklist.next();
  }

  #entry({ id, number }: { readonly id: string; readonly number: number }) {
    return { idempotency_key: this.#parts.newKey(), case_id: id, number, at: Date.now() };
  }

  #post(entry: Pending): void {
    this.#outbox.add(entry);
    this.#cell.set({ pending: this.#outbox.entries.length, notice: null });
  }

  #openPast(past: PastReading | null): void {
    if (past) this.desk.openPast(past);
    else this.#cell.say("You have not read anything here yet.");
  }

  #comeBack(): void {
    if (!this.desk.comeBack()) this.#worklist.next();
  }

  #newOutbox(): Outbox<Delivered> {
    return new Outbox((entry) => deliver(this.#parts.client, entry), this.#journal, {
      acknowledged: (_, result) => this.#acknowledged(result),
      refused: (entry, error) => void this.#refused(entry, error),
      delayed: (error) => this.#connection.lost(error),
    });
  }

  #newDrafts(): DraftSaver {
    const { client } = this.#parts;
    return new DraftSaver((id, draft, keepalive) => client.saveDraft(id, draft, keepalive), this.#journal, {
      changed: (draft) => this.#cell.set({ draft }),
      delayed: (error) => this.#connection.lost(error),
      overtaken: (caseId, newer) => this.desk.overtaken(caseId, newer),
      leaseLost: (caseId) => this.#worklist.caseLost(caseId),
    });
  }

  #newLeases(): LeaseKeeper {
    return new LeaseKeeper((leaseId) => this.#parts.client.renew(leaseId), {
      delayed: (error) => this.#connection.lost(error),
      lost: (leaseId) => this.#worklist.leaseLost(leaseId),
    });
  }

  #acknowledged({ workload }: Delivered): void {
    const pending = this.#outbox.entries.length;
    this.#cell.set({ pending, hasSaved: true });
    this.#connection.found();
    if (workload) this.#worklist.accept(workload);
    if (this.#isBackWanted && pending === 0) void this.back();
  }

  async #refused(entry: Pending, error: unknown): Promise<void> {
    this.#cell.set({ pending: this.#outbox.entries.length });
    const isLost = error instanceof Refusal && error.code === "lease_lost";
    try {
      if (isLost && entry.kind !== "revision") this.#worklist.answerLost(entry);
      else if (entry.kind === "reading")
        await this.#worklist.bringBack(entry.case_id, entry.answers, wordsFor(error));
      else this.#cell.say(`Case ${entry.number} was not saved: ${wordsFor(error)}`, "bad");
    } catch (failure) {
      this.#worklist.couldNot("bring the case back", failure);
    }
  }

  #connectionIs(connection: ConnectionState): void {
    this.#cell.set({ connection });
    if (connection !== "online") return;
    if (this.state.phase === "error" || this.state.phase === "loading") void this.start();
    else void this.#resume();
  }

  async #resume(): Promise<void> {
    await this.#outbox.send();
    await this.#drafts.flush(false);
    if (this.state.image === "failed") this.desk.showAgain();
    if (this.state.current === null) await this.#worklist.look();
  }
}
