/** Finished work on its way to the server: kept until acknowledged, sent in order, safe to send twice. */

import { isPassing } from "./connection";
import type { Journal, Pending } from "./journal";

export interface OutboxEvents<Result> {
  /** The server has it. */
  readonly acknowledged: (entry: Pending, result: Result) => void;
  /** The server will not take it: somebody must decide. It goes when that is done. */
  readonly refused: (entry: Pending, error: unknown) => Promise<void>;
  /** Not now: it stays, send() again later. */
  readonly delayed: (error: unknown) => void;
}

export class Outbox<Result> {
  readonly #deliver: (entry: Pending) => Promise<Result>;
  readonly #journal: Journal;
  readonly #events: OutboxEvents<Result>;
  #entries: Pending[] = [];
  #sending: Promise<void> | null = null;

  constructor(deliver: (entry: Pending) => Promise<Result>, journal: Journal, events: OutboxEvents<Result>) {
    this.#deliver = deliver;
    this.#journal = journal;
    this.#events = events;
  }

  get entries(): readonly Pending[] {
    return this.#entries;
  }

  /** Take up what an earlier page could not send. */
  load(): void {
    const known = new Set(this.#entries.map((entry) => entry.idempotency_key));
    const kept = this.#journal.pending().filter((entry) => !known.has(entry.idempotency_key));
    this.#entries = [...kept, ...this.#entries].sort((a, b) => a.at - b.at);
  }

  add(entry: Pending): void {
    this.#entries.push(entry);
    this.#journal.add(entry);
    void this.send();
  }

  /** Send what waits; settles when nothing is left or nothing can be sent now. */
  async send(): Promise<void> {
    this.#sending ??= this.#drain();
    await this.#sending;
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    let isSettled = true;
    for (let entry = this.#entries[0]; entry && isSettled; entry = this.#entries[0]) {
      isSettled = await this.#attempt(entry);
    }
    this.#sending = null;
  }

  async #attempt(entry: Pending): Promise<boolean> {
    try {
      const result = await this.#deliver(entry);
      this.#settle(entry);
      this.#events.acknowledged(entry, result);
      return true;
    } catch (error) {
      return this.#failed(entry, error);
    }
  }

  async #failed(entry: Pending, error: unknown): Promise<boolean> {
    try {
      if (isPassing(error)) throw error;
      await this.#events.refused(entry, error);
    } catch (failure) {
      if (!isPassing(failure)) throw failure;
      this.#events.delayed(failure);
      return false;
    }
    this.#settle(entry);
    return true;
  }

  #settle(entry: Pending): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#journal.remove(entry.idempotency_key);
  }
}
