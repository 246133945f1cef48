/** Cases stay this reader's while the reader is at work: leases are renewed on signs of life, not by a timer alone. */

import { Refusal } from "../api/problems";
import { isPassing } from "./connection";

/** A sixth of the server's lease: the browser's clock need not agree with the server's. */
export const RENEW_AFTER_MS = 5 * 60_000;

export interface LeaseEvents {
  readonly delayed: (error: unknown) => void;
  readonly lost: (leaseId: string) => void;
}

export class LeaseKeeper {
  readonly #renew: (leaseId: string) => Promise<unknown>;
  readonly #events: LeaseEvents;
  #held: readonly string[] = [];
  #renewedAt: number | null = null;

  constructor(renew: (leaseId: string) => Promise<unknown>, events: LeaseEvents) {
    this.#renew = renew;
    this.#events = events;
  }

  hold(leaseIds: readonly string[]): void {
    this.#held = leaseIds;
  }

  release(leaseId: string): void {
    this.#held = this.#held.filter((held) => held !== leaseId);
  }

  /** Renew where the last time is long ago; the server renews all that the reader holds with one. now: ms. */
  async tend(now: number): Promise<void> {
    this.#renewedAt ??= now;
    if (now - this.#renewedAt < RENEW_AFTER_MS) return;
    this.#renewedAt = now;
    for (const leaseId of this.#held) {
      if (await this.#isRenewed(leaseId)) return;
    }
  }

  async #isRenewed(leaseId: string): Promise<boolean> {
    try {
      await this.#renew(leaseId);
      return true;
    } catch (error) {
      this.#failed(leaseId, error);
      return isPassing(error);
    }
  }

  #failed(leaseId: string, error: unknown): void {
    if (isPassing(error)) {
      this.#events.delayed(error);
      return;
    }
    if (!(error instanceof Refusal)) throw error;
    this.release(leaseId);
    this.#events.lost(leaseId);
  }
}
