/** One case in dispute: what is picked, what is shown, and the acts on it. No page, no pixels. */

import type { DisputeClient } from "../api/disputes";
import { wordsFor } from "../api/problems";
import type { Dispute, ModelAnswer, Standing } from "../api/types";
import type { Question } from "../protocol/types";
import { ActiveClock } from "../read/clock";
import { say } from "../words/say";

export type Dialog = "none" | "return" | "keys";

/** How the model is called among the sides. */
export const MODEL = "M";

export interface JudgingState {
  readonly dispute: Dispute | null;
  /** Whose answer is picked, by question. */
  readonly picks: Readonly<Record<string, string>>;
  /** Key of the question that digits pick for. */
  readonly active: string;
  /** Whose drawings are on the image. */
  readonly visible: ReadonlySet<string>;
  /** Class of a mask that is compared, by question. */
  readonly classes: Readonly<Record<string, string>>;
  readonly model: ModelAnswer | null;
  readonly dialog: Dialog;
  readonly isBusy: boolean;
  readonly notice: string;
  readonly isBad: boolean;
}

export interface JudgingParts {
  readonly client: Pick<DisputeClient, "dispute" | "decide" | "sendBack" | "modelAnswer">;
  readonly now: () => number;
  readonly newKey: () => string;
  /** An act is done: go on to the next case, or to the list. */
  readonly goOn: (next: string | null) => void;
}

const EMPTY: JudgingState = {
  dispute: null,
  picks: {},
  active: "",
  visible: new Set(),
  classes: {},
  model: null,
  dialog: "none",
  isBusy: false,
  notice: "",
  isBad: false,
};

export const questionsIn = ({ dispute }: JudgingState): readonly Question[] =>
  dispute ? dispute.protocol.questions.filter(({ key }) => dispute.keys.includes(key)) : [];

export const lettersIn = ({ dispute }: JudgingState): readonly string[] =>
  dispute?.sides.map(({ letter }) => letter) ?? [];

export const isWhole = (state: JudgingState): boolean =>
  state.dispute?.keys.every((key) => key in state.picks) ?? false;

/** Nobody but its readers acts on a case that is with them, or that they settled. */
export const isOpen = ({ dispute }: JudgingState): boolean =>
  dispute?.state === "open" || dispute?.state === "decided";

export class Judging {
  readonly #parts: JudgingParts;
  readonly #clock = new ActiveClock();
  readonly #listeners: (() => void)[] = [];
  /** What was tried last, and its key. */
  #tried = { said: "", key: "" };
  #state = EMPTY;

  constructor(parts: JudgingParts) {
    this.#parts = parts;
  }

  get state(): JudgingState {
    return this.#state;
  }

  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async open(): Promise<void> {
    try {
      const dispute = await this.#parts.client.dispute();
      this.#clock.restart(0, this.#parts.now());
      const letters = dispute.sides.map(({ letter }) => letter);
      this.#set({ ...EMPTY, dispute, active: dispute.keys[0] ?? "", visible: new Set(letters) });
    } catch (error) {
      this.#set({ notice: wordsFor(error), isBad: true });
    }
  }

  /** A key, a click: the adjudicator is here. */
  present(): void {
    this.#clock.sign(this.#parts.now());
  }

  /** Pick a side for the active question; the keyboard goes to the next that is open. */
  pick(letter: string, key = this.#state.active): void {
    if (!isOpen(this.#state) || !lettersIn(this.#state).includes(letter)) return;
    const picks = { ...this.#state.picks, [key]: letter };
    const open = this.#state.dispute?.keys.find((one) => !(one in picks));
    this.#set({ picks, active: open ?? key, notice: "" });
  }

  turn(step: 1 | -1): void {
    const keys = this.#state.dispute?.keys ?? [];
    const next = keys[(keys.indexOf(this.#state.active) + step + keys.length) % Math.max(1, keys.length)];
    if (next !== undefined) this.#set({ active: next });
  }

  activate(key: string): void {
    if (key !== this.#state.active) this.#set({ active: key });
  }

  /** Both, then one after the other alone, then none. */
  cycle(): void {
    const letters = lettersIn(this.#state);
    const shown = [...this.#state.visible].filter((one) => one !== MODEL);
    const alone = shown.length === 1 ? letters.indexOf(shown[0] ?? "") : -1;
    const next =
      shown.length === 0 ? letters : alone === letters.length - 1 ? [] : [letters[alone + 1] ?? ""];
    this.#show([...next, ...(this.#state.visible.has(MODEL) ? [MODEL] : [])]);
  }

  toggle(name: string): void {
    const visible = [...this.#state.visible];
    this.#show(visible.includes(name) ? visible.filter((one) => one !== name) : [...visible, name]);
  }

  compare(key: string, value: string): void {
    this.#set({ classes: { ...this.#state.classes, [key]: value } });
  }

  openDialog(dialog: Dialog): void {
    if (dialog === "return" && this.#state.dispute?.state !== "open") return;
    this.#set({ dialog, notice: "", isBad: false });
  }

  /** What the model says, once asked for; that it was shown is kept. */
  async showModel(): Promise<void> {
    if (this.#state.model) return this.toggle(MODEL);
    await this.#act(async () => {
      const model = await this.#parts.client.modelAnswer();
      this.#set({ model, visible: new Set([...this.#state.visible, MODEL]) });
    });
  }

  async decide(): Promise<void> {
    const { dispute, picks } = this.#state;
    if (!dispute || !isOpen(this.#state)) return;
    if (!isWhole(this.#state)) {
      this.#set({ notice: say("judge_pick_first"), isBad: false });
      return;
    }
    const seconds = this.#clock.seconds(this.#parts.now());
    const idempotency_key = this.#keyOf(JSON.stringify(picks));
    const body = { idempotency_key, base_version: dispute.version, take: picks, seconds };
    await this.#finish(() => this.#parts.client.decide(body));
  }

  async sendBack(words: string): Promise<void> {
    const { dispute } = this.#state;
    if (dispute?.state !== "open") return;
    const comment = words.trim();
    if (comment === "") {
      this.#set({ notice: say("judge_say_why"), isBad: true });
      return;
    }
    const body = { idempotency_key: this.#keyOf(comment), base_version: dispute.version, comment };
    await this.#finish(() => this.#parts.client.sendBack(body));
  }

  next(): void {
    this.#parts.goOn(this.#state.dispute?.next ?? null);
  }

  async #finish(send: () => Promise<Standing>): Promise<void> {
    await this.#act(async () => {
      const { next } = await send();
      this.#parts.goOn(next);
    });
  }

  async #act(work: () => Promise<void>): Promise<void> {
    if (this.#state.isBusy) return;
    this.#set({ isBusy: true, notice: "", isBad: false });
    try {
      await work();
    } catch (error) {
      this.#set({ notice: wordsFor(error), isBad: true });
    } finally {
      this.#set({ isBusy: false });
    }
  }

  /** The same said again is the same message; anything else is another. */
  #keyOf(said: string): string {
    if (this.#tried.said !== said) this.#tried = { said, key: this.#parts.newKey() };
    return this.#tried.key;
  }

  #show(names: readonly string[]): void {
    this.#set({ visible: new Set(names) });
  }

  #set(change: Partial<JudgingState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
