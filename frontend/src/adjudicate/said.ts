/** What a side says of a question, in words. Pure. */

import type { Side } from "../api/types";
import { regionsIn } from "../protocol/regions";
import { type Answer, choicesOf, isRegionQuestion, type Question } from "../protocol/types";
import { maskIn } from "../read/drawn";
import { many, say } from "../words/say";
import { voxelsOf } from "./comparing";

const labelled = (question: Question, value: string): string =>
  choicesOf(question).find((choice) => choice.value === value)?.label ?? value;

const plain = (question: Question, answer: Answer): string => {
  if (Array.isArray(answer)) {
    const values = answer as readonly string[];
    return values.length === 0
      ? say("judge_none_of_them")
      : values.map((one) => labelled(question, one)).join(", ");
  }
  if (typeof answer === "object")
    return Object.values(answer)
      .map((one) => plain(question, one))
      .join(" · ");
  const unit = question.kind === "number" && question.unit ? ` ${question.unit}` : "";
  return typeof answer === "number" ? `${answer}${unit}` : labelled(question, String(answer));
};

const counted = (words: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => (count > 1 ? `${count} × ${word}` : word)).join(", ");
};

const drawn = (question: Question, answers: Side["answers"]): string => {
  const regions = regionsIn(answers, question.key);
  if (regions.length === 0) return say("judge_nothing_drawn");
  return counted(regions.map(({ label }) => labelled(question, label)));
};

/** value: of a mask, the class that is compared. */
export const saidIn = (question: Question, answers: Side["answers"], value = ""): string => {
  const answer = answers[question.key];
  if (isRegionQuestion(question)) return drawn(question, answers);
  if (question.kind === "segmentation") return many("judge_pixels", voxelsOf(maskIn(answer), value));
  return answer === undefined ? say("judge_no_answer") : plain(question, answer);
};
