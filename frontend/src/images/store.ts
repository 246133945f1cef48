/** Decoded frames in memory: fetched in priority order, dropped when useless, capped. */

import { isAborted } from "../api/problems";
import type { FrameAddress, FrameDescription } from "./frame";
import { type DecodedFrame, decode } from "./pixels";

export type FetchFrame = (address: FrameAddress, signal: AbortSignal) => Promise<ArrayBuffer>;

/** Lower is sooner. */
export type Priority = number;

interface Request {
  readonly frame: FrameDescription;
  readonly promise: Promise<DecodedFrame>;
  readonly resolve: (frame: DecodedFrame) => void;
  readonly reject: (error: unknown) => void;
  readonly abort: AbortController;
  priority: Priority;
}

export interface StoreLimits {
  readonly bytes: number;
  readonly parallel: number;
}

export const STORE_LIMITS: StoreLimits = { bytes: 768 * 1024 * 1024, parallel: 6 };

export class FrameStore {
  readonly #fetch: FetchFrame;
  readonly #limits: StoreLimits;
  /** In the order of last use: the first is the first to go. */
  readonly #held = new Map<string, DecodedFrame>();
  readonly #waiting = new Map<string, Request>();
  readonly #running = new Map<string, Request>();
  readonly #listeners: (() => void)[] = [];
  #bytes = 0;

  constructor(fetchFrame: FetchFrame, limits: StoreLimits = STORE_LIMITS) {
    this.#fetch = fetchFrame;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** The frame where it is in memory. */
  peek(id: string): DecodedFrame | undefined {
    return this.#held.get(id);
  }

  /** Told whenever a frame has come into memory. */
  onHeld(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The frame, from memory or from the server. */
  get(frame: FrameDescription, priority: Priority = 0): Promise<DecodedFrame> {
    const held = this.#held.get(frame.id);
    if (held) {
      this.#touch(frame.id, held);
      return Promise.resolve(held);
    }
    const request = this.#requestFor(frame, priority);
    this.#pump();
    return request.promise;
  }

  /** Ask for frames ahead of need; a failure is met again when the frame is really wanted. */
  prefetch(frames: readonly FrameDescription[], priority: Priority): void {
    for (const frame of frames) {
      if (!this.#held.has(frame.id)) this.get(frame, priority).catch(() => undefined);
    }
  }

  /** Forget every frame and request whose case is not among these. Returns the forgotten ids. */
  keepOnly(caseIds: ReadonlySet<string>): string[] {
    const isUseless = ({ address }: FrameDescription): boolean => !caseIds.has(address.caseId);
    for (const request of [...this.#waiting.values(), ...this.#running.values()]) {
      if (isUseless(request.frame)) this.#drop(request);
    }
    const useless = [...this.#held.keys()].filter((id) => !caseIds.has(id.slice(6).split("/")[0] ?? ""));
    for (const id of useless) this.#release(id);
    return useless;
  }

  #requestFor(frame: FrameDescription, priority: Priority): Request {
    const running = this.#running.get(frame.id) ?? this.#waiting.get(frame.id);
    if (running) {
      running.priority = Math.min(running.priority, priority);
      return running;
    }
    const { promise, resolve, reject } = settleable<DecodedFrame>();
    const request = { frame, promise, resolve, reject, abort: new AbortController(), priority };
    this.#waiting.set(frame.id, request);
    return request;
  }

  #pump(): void {
    while (this.#running.size < this.#limits.parallel && this.#waiting.size > 0) {
      const next = [...this.#waiting.values()].reduce((a, b) => (b.priority < a.priority ? b : a));
      this.#waiting.delete(next.frame.id);
      this.#running.set(next.frame.id, next);
      void this.#run(next);
    }
  }

  async #run(request: Request): Promise<void> {
    try {
      const bytes = await this.#fetch(request.frame.address, request.abort.signal);
      const decoded = decode(bytes, request.frame.attributes);
      if (!request.abort.signal.aborted) this.#hold(request.frame.id, decoded);
      request.resolve(decoded);
    } catch (error) {
      request.reject(error);
    } finally {
      if (this.#running.get(request.frame.id) === request) this.#running.delete(request.frame.id);
      this.#pump();
    }
  }

  #drop(request: Request): void {
    const reason = new DOMException("The case is not needed any more", "AbortError");
    this.#waiting.delete(request.frame.id);
    this.#running.delete(request.frame.id);
    request.promise.catch((error: unknown) => isAborted(error));
    request.abort.abort(reason);
    request.reject(reason);
  }

  #touch(id: string, frame: DecodedFrame): void {
    this.#held.delete(id);
    this.#held.set(id, frame);
  }

  #hold(id: string, frame: DecodedFrame): void {
    this.#held.set(id, frame);
    this.#bytes += frame.bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#limits.bytes || oldest === id) break;
      this.#release(oldest);
    }
    for (const listener of this.#listeners) listener();
  }

  #release(id: string): void {
    this.#bytes -= this.#held.get(id)?.bytes ?? 0;
    this.#held.delete(id);
  }
}

const settleable = <T>() => {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
