/** What must survive a crash, an expired session or a lost connection: answers, sealed, never anything of the patient.
 *
 * One name an entry: two tabs of a reader never overwrite each other. Names say whose it is, and only that reader's
 * keys open it: the next person at the same desk neither sees nor sends it. Reading is from memory and at once;
 * what is changed goes to the disk right after, what one act changes in one transaction.
 */

import type { NewRemark, Seen, SkipReason } from "../api/types";
import type { Answers } from "../protocol/types";
import { type KeyValueStore, takeOver } from "./takeover";
import type { Vault } from "./vault";

interface Kept {
  readonly idempotency_key: string;
  readonly case_id: string;
  /** The case's number in the project, for messages. */
  readonly number: number;
  /** When it was made, ms: the order of sending. */
  readonly at: number;
}

export interface PendingReading extends Kept {
  readonly kind: "reading";
  readonly lease_id: string;
  readonly answers: Answers;
  readonly seconds: number;
  readonly protocol_version: number;
  /** What was seen of the model's suggestion. */
  readonly suggestion: Seen | null;
}

export interface PendingSkip extends Kept {
  readonly kind: "skip";
  readonly lease_id: string;
  readonly reason: SkipReason;
  readonly comment: string;
  readonly cannot_be_read: boolean;
}

export interface PendingRemark extends Kept {
  readonly kind: "remark";
  readonly remark: Omit<NewRemark, "idempotency_key">;
}

export interface PendingRevision extends Kept {
  readonly kind: "revision";
  readonly reading_id: string;
  readonly base_revision: number;
  readonly answers: Answers;
  readonly seconds: number;
  readonly protocol_version: number;
}

export type Pending = PendingReading | PendingSkip | PendingRevision | PendingRemark;

export interface KeptDraft {
  readonly case_id: string;
  /** The newest version that the server may hold. */
  readonly version: number;
  readonly answers: Answers;
  readonly seconds: number;
}

export interface JournalEvents {
  /** The browser cannot keep anything now: a full or forbidden storage must not stop the reading. */
  readonly failed: () => void;
  /** So many entries are sealed with a key that nobody has any more. */
  readonly closed: (count: number) => void;
}

/** A reading that is being revised: the server has no draft of it. */
export interface KeptRevision {
  readonly reading_id: string;
  readonly base_revision: number;
  readonly answers: Answers;
}

type Entries = ReadonlyMap<string, unknown>;

/** undefined removes. */
const withChanges = (entries: Entries, changes: Entries): Map<string, unknown> => {
  const all = [...entries, ...changes].filter(([name]) => !changes.has(name) || changes.get(name));
  return new Map(all);
};

/** What was changed again since stays. */
const without = (changes: Entries, written: Entries): Entries =>
  new Map([...changes].filter(([name, value]) => !written.has(name) || written.get(name) !== value));

export class Journal {
  readonly #vault: Vault;
  /** Where earlier versions kept entries unsealed. */
  readonly #before: KeyValueStore;
  readonly #projectId: string;
  readonly #events: JournalEvents;
  #prefix = "";
  #kept: Entries = new Map();
  /** What is not on the disk yet. */
  #changes: Entries = new Map();
  #writing: Promise<void> | null = null;

  constructor(vault: Vault, before: KeyValueStore, projectId: string, events: JournalEvents) {
    this.#vault = vault;
    this.#before = before;
    this.#projectId = projectId;
    this.#events = events;
  }

  /** Whose journal it is, and the keys to it; must be said before anything is read or written. */
  async belongsTo(userId: string, keys: readonly string[]): Promise<void> {
    this.#prefix = `fovea-journal/${userId}/${this.#projectId}`;
    await this.#trying(async () => {
      await this.#vault.unlock(keys);
      await takeOver(this.#before, this.#vault, `fovea-journal/${userId}/`);
    });
    await this.refresh();
  }

  /** Look at what is on the disk: another tab may have left something, and been closed. */
  async refresh(): Promise<void> {
    await this.#trying(async () => {
      await this.written();
      const { entries, closed } = await this.#vault.read(`${this.#prefix}/`);
      this.#kept = withChanges(entries, this.#changes);
      if (closed > 0) this.#events.closed(closed);
    });
  }

  /** Settles when all that was changed so far is on the disk, or cannot be kept. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** What waits to be sent, oldest first. */
  pending(): Pending[] {
    const place = `${this.#prefix}/pending/`;
    const entries = [...this.#kept].filter(([name]) => name.startsWith(place));
    return entries.map(([, entry]) => entry as Pending).sort((a, b) => a.at - b.at);
  }

  add(entry: Pending): void {
    this.#change(`pending/${entry.idempotency_key}`, entry);
  }

  remove(idempotencyKey: string): void {
    this.#change(`pending/${idempotencyKey}`, undefined);
  }

  draft(caseId: string): KeptDraft | null {
    return (this.#kept.get(`${this.#prefix}/draft/${caseId}`) as KeptDraft | undefined) ?? null;
  }

  keepDraft(draft: KeptDraft): void {
    this.#change(`draft/${draft.case_id}`, draft);
  }

  dropDraft(caseId: string): void {
    this.#change(`draft/${caseId}`, undefined);
  }

  /** What was changed of a reading and not submitted, where the reading is still as it was. */
  revision(readingId: string, base: number): Answers | null {
    const kept = this.#kept.get(`${this.#prefix}/revision/${readingId}`) as KeptRevision | undefined;
    return kept?.base_revision === base ? kept.answers : null;
  }

  keepRevision(revision: KeptRevision): void {
    this.#change(`revision/${revision.reading_id}`, revision);
  }

  dropRevision(readingId: string): void {
    this.#change(`revision/${readingId}`, undefined);
  }

  #change(name: string, value: unknown): void {
    const change = [[`${this.#prefix}/${name}`, value]] as const;
    this.#kept = withChanges(this.#kept, new Map(change));
    this.#changes = new Map([...this.#changes, ...change]);
    this.#writing ??= this.#write();
  }

  /** What fails is tried again with the next change. */
  async #write(): Promise<void> {
    let isKept = true;
    while (isKept && this.#changes.size > 0) {
      await Promise.resolve();
      const changes = this.#changes;
      isKept = await this.#trying(() => this.#vault.write(changes));
      if (isKept) this.#changes = without(this.#changes, changes);
    }
    this.#writing = null;
  }

  async #trying(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#events.failed();
      return false;
    }
  }
}
