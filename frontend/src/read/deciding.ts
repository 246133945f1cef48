/** The server as an adjudicator's reading room sees it: one case in dispute, whose answer decides it. */

import { Client } from "../api/client";
import { DisputeClient } from "../api/disputes";
import type { NewDraft, NewReading, SideAnswers, Submitted, Workload } from "../api/types";
import { say } from "../words/say";

const FAR = "2999-12-31T00:00:00Z";
const PROGRESS = { read_by_me: 0, read: 0, waiting: 0, total: 1 };

/** The case as the room opens one, answered as one side answers it. */
const workloadOf = (found: SideAnswers, disputeId: string, side: string): Workload => ({
  cases: [
    {
      lease_id: disputeId,
      expires_at: FAR,
      case: found.case,
      protocol: {
        ...found.protocol,
        settings: { ...found.protocol.settings, suggestions: "never", auto_advance: false },
      },
      draft: { version: 1, protocol_version: found.protocol.version, answers: found.answers, seconds: 0 },
      why: {
        reason: "adjudication",
        stream: "pool",
        score: null,
        rank: null,
        pool_size: 0,
        model_number: null,
        strategy: null,
        text: say("judge_own", { name: side }),
        uncertainty: null,
      },
      suggestion: { mode: "never", question: "", probabilities: null, drawn: [] },
    },
  ],
  progress: PROGRESS,
});

export class DecidingClient extends Client {
  readonly #disputes: DisputeClient;
  readonly #disputeId: string;
  readonly #side: string;
  readonly #done: () => void;
  #version = 1;

  /** done: the decision is taken. */
  constructor(disputeId: string, side: string, done: () => void) {
    super();
    this.#disputes = new DisputeClient(disputeId);
    this.#disputeId = disputeId;
    this.#side = side;
    this.#done = done;
  }

  override async workload(): Promise<Workload> {
    const found = await this.#disputes.answers(this.#side);
    this.#version = found.version;
    return workloadOf(found, this.#disputeId, this.#side);
  }

  override renew(): Promise<{ readonly expires_at: string }> {
    return Promise.resolve({ expires_at: FAR });
  }

  /** It stays in this browser until it is decided. */
  override saveDraft(_: string, { version }: NewDraft): Promise<{ readonly version: number }> {
    return Promise.resolve({ version });
  }

  override async submit(_: string, body: NewReading): Promise<Submitted> {
    const { idempotency_key, answers, seconds } = body;
    await this.#disputes.decide({ idempotency_key, base_version: this.#version, answers, seconds });
    this.#done();
    return { reading_id: "", revision: 1, workload: { cases: [], progress: PROGRESS } };
  }

  override skip(): Promise<never> {
    this.#done();
    return Promise.reject(new Error(say("judge_decide")));
  }
}
