/** The server's word on what is being edited: it checks and saves nothing. The last question asked is the one answered. */

import { csrfToken } from "./csrf";
import type { Problem } from "./protocol_fields";

export interface Checked {
  readonly problems: readonly Problem[];
  readonly changes: readonly string[];
}

const WAIT_MS = 250;

export class Checker {
  #timer = 0;
  #running: AbortController | null = null;

  constructor(
    private readonly url: string,
    private readonly tell: (checked: Checked) => void,
    private readonly fail: (words: string) => void,
  ) {}

  /** Ask soon; what is asked after this takes its place. */
  ask(document: string): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#timer = window.setTimeout(() => void this.#send(document), WAIT_MS);
  }

  async #send(document: string): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken() },
        body: new URLSearchParams({ document }),
        signal: running.signal,
      });
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      this.tell((await response.json()) as Checked);
    } catch {
      if (!running.signal.aborted)
        this.fail("The server does not answer, or you are signed out: it will be checked when you save.");
    }
  }
}
