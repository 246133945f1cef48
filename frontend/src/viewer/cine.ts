/** Plays frames one after another: as fast as asked, never faster than they can be drawn. */

export class Cine {
  readonly #step: () => Promise<void>;
  readonly #now: () => number;
  readonly #wait: (milliseconds: number) => Promise<void>;
  #playing = 0;
  framesPerSecond = 15;

  constructor(step: () => Promise<void>, now: () => number, wait: (milliseconds: number) => Promise<void>) {
    this.#step = step;
    this.#now = now;
    this.#wait = wait;
  }

  get isPlaying(): boolean {
    return this.#playing !== 0;
  }

  play(framesPerSecond: number): void {
    this.framesPerSecond = framesPerSecond;
    if (this.isPlaying) return;
    this.#playing = this.#now() || 1;
    void this.#run(this.#playing);
  }

  pause(): void {
    this.#playing = 0;
  }

  async #run(turn: number): Promise<void> {
    while (this.#playing === turn) {
      const due = this.#now() + 1000 / this.framesPerSecond;
      await this.#step();
      await this.#wait(Math.max(0, due - this.#now()));
    }
  }
}
