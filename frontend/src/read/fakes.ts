/** For tests: a server in memory that keeps the contract, and a storage that survives pages. */

import type { Api } from "../api/client";
import { Refusal, Unreachable } from "../api/problems";
import type { Draft, LeasedCase, NewReading, PastReading, Workload } from "../api/types";
import type { KeyValueStore } from "./journal";

export type Trouble = "none" | "offline" | "signed_out";

export const leasedCase = (id: string, number: number, draft: Draft | null = null): LeasedCase => ({
  lease_id: `lease-${id}`,
  expires_at: "2030-01-01T00:00:00Z",
  case: { id, number, modality: "DX", instances: [] },
  protocol: {
    version: 1,
    questions: [
      {
        key: "finding",
        prompt: "What do you see?",
        kind: "single",
        choices: [
          { value: "normal", label: "Normal" },
          { value: "pneumonia", label: "Pneumonia" },
        ],
      },
    ],
  },
  draft,
  why: {
    reason: "random",
    stream: "pool",
    score: null,
    rank: null,
    pool_size: 3,
    model_number: null,
    strategy: null,
    text: "",
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

export class FakeServer implements Api {
  trouble: Trouble = "none";
  /** Takes what is sent and then loses its own answer. */
  isAnswerLost = false;
  userId = "reader";
  refusal: Refusal | null = null;
  readonly waiting: LeasedCase[];
  readonly readings: { readonly caseId: string; readonly body: NewReading }[] = [];
  readonly drafts = new Map<string, Draft>();
  readonly skipped: string[] = [];
  readonly revisions: string[] = [];

  constructor(...cases: LeasedCase[]) {
    this.waiting = cases;
  }

  session() {
    return this.#answer(() => ({
      user: { id: this.userId, username: "reader", is_admin: false },
      csrf_token: "token",
      idle_seconds: 900,
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
      return { reading_id: `reading-${caseId}`, revision: 1, workload: this.#workload() };
    });
  }

  skip(caseId: string, body: { readonly reason: string }) {
    return this.#answer(() => {
      this.skipped.push(`${caseId} ${body.reason}`);
      this.#end(caseId);
      return { workload: this.#workload() };
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
        submitted_at: "2030-01-01T00:00:00Z",
      };
    });
  }

  revise(_: string, body: { readonly answers: Readonly<Record<string, string>> }) {
    return this.#answer(() => {
      this.#refuse();
      this.revisions.push(body.answers.finding ?? "");
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
