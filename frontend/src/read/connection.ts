/** Whether the server can be reached by this reader, and the way back when it cannot. */

import { Refusal, Unreachable } from "../api/problems";
import type { Session } from "../api/types";

export type ConnectionState = "online" | "offline" | "signed_out" | "other_user";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;

/** Whether trying again later can help. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Unreachable ||
  (error instanceof Refusal && (error.status >= 500 || error.status === 429 || error.status === 401));

export class Connection {
  readonly #ask: () => Promise<Session>;
  readonly #changed: (state: ConnectionState) => void;
  #state: ConnectionState = "online";
  #userId = "";
  #waitMs = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** changed is told of each new state; after "online" everything that waited may be sent. */
  constructor(ask: () => Promise<Session>, changed: (state: ConnectionState) => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whose page this is, once and for all: nobody else's sign-in may send this reader's answers. */
  belongsTo(userId: string): boolean {
    if (this.#userId === "") this.#userId = userId;
    if (this.#userId !== userId) this.#become("other_user");
    return this.#userId === userId;
  }

  /** A request failed for a passing reason. */
  lost(error: unknown): void {
    if (this.#state === "other_user") return;
    const isSignedOut = error instanceof Refusal && error.status === 401;
    this.#become(isSignedOut ? "signed_out" : "offline");
    this.#timer ??= setTimeout(() => void this.probe(), this.#waitMs);
  }

  /** A request of this reader has been answered. */
  found(): void {
    if (this.#state !== "offline") return;
    this.#waitMs = FIRST_WAIT_MS;
    this.#become("online");
  }

  /** See now whether it is back. */
  async probe(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state === "online" || this.#state === "other_user") return;
    try {
      this.#answered(await this.#ask());
    } catch (error) {
      this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
      this.lost(error);
    }
  }

  #answered(session: Session): void {
    this.#waitMs = FIRST_WAIT_MS;
    this.#become(this.#userId === "" || session.user.id === this.#userId ? "online" : "other_user");
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed(state);
  }
}
