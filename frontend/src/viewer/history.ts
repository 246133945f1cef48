/** What can be undone on one case. */

export interface Act {
  /** The case's frame on which it was done: shown before it is undone. */
  readonly frame: number;
  readonly undo: () => void;
  readonly redo: () => void;
}

/** Acts beyond this are forgotten. */
const DEPTH = 100;

export class History {
  #done: Act[] = [];
  #undone: Act[] = [];

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  add(act: Act): void {
    this.#done = [...this.#done, act].slice(-DEPTH);
    this.#undone = [];
  }

  /** Show the last act's frame, then take it back. */
  async undo(show: (frame: number) => Promise<void>): Promise<void> {
    await this.#step(this.#done, this.#undone, show, (act) => act.undo());
  }

  async redo(show: (frame: number) => Promise<void>): Promise<void> {
    await this.#step(this.#undone, this.#done, show, (act) => act.redo());
  }

  clear(): void {
    this.#done = [];
    this.#undone = [];
  }

  async #step(
    from: Act[],
    to: Act[],
    show: (frame: number) => Promise<void>,
    change: (act: Act) => void,
  ): Promise<void> {
    const act = from.at(-1);
    if (!act) return;
    await show(act.frame);
    // Something else may have happened while the frame came on screen.
    if (from.at(-1) !== act || (from !== this.#done && from !== this.#undone)) return;
    from.pop();
    to.push(act);
    change(act);
  }
}
