/** Expert time: seconds that a reader really spent on a case. */

/** Without a sign of the reader for longer than this, time does not count. */
export const IDLE_AFTER_MS = 60_000;

/** All times are milliseconds of one clock, given by the caller. */
export class ActiveClock {
  #countedMs = 0;
  #runningSince: number | null = null;
  #lastSign = 0;

  /** Start again for another case. seconds: what was spent on it before. */
  restart(seconds: number, now: number): void {
    this.#countedMs = seconds * 1000;
    this.#runningSince = now;
    this.#lastSign = now;
  }

  /** The reader did something. */
  sign(now: number): void {
    if (this.#runningSince !== null && now - this.#lastSign > IDLE_AFTER_MS) this.pause(now);
    this.#runningSince ??= now;
    this.#lastSign = now;
  }

  /** The page cannot be seen, or another case is on screen. */
  pause(now: number): void {
    this.#countedMs += this.#currentMs(now);
    this.#runningSince = null;
  }

  seconds(now: number): number {
    return Math.round((this.#countedMs + this.#currentMs(now)) / 100) / 10;
  }

  /** Whether the reader has been here lately. */
  isActive(now: number): boolean {
    return this.#runningSince !== null && now - this.#lastSign <= IDLE_AFTER_MS;
  }

  #currentMs(now: number): number {
    if (this.#runningSince === null) return 0;
    return Math.max(0, Math.min(now, this.#lastSign + IDLE_AFTER_MS) - this.#runningSince);
  }
}
