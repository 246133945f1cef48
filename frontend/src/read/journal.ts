/** What must survive a crash, an expired session or a lost connection: answers, never anything of the patient.
 *
 * One storage key an entry: two tabs of a reader never overwrite each other. Keys name the reader, so the next
 * person at the same desk neither sees nor sends them.
 */

import type { NewRemark, Seen, SkipReason } from "../api/types";
import type { Answers } from "../protocol/types";

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
  /** The version that the server is known to hold. */
  readonly version: number;
  readonly answers: Answers;
  readonly seconds: number;
}

export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export class Journal {
  readonly #store: KeyValueStore;
  readonly #projectId: string;
  #prefix = "";

  constructor(store: KeyValueStore, projectId: string) {
    this.#store = store;
    this.#projectId = projectId;
  }

  /** Whose journal it is; must be said before anything is read or written. */
  belongsTo(userId: string): void {
    this.#prefix = `fovea-journal/${userId}/${this.#projectId}`;
  }

  /** What waits to be sent, oldest first. */
  pending(): Pending[] {
    const entries = this.#keys("pending/").map((key) => this.#read<Pending>(key));
    return entries.filter((entry) => entry !== null).sort((a, b) => a.at - b.at);
  }

  add(entry: Pending): void {
    this.#write(`pending/${entry.idempotency_key}`, entry);
  }

  remove(idempotencyKey: string): void {
    this.#store.removeItem(`${this.#prefix}/pending/${idempotencyKey}`);
  }

  draft(caseId: string): KeptDraft | null {
    return this.#read<KeptDraft>(`${this.#prefix}/draft/${caseId}`);
  }

  keepDraft(draft: KeptDraft): void {
    this.#write(`draft/${draft.case_id}`, draft);
  }

  dropDraft(caseId: string): void {
    this.#store.removeItem(`${this.#prefix}/draft/${caseId}`);
  }

  #keys(kind: string): string[] {
    const all = Array.from({ length: this.#store.length }, (_, index) => this.#store.key(index));
    return all.filter((key) => key?.startsWith(`${this.#prefix}/${kind}`)) as string[];
  }

  #read<T>(key: string): T | null {
    const text = this.#store.getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
  }

  /** A full or forbidden storage must not stop the reading: the answer is still in memory. */
  #write(key: string, value: unknown): void {
    try {
      this.#store.setItem(`${this.#prefix}/${key}`, JSON.stringify(value));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
}
