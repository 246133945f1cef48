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

  /** Renew all that is held where the last time is long ago. now: ms. */
  async tend(now: number): Promise<void> {
    this.#renewedAt ??= now;
    if (now - this.#renewedAt < RENEW_AFTER_MS) return;
    this.#renewedAt = now;
    for (const leaseId of this.#held) await this.#renewOne(leaseId);
  }

  async #renewOne(leaseId: string): Promise<void> {
    try {
      await this.#renew(leaseId);
    } catch (error) {
      this.#failed(leaseId, error);
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
