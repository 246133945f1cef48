/** Holds the room's state and tells who listens. */

import { FIRST_STATE, type RoomState } from "./state";

export class StateCell {
  readonly #listeners: (() => void)[] = [];
  #state: RoomState = FIRST_STATE;

  get state(): RoomState {
    return this.#state;
  }

  set(change: Partial<RoomState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }

  say(text: string, tone: "plain" | "warn" | "bad" = "plain"): void {
    this.set({ notice: { text, tone } });
  }
}
