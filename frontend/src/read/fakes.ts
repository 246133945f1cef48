/** For tests: a server in memory that keeps the contract, and a storage that survives pages. */

import type { Api } from "../api/client";
import { Refusal, Unreachable } from "../api/problems";
import type {
  Draft,
  LeasedCase,
  NewReading,
  NewRemark,
  NewRevision,
  PastReading,
  Preferences,
  Suggestion,
  Told,
  Workload,
} from "../api/types";
import type { Question, Settings } from "../protocol/types";
import type { KeyValueStore } from "./takeover";
import type { Vault } from "./vault";

export type Trouble = "none" | "offline" | "signed_out";

const FINDING: Question = {
  key: "finding",
  prompt: "What do you see?",
  kind: "single",
  choices: [
    { value: "normal", label: "Normal" },
    { value: "pneumonia", label: "Pneumonia" },
  ],
};

export const NO_SUGGESTION: Suggestion = {
  mode: "never",
  question: "finding",
  probabilities: null,
  drawn: [],
};

/** What a project can have differently. */
export interface Kind {
  readonly questions?: readonly Question[];
  readonly settings?: Settings;
  readonly suggestion?: Suggestion;
}

export const leasedCase = (
  id: string,
  number: number,
  { questions = [FINDING], settings = {}, suggestion = NO_SUGGESTION }: Kind = {},
): LeasedCase => ({
  lease_id: `lease-${id}`,
  expires_at: "2030-01-01T00:00:00Z",
  case: { id, number, modality: "DX", instances: [] },
  protocol: { version: 1, questions, settings },
  draft: null,
  suggestion,
  why: {
    reason: "random",
    stream: "pool",
    score: null,
    rank: null,
    pool_size: 3,
    model_number: null,
    strategy: null,
    text: "",
    uncertainty: null,
  },
});

export const memoryStorage = (): KeyValueStore => {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
};

/** Keeps entries as they are, under the keys that it was unlocked with. */
export class MemoryVault implements Vault {
  readonly kept = new Map<string, unknown>();
  /** A full or forbidden storage. */
  isFull = false;
  /** A slow disk: what is written is there when this settles. */
  disk: Promise<unknown> = Promise.resolve();
  #keys = "";
  readonly #sealed = new Map<string, string>();

  async unlock(keys: readonly string[]): Promise<void> {
    this.#keys = keys.join();
    await Promise.resolve();
  }

  async read(prefix: string) {
    await Promise.resolve();
    const mine = [...this.kept].filter(([name]) => name.startsWith(prefix));
    const entries = new Map(mine.filter(([name]) => this.#sealed.get(name) === this.#keys));
    return { entries, closed: mine.length - entries.size };
  }

  async write(changes: ReadonlyMap<string, unknown>): Promise<void> {
    await this.disk;
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    for (const [name, value] of changes) {
      this.#sealed.set(name, this.#keys);
      if (value === undefined) this.kept.delete(name);
      else this.kept.set(name, structuredClone(value));
    }
  }
}

const REMARK = {
  id: "remark",
  case_id: "z",
  case_number: 26,
  kind: "question" as const,
  reason: "",
  text: "A nodule?",
  by: "colleague",
  to: "reader",
  created_at: "2030-01-01T00:00:00Z",
  reply: "",
  replied_at: null,
};

export class FakeServer implements Api {
  trouble: Trouble = "none";
  /** Takes what is sent and then loses its own answer. */
  isAnswerLost = false;
  userId = "reader";
  refusal: Refusal | null = null;
  readonly waiting: LeasedCase[];
  /** What is told after a case of known answer, by case. */
  readonly told = new Map<string, Told>();
  readonly readings: { readonly caseId: string; readonly body: NewReading }[] = [];
  readonly drafts = new Map<string, Draft>();
  readonly skipped: string[] = [];
  readonly revisions: string[] = [];
  readonly remarked: NewRemark[] = [];
  kept: Preferences = { language: "en", keys: {} };

  constructor(...cases: LeasedCase[]) {
    this.waiting = cases;
  }

  session() {
    return this.#answer(() => ({
      user: { id: this.userId, username: "reader", is_admin: false },
      csrf_token: "token",
      idle_seconds: 900,
      journal_keys: [`key of ${this.userId}`],
    }));
  }

  workload() {
    return this.#answer(() => this.#workload());
  }

  renew() {
    return this.#answer(() => ({ expires_at: "2030-01-01T00:00:00Z" }));
  }

  saveDraft(caseId: string, body: Draft & { readonly lease_id: string }) {
    return this.#answer(() => {
      const held = this.drafts.get(caseId);
      if (held && held.version >= body.version) {
        throw new Refusal(409, { code: "draft_stale", draft: held });
      }
      this.drafts.set(caseId, body);
      return { version: body.version };
    });
  }

  submit(caseId: string, body: NewReading) {
    return this.#answer(() => {
      this.#refuse();
      const isKnown = this.readings.some((one) => one.body.idempotency_key === body.idempotency_key);
      if (!isKnown) this.readings.push({ caseId, body });
      this.#end(caseId);
      const told = this.told.get(caseId) ?? null;
      return { reading_id: `reading-${caseId}`, revision: 1, workload: this.#workload(), told };
    });
  }

  hanging() {
    return this.#answer(() => ({
      rule: "Anything else",
      layout: "stack",
      preset: null,
      play: false,
      companions: [],
    }));
  }

  skip(caseId: string, body: { readonly reason: string; readonly cannot_be_read?: boolean }) {
    return this.#answer(() => {
      this.skipped.push(`${caseId} ${body.reason}${body.cannot_be_read ? " final" : ""}`);
      this.#end(caseId);
      return { workload: this.#workload() };
    });
  }

  reading(): Promise<PastReading> {
    return this.lastReading() as Promise<PastReading>;
  }

  today() {
    const count = this.readings.length;
    return this.#answer(() => ({ readings: [], read: count, seconds: 9, median_seconds: null, goal: 40 }));
  }

  remark(caseId: string, body: NewRemark) {
    return this.#answer(() => {
      if (!this.remarked.some((known) => known.idempotency_key === body.idempotency_key))
        this.remarked.push(body);
      return { ...REMARK, case_id: caseId, kind: body.kind, text: body.text ?? "" };
    });
  }

  remarks() {
    return this.#answer(() => ({ asked: [], replied: [], returned: [], colleagues: [] }));
  }

  asked() {
    return this.#answer(() => {
      const { case: view, protocol } = leasedCase("z", 26);
      return { remark: REMARK, case: view, protocol };
    });
  }

  reply(_: string, text: string) {
    return this.#answer(() => ({ ...REMARK, reply: text }));
  }

  preferences() {
    return this.#answer(() => this.kept);
  }

  savePreferences(body: Preferences) {
    return this.#answer(() => {
      this.kept = body;
      return body;
    });
  }

  lastReading(): Promise<PastReading | null> {
    return this.#answer(() => {
      const last = this.readings.at(-1);
      if (!last) return null;
      const { case: view, protocol } = leasedCase(last.caseId, 1);
      const { answers } = last.body;
      return {
        reading_id: "r",
        revision: 1,
        case: view,
        protocol,
        answers,
        measurements: {},
        submitted_at: "2030-01-01T00:00:00Z",
      };
    });
  }

  revise(_: string, body: NewRevision) {
    return this.#answer(() => {
      this.#refuse();
      this.revisions.push(String(body.answers.finding ?? ""));
      return { revision: 2 };
    });
  }

  frame(): Promise<ArrayBuffer> {
    return this.#answer(() => new ArrayBuffer(0));
  }

  #workload(): Workload {
    const cases = this.waiting.slice(0, 3);
    const counts = { read_by_me: this.readings.length, read: this.readings.length };
    return { cases, progress: { ...counts, waiting: this.waiting.length, total: 9 } };
  }

  #end(caseId: string): void {
    const at = this.waiting.findIndex((leased) => leased.case.id === caseId);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  #refuse(): void {
    if (this.refusal) throw this.refusal;
  }

  async #answer<T>(make: () => T): Promise<T> {
    await Promise.resolve();
    if (this.trouble === "offline") throw new Unreachable("offline");
    if (this.trouble === "signed_out") throw new Refusal(401, { code: "unauthenticated" });
    const made = make();
    if (this.isAnswerLost) throw new Unreachable("the answer was lost");
    return made;
  }
}
