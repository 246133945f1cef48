/** The server's routes that the adjudication room uses, one function each. */

import type { Answers } from "../protocol/types";
import { Http } from "./http";
import type { Dispute, ModelAnswer, SideAnswers, Standing } from "./types";

export interface NewDecision {
  readonly idempotency_key: string;
  readonly base_version: number;
  /** Whose answer stands, by question and letter. */
  readonly take?: Readonly<Record<string, string>>;
  /** An own answer to all that is asked. */
  readonly answers?: Answers;
  readonly seconds: number;
}

export interface NewReturn {
  readonly idempotency_key: string;
  readonly base_version: number;
  readonly comment: string;
}

export class DisputeClient {
  readonly #http: Http;
  readonly #path: string;
  #isKnown = false;

  constructor(disputeId: string, base = "/api/v1/") {
    this.#http = new Http(base);
    this.#path = `disputes/${disputeId}`;
  }

  dispute(): Promise<Dispute> {
    return this.#http.json({ path: this.#path });
  }

  /** The whole answers of one side, to go on from. */
  answers(side: string): Promise<SideAnswers> {
    return this.#http.json({ path: `${this.#path}/answers?${new URLSearchParams({ side })}` });
  }

  decide(body: NewDecision): Promise<Standing> {
    return this.#post("decisions", body);
  }

  sendBack(body: NewReturn): Promise<Standing> {
    return this.#post("returns", body);
  }

  /** What the model says; that it was shown is kept. */
  modelAnswer(): Promise<ModelAnswer> {
    return this.#post("suggestion", {});
  }

  /** Every write needs the session's token: asked for once. */
  async #post<T>(what: string, body: unknown): Promise<T> {
    if (!this.#isKnown) {
      const { csrf_token } = await this.#http.json<{ readonly csrf_token: string }>({ path: "session" });
      this.#http.trust(csrf_token);
      this.#isKnown = true;
    }
    return this.#http.json({ method: "POST", path: `${this.#path}/${what}`, body });
  }
}
