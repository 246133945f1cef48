/** Colours of labels and classes: told apart with any colour vision (Okabe and Ito 2008), bright on a dark image. */

import { type Choice, isRegionQuestion, type Question } from "../protocol/types";

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

const drawnAs = (question: Question): readonly Choice[] => {
  if (isRegionQuestion(question)) return question.labels;
  return question.kind === "segmentation" ? question.classes : [];
};

/** The protocol's colour of a label, else one of its own among all that the protocol draws. */
export const colourIn = (questions: readonly Question[], key: string, value: string): string => {
  const all = questions.flatMap((question) =>
    drawnAs(question).map((choice) => ({ choice, isIt: question.key === key && choice.value === value })),
  );
  const nth = Math.max(
    0,
    all.findIndex(({ isIt }) => isIt),
  );
  return all[nth]?.choice.color ?? COLOURS[nth % COLOURS.length] ?? COLOURS[0];
};
