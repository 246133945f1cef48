/** What this reader holds and what comes next; the case on screen stays on screen whatever the server re-ranks. */

import type { Api } from "../api/client";
import { wordsFor } from "../api/problems";
import type { LeasedCase, Workload } from "../api/types";
import type { Answers } from "../protocol/types";
import { say } from "../words/say";
import type { StateCell } from "./cell";
import { type Connection, isPassing } from "./connection";
import type { Desk } from "./desk";
import type { Pending } from "./journal";
import type { LeaseKeeper } from "./leases";
import { inWords, protocolOf, viewOf } from "./state";

export interface WorklistParts {
  readonly cell: StateCell;
  readonly client: Api;
  readonly connection: Connection;
  readonly desk: Desk;
  readonly leases: LeaseKeeper;
  readonly projectId: string;
  /** Work that is finished here and not acknowledged by the server. */
  readonly pending: () => readonly Pending[];
  /** Settles when what was confirmed is on the disk. */
  readonly kept: () => Promise<void>;
}

export class Worklist {
  readonly #parts: WorklistParts;

  constructor(parts: WorklistParts) {
    this.#parts = parts;
  }

  /** Ask the server what there is to read. */
  async look(): Promise<void> {
    try {
      this.accept(await this.#fetch());
    } catch (error) {
      this.couldNot(say("fetch_worklist"), error);
    }
  }

  accept(workload: Workload): void {
    const { cell, desk } = this.#parts;
    const mine = this.#notSent(workload);
    const ahead = mine.filter(({ lease_id }) => lease_id !== desk.leased?.lease_id);
    const isLost = desk.leased !== null && ahead.length === mine.length;
    this.#hold(mine);
    const { progress, halt = null, practice = null } = workload;
    cell.set({ ahead, progress, halt, practice, left: progress.waiting + mine.length });
    if (isLost) this.caseLost(desk.leased.case.id);
    else if (cell.state.current === null) this.#openOrEnd();
  }

  /** Put the next case on screen, or wait for more. */
  next(): void {
    const { cell, desk } = this.#parts;
    const [first, ...ahead] = cell.state.ahead;
    if (first) {
      cell.set({ ahead });
      desk.open(first);
      return;
    }
    cell.set({ phase: "keeping", current: null });
    void this.#wait();
  }

  /** Go back clearly: a case that was not taken is on screen again, with its answer and the reason. */
  async bringBack(caseId: string, answers: Answers, words: string): Promise<void> {
    const { cell, desk } = this.#parts;
    const workload = await this.#fetch();
    const displaced = desk.leased;
    desk.putAside();
    this.#hold(workload.cases);
    const again = workload.cases.find(({ case: view }) => view.id === caseId);
    const others = workload.cases.filter((leased) => leased !== again);
    cell.set({ ahead: firstFirst(others, displaced), progress: workload.progress });
    if (again) desk.open(again, answers);
    else this.#openOrEnd();
    cell.say(say("not_saved", { words }), "bad");
  }

  leaseLost(leaseId: string): void {
    const { cell, desk } = this.#parts;
    if (desk.leased?.lease_id === leaseId) this.caseLost(desk.leased.case.id);
    else cell.set({ ahead: cell.state.ahead.filter(({ lease_id }) => lease_id !== leaseId) });
  }

  /** The case that the reader is at belongs to somebody else now. */
  caseLost(caseId: string): void {
    const { cell, desk, leases } = this.#parts;
    const { leased } = desk;
    if (leased?.case.id !== caseId || cell.state.lost) return;
    const answer = inWords(leased.protocol, desk.leasedAnswers);
    leases.release(leased.lease_id);
    desk.finish();
    cell.set({ lost: { caseId, number: leased.case.number, answer }, dialog: "none", notice: null });
  }

  /** An answer came too late: the case had gone to somebody else. */
  answerLost(entry: Pending): void {
    const { cell } = this.#parts;
    const protocol = cell.state.current ? protocolOf(cell.state.current) : undefined;
    const answer = "answers" in entry ? inWords(protocol, entry.answers) : "";
    cell.set({ lost: { caseId: entry.case_id, number: entry.number, answer }, dialog: "none", notice: null });
  }

  /** The reader has seen that an answer was not taken. */
  dismissLost(): void {
    const { cell } = this.#parts;
    const { lost, current } = cell.state;
    const wasOnScreen = current !== null && viewOf(current).id === lost?.caseId;
    cell.set(wasOnScreen ? { lost: null, current: null, phase: "waiting" } : { lost: null });
    if (cell.state.current === null) void this.look();
  }

  couldNot(what: string, error: unknown): void {
    const { cell, connection } = this.#parts;
    if (isPassing(error)) connection.lost(error);
    else if (cell.state.current === null) cell.set({ phase: "error", error: wordsFor(error) });
    else cell.say(say("could_not", { what, words: wordsFor(error) }), "bad");
  }

  async #wait(): Promise<void> {
    const { cell, kept } = this.#parts;
    await kept();
    if (cell.state.phase !== "keeping") return;
    cell.set({ phase: "waiting" });
    if (cell.state.pending === 0) await this.look();
  }

  #fetch(): Promise<Workload> {
    return this.#parts.client.workload(this.#parts.projectId);
  }

  #notSent(workload: Workload): LeasedCase[] {
    const sent = new Set(this.#parts.pending().map((entry) => entry.case_id));
    return workload.cases.filter(({ case: view }) => !sent.has(view.id));
  }

  #hold(cases: readonly LeasedCase[]): void {
    this.#parts.leases.hold(cases.map(({ lease_id }) => lease_id));
  }

  #openOrEnd(): void {
    const { cell } = this.#parts;
    if (cell.state.lost) return;
    if (cell.state.ahead.length > 0) this.next();
    else cell.set({ phase: cell.state.pending > 0 ? "waiting" : "empty" });
  }
}

/** The displaced case comes first again. */
const firstFirst = (cases: readonly LeasedCase[], first: LeasedCase | null): readonly LeasedCase[] => {
  const found = cases.filter(({ lease_id }) => lease_id === first?.lease_id);
  return [...found, ...cases.filter((leased) => !found.includes(leased))];
};
