/** What keeps a sitting's work: the journal, what is on its way to the server, drafts, leases, the connection. */

import { Refusal, wordsFor } from "../api/problems";
import type { Draft } from "../api/types";
import { say } from "../words/say";
import type { StateCell } from "./cell";
import { Connection, type ConnectionState, isPassing } from "./connection";
import { type Delivered, deliver } from "./delivery";
import { DraftSaver } from "./drafts";
import { Journal, type Pending } from "./journal";
import { LeaseKeeper } from "./leases";
import { Outbox } from "./outbox";
import type { SessionParts } from "./session";
import type { Worklist } from "./worklist";

/** What the sitting does about what is told here. */
export interface KeepingTies {
  readonly worklist: () => Worklist;
  readonly overtaken: (caseId: string, newer: Draft) => void;
  readonly delivered: (result: Delivered) => void;
  /** The server can be reached, and knows the reader. */
  readonly online: () => void;
}

export class Keeping {
  readonly journal: Journal;
  readonly connection: Connection;
  readonly outbox: Outbox<Delivered>;
  readonly drafts: DraftSaver;
  readonly leases: LeaseKeeper;
  readonly #parts: SessionParts;
  readonly #cell: StateCell;
  readonly #ties: KeepingTies;

  constructor(parts: SessionParts, cell: StateCell, ties: KeepingTies) {
    this.#parts = parts;
    this.#cell = cell;
    this.#ties = ties;
    this.journal = this.#newJournal();
    this.connection = new Connection(
      () => parts.client.session(),
      (state) => this.#connectionIs(state),
    );
    this.outbox = this.#newOutbox();
    this.drafts = this.#newDrafts();
    this.leases = this.#newLeases();
  }

  /** Send what a sitting decided on; it is kept until the server has it. */
  post(entry: Pending): void {
    this.outbox.add(entry);
    this.#cell.set({ pending: this.outbox.entries.length, notice: null, undo: null });
  }

  /** Settles when what was confirmed can be lost no more: on the disk, unless this browser cannot keep anything. */
  kept(): Promise<void> {
    return this.journal.written();
  }

  /** Take over what this browser keeps, and send it. */
  async resume(): Promise<void> {
    await this.journal.refresh();
    this.outbox.load();
    await this.outbox.send();
    await this.drafts.flush(false);
  }

  #newJournal(): Journal {
    const { vault, storage, projectId } = this.#parts;
    return new Journal(vault, storage, projectId, {
      failed: () => this.#cell.say(say("cannot_keep"), "warn"),
      closed: (count) => this.#cell.say(say("kept_closed", { count }), "warn"),
    });
  }

  #newOutbox(): Outbox<Delivered> {
    return new Outbox((entry) => deliver(this.#parts.client, entry), this.journal, {
      acknowledged: (_, result) => this.#acknowledged(result),
      refused: (entry, error) => this.#refused(entry, error),
      delayed: (error) => this.connection.lost(error),
    });
  }

  #newDrafts(): DraftSaver {
    const { client } = this.#parts;
    return new DraftSaver((id, draft, keepalive) => client.saveDraft(id, draft, keepalive), this.journal, {
      changed: (draft) => this.#cell.set({ draft }),
      delayed: (error) => this.connection.lost(error),
      overtaken: (caseId, newer) => this.#ties.overtaken(caseId, newer),
      leaseLost: (caseId) => this.#ties.worklist().caseLost(caseId),
    });
  }

  #newLeases(): LeaseKeeper {
    return new LeaseKeeper((leaseId) => this.#parts.client.renew(leaseId), {
      delayed: (error) => this.connection.lost(error),
      lost: (leaseId) => this.#ties.worklist().leaseLost(leaseId),
    });
  }

  #acknowledged(result: Delivered): void {
    this.#cell.set({ pending: this.outbox.entries.length, hasSaved: true });
    this.connection.found();
    this.#ties.delivered(result);
  }

  /** Somebody must decide; where that needs the server and it is away, the entry is sent and refused again. */
  async #refused(entry: Pending, error: unknown): Promise<void> {
    this.#cell.set({ pending: this.outbox.entries.length - 1 });
    const worklist = this.#ties.worklist();
    const isLost = error instanceof Refusal && error.code === "lease_lost";
    const endsCase = entry.kind === "reading" || entry.kind === "skip";
    try {
      if (isLost && endsCase) worklist.answerLost(entry);
      else if (entry.kind === "reading")
        await worklist.bringBack(entry.case_id, entry.answers, wordsFor(error));
      else this.#cell.say(say("case_not_saved", { number: entry.number, words: wordsFor(error) }), "bad");
    } catch (failure) {
      if (isPassing(failure)) throw failure;
      worklist.couldNot(say("bring_back"), failure);
    }
  }

  #connectionIs(connection: ConnectionState): void {
    this.#cell.set({ connection });
    if (connection === "online") this.#ties.online();
  }
}
