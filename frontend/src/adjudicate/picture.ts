/** The case's images with what the sides drew: one colour a letter, dashed for the model. */

import type { Dispute } from "../api/types";
import type { Mask } from "../geometry/mask";
import type { DrawnRegion } from "../geometry/region";
import { type FrameDescription, framesOf, openingIndex } from "../images/frame";
import type { FrameStore } from "../images/store";
import { regionsIn } from "../protocol/regions";
import {
  type Answer,
  type Answers,
  isRegionQuestion,
  type Question,
  type SegmentationQuestion,
} from "../protocol/types";
import { maskIn } from "../read/drawn";
import type { Stage } from "../viewer/stage";
import { newWorkbench } from "../viewer/workbench";
import { say } from "../words/say";
import { combined, diceOf, SHARED } from "./comparing";
import { type JudgingState, lettersIn, MODEL, questionsIn } from "./judging";

const LETTER_COLOURS = ["#56b4e9", "#e69f00", "#cc79a7", "#f0e442", "#d55e00", "#009e73"];
const MODEL_COLOUR = "#b9a9ff";
const SHARED_COLOUR = "#dfe5ec";

/** Of a letter in this case alone: the same reader has another one in the next. */
export const colourOf = (name: string): string => {
  if (name === MODEL) return MODEL_COLOUR;
  return LETTER_COLOURS[(name.charCodeAt(0) - 65) % LETTER_COLOURS.length] ?? SHARED_COLOUR;
};

export const isPainted = (question: Question): question is SegmentationQuestion =>
  question.kind === "segmentation";

/** Masks of one question by whose they are, in the order of the letters. */
export const masksOf = (state: JudgingState, key: string): ReadonlyMap<string, Mask> => {
  const found = new Map<string, Mask>();
  for (const { letter, answers } of state.dispute?.sides ?? []) {
    const mask = maskIn(answers[key]);
    if (mask) found.set(letter, mask);
  }
  const model = maskIn(state.model?.drawn[key] as Answer | undefined);
  if (model) found.set(MODEL, model);
  return found;
};

/** The class that is compared: the chosen one, else the one on which the first two differ the most. */
export const classOf = (state: JudgingState, question: SegmentationQuestion): string => {
  const chosen = state.classes[question.key];
  if (chosen !== undefined) return chosen;
  const [one = null, other = null] = lettersIn(state).map(
    (letter) => masksOf(state, question.key).get(letter) ?? null,
  );
  const ranked = question.classes
    .map(({ value }) => ({ value, dice: diceOf(one, other, value) ?? 2 }))
    .sort((a, b) => a.dice - b.dice);
  return ranked[0]?.value ?? "";
};

export class Picture {
  readonly #store: FrameStore;
  readonly #stage: Stage;
  #frames: readonly FrameDescription[] = [];
  #drawn = "";

  constructor(root: HTMLDivElement, store: FrameStore, onView: () => void) {
    this.#store = store;
    this.#stage = newWorkbench(root, store, null, onView);
  }

  get count(): number {
    return this.#frames.length;
  }

  /** The frame on screen, from 0. */
  get index(): number {
    return this.#stage.view()?.index ?? 0;
  }

  async show(dispute: Dispute): Promise<void> {
    this.#frames = framesOf(dispute.case);
    const at = openingIndex(this.#frames);
    this.#store.prefetch(this.#frames.slice(at, at + 1), 0);
    await this.#stage.show(this.#frames, at);
    this.#stage.use("window");
  }

  goTo(index: number): Promise<void> {
    return this.#stage.goTo(Math.max(0, Math.min(index, this.count - 1)));
  }

  /** Draw what is to be seen now. */
  draw(state: JudgingState): void {
    if (!state.dispute || this.count === 0) return;
    const seen = [
      state.active,
      ...state.visible,
      ...Object.values(state.classes),
      state.model !== null,
    ].join();
    if (seen === this.#drawn) return;
    this.#drawn = seen;
    this.#stage.setRegions(regionsOf(state));
    this.#paint(state);
  }

  #paint(state: JudgingState): void {
    const painted = questionsIn(state).filter(isPainted);
    const question = painted.find(({ key }) => key === state.active) ?? painted[0];
    if (!question) return;
    const layers = [...masksOf(state, question.key)]
      .filter(([name]) => state.visible.has(name))
      .map(([name, mask]) => ({ name, mask }));
    const names = [...layers.map(({ name }) => name), SHARED];
    this.#stage.setMaskQuestion(
      question.key,
      names.map((value) => ({
        value,
        label: value === SHARED ? say("judge_both") : value,
        colour: value === SHARED ? SHARED_COLOUR : colourOf(value),
      })),
    );
    this.#stage.setMask(question.key, combined(layers, classOf(state, question)));
    // Where they agree is not what is to be looked at.
    for (const value of names) this.#stage.setClassStyle(value, { opacity: opacityOf(value, layers.length) });
  }
}

const opacityOf = (value: string, layers: number): number => {
  if (layers < 2) return 0.5;
  return value === SHARED ? 0.3 : 0.85;
};

/** Regions in dispute of those who are to be seen. */
const regionsOf = (state: JudgingState): DrawnRegion[] => {
  const asked = questionsIn(state).filter(isRegionQuestion);
  const said: [string, Answers][] = (state.dispute?.sides ?? []).map(({ letter, answers }) => [
    letter,
    answers,
  ]);
  if (state.model) said.push([MODEL, state.model.drawn as Answers]);
  return said
    .filter(([name]) => state.visible.has(name))
    .flatMap(([name, answers]) =>
      asked.flatMap(({ key, kind }) =>
        regionsIn(answers, key).map((region) => ({ question: key, kind, colour: colourOf(name), region })),
      ),
    );
};
