/** What is wrong with answers: the same codes, at the same places, as the server's check (annotation/projects/answers.py). */

import { askedOf, isEmpty } from "./conditions";
import { isImage, isMask } from "./masks";
import { isRegion } from "./regions";
import {
  type Answers,
  isRegionQuestion,
  isRequired,
  type MultiQuestion,
  type NumberQuestion,
  type Question,
  type RegionQuestion,
  type SegmentationQuestion,
  type TextQuestion,
} from "./types";

export type ProblemCode =
  | "missing"
  | "not_asked"
  | "unknown_question"
  | "unknown_image"
  | "not_a_choice"
  | "too_few"
  | "too_many"
  | "below_min"
  | "above_max"
  | "not_a_number"
  | "not_text"
  | "too_long"
  | "bad_region"
  | "bad_mask"
  | "unknown_label";

export interface Problem {
  /** A path: "finding", "nodules.0.texture". */
  readonly at: string;
  readonly code: ProblemCode;
}

const DEFAULT_LENGTH = 2000;

const when = (at: string, code: ProblemCode, isWrong: boolean): Problem[] => (isWrong ? [{ at, code }] : []);

const values = (choices: readonly { readonly value: string }[]): readonly unknown[] =>
  choices.map(({ value }) => value);

const ofCount = (count: number, { min, max }: MultiQuestion | RegionQuestion, at: string): Problem[] => [
  ...when(at, "too_few", count < (min ?? 0)),
  ...when(at, "too_many", count > (max ?? Number.POSITIVE_INFINITY)),
];

const ofMulti = (question: MultiQuestion, answer: unknown, at: string): Problem[] => {
  const allowed = values(question.choices);
  const isSound =
    Array.isArray(answer) &&
    answer.every((value) => allowed.includes(value)) &&
    new Set(answer).size === answer.length;
  return isSound ? ofCount(answer.length, question, at) : [{ at, code: "not_a_choice" }];
};

const ofNumber = ({ min, max }: NumberQuestion, answer: unknown, at: string): Problem[] => {
  if (typeof answer !== "number" || !Number.isFinite(answer)) return [{ at, code: "not_a_number" }];
  if (answer < (min ?? Number.NEGATIVE_INFINITY)) return [{ at, code: "below_min" }];
  return when(at, "above_max", answer > (max ?? Number.POSITIVE_INFINITY));
};

/** Characters are counted, not code units. */
const ofText = ({ max_length }: TextQuestion, answer: unknown, at: string): Problem[] => {
  if (typeof answer !== "string") return [{ at, code: "not_text" }];
  return when(at, "too_long", [...answer].length > (max_length ?? DEFAULT_LENGTH));
};

const idOf = (region: unknown): unknown => (region as { readonly id?: unknown } | null)?.id;

const ofAttributes = (question: RegionQuestion, given: Answers, at: string): Problem[] => {
  const attributes = question.attributes ?? [];
  const known = attributes.map(({ key }) => key);
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  return [
    ...attributes.flatMap((attribute) => ofOpen(attribute, given[attribute.key], `${at}.${attribute.key}`)),
    ...unknown.sort().map((key) => ({ at: `${at}.${key}`, code: "unknown_question" as const })),
  ];
};

const ofRegion = (question: RegionQuestion, answer: unknown, at: string, isAgain: boolean): Problem[] => {
  if (!isRegion(question.kind, answer)) return [{ at, code: "bad_region" }];
  const { label, attributes } = answer as { readonly label: string; readonly attributes?: Answers };
  return [
    ...when(at, "bad_region", isAgain),
    ...when(at, "unknown_label", !values(question.labels).includes(label)),
    ...ofAttributes(question, attributes ?? {}, at),
  ];
};

const ofRegions = (question: RegionQuestion, answer: unknown, at: string): Problem[] => {
  if (!Array.isArray(answer)) return [{ at, code: "bad_region" }];
  const ids = answer.map(idOf);
  return [
    ...ofCount(answer.length, question, at),
    ...answer.flatMap((region: unknown, nth) =>
      ofRegion(question, region, `${at}.${nth}`, ids.indexOf(idOf(region)) < nth),
    ),
  ];
};

const ofMask = (question: SegmentationQuestion, answer: unknown, at: string): Problem[] => {
  if (!isMask(answer)) return [{ at, code: "bad_mask" }];
  const known = values(question.classes);
  const unknown = Object.keys(answer.classes).filter((value) => !known.includes(value));
  return unknown.map(() => ({ at, code: "unknown_label" as const }));
};

const ofAnswer = (question: Question, answer: unknown, at: string): Problem[] => {
  if (isRegionQuestion(question)) return ofRegions(question, answer, at);
  if (question.kind === "multi") return ofMulti(question, answer, at);
  if (question.kind === "number") return ofNumber(question, answer, at);
  if (question.kind === "text") return ofText(question, answer, at);
  if (question.kind === "segmentation") return ofMask(question, answer, at);
  return question.kind === "computed"
    ? []
    : when(at, "not_a_choice", !values(question.choices).includes(answer));
};

const ofImages = (question: Question, answer: unknown): Problem[] => {
  const at = question.key;
  if (typeof answer !== "object" || answer === null || Array.isArray(answer))
    return [{ at, code: "unknown_image" }];
  return Object.entries(answer).flatMap(([image, value]) =>
    isImage(image)
      ? ofAnswer(question, value, `${at}.${image}`)
      : [{ at: `${at}.${image}`, code: "unknown_image" as const }],
  );
};

/** Of a question that is asked. */
const ofOpen = (question: Question, answer: unknown, at: string): Problem[] => {
  if (isEmpty(answer)) return when(at, "missing", isRequired(question));
  return question.scope === "image" ? ofImages(question, answer) : ofAnswer(question, answer, at);
};

/** Everything that is wrong with answers, in the order of the questions; unknown ones last. */
export const problemsOf = (questions: readonly Question[], answers: Answers): readonly Problem[] => {
  const asked = askedOf(questions, answers);
  const known = questions.flatMap((question) => {
    const answer = answers[question.key];
    return asked.includes(question) && question.kind !== "computed"
      ? ofOpen(question, answer, question.key)
      : when(question.key, "not_asked", !isEmpty(answer));
  });
  const keys = questions.map(({ key }) => key);
  const unknown = Object.keys(answers).filter((key) => !keys.includes(key));
  return [...known, ...unknown.sort().map((at) => ({ at, code: "unknown_question" as const }))];
};
