/** Answers as the stage draws them. Pure. */

import type { Mask } from "../geometry/mask";
import type { DrawnRegion } from "../geometry/region";
import { runsOfText } from "../geometry/runs";
import { regionsIn } from "../protocol/regions";
import { type Answer, type Answers, isRegionQuestion, type Question } from "../protocol/types";
import { colourIn } from "./palette";

/** Whether a question is answered on the image. */
export const isDrawn = (question: Question): boolean =>
  isRegionQuestion(question) || question.kind === "segmentation";

export const drawnRegions = (questions: readonly Question[], answers: Answers): DrawnRegion[] =>
  questions.filter(isRegionQuestion).flatMap((question) =>
    regionsIn(answers, question.key).map((region) => ({
      question: question.key,
      kind: question.kind,
      colour: colourIn(questions, question.key, region.label),
      region,
    })),
  );

export const maskIn = (answer: Answer | undefined): Mask | null =>
  answer && typeof answer === "object" && "classes" in answer ? (answer as Mask) : null;

/** A mask without the classes of which nothing is painted; undefined where nothing is at all. */
export const painted = (mask: Mask): Mask | undefined => {
  const classes = Object.entries(mask.classes).filter(
    ([, runs]) => runs !== "" && runsOfText(runs).length > 1,
  );
  return classes.length > 0 ? { ...mask, classes: Object.fromEntries(classes) } : undefined;
};
