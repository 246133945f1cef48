/** Colours of labels and classes: told apart with any colour vision (Okabe and Ito 2008), bright on a dark image. */

import type { Choice, Question } from "../protocol/types";
import { choicesOf } from "../protocol/types";

const COLOURS = [
  "#56b4e9",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#f0e442",
  "#d55e00",
  "#8f7ee7",
  "#bfc7cf",
] as const;

export const colourOf = (choices: readonly Choice[], value: string): string => {
  const nth = choices.findIndex((choice) => choice.value === value);
  return choices[nth]?.color ?? COLOURS[Math.max(0, nth) % COLOURS.length] ?? COLOURS[0];
};

export const colourIn = (question: Question, value: string): string => colourOf(choicesOf(question), value);
