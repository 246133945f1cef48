/** Where the keyboard can be: one stop a question, and one an attribute of the chosen region. Pure. */

import type { Region } from "../geometry/region";
import { askedOf, isEmpty } from "../protocol/conditions";
import { regionsIn } from "../protocol/regions";
import {
  type Answer,
  type Answers,
  choicesOf,
  type ImageAnswers,
  isChoice,
  isRegionQuestion,
  type PlainAnswer,
  type Question,
} from "../protocol/types";

export interface Stop {
  /** The question's key, or "key/region/attribute". */
  readonly path: string;
  /** What is asked here: the question, or the attribute. */
  readonly question: Question;
  /** The chosen region that the attribute is of; "" for a question. */
  readonly region: string;
}

/** The place on screen that answers depend on. */
export interface Spot {
  /** The chosen region's id, "" for none. */
  readonly region: string;
  /** The image on screen: "<SOP Instance UID>", or with "#<frame>" where an instance has several. */
  readonly image: string;
}

const attributeStops = (question: Question, answers: Answers, region: string): readonly Stop[] => {
  if (!isRegionQuestion(question)) return [];
  if (!regionsIn(answers, question.key).some(({ id }) => id === region)) return [];
  return (question.attributes ?? []).map((attribute) => ({
    path: `${question.key}/${region}/${attribute.key}`,
    question: attribute,
    region,
  }));
};

/** All stops of a case, in order; computed values are none. */
export const stopsOf = (
  questions: readonly Question[],
  answers: Answers,
  { region }: Spot,
): readonly Stop[] =>
  askedOf(questions, answers)
    .filter(({ kind }) => kind !== "computed")
    .flatMap((question) => [
      { path: question.key, question, region: "" },
      ...attributeStops(question, answers, region),
    ]);

const ownerOf = (stop: Stop): string => stop.path.split("/")[0] ?? "";

/** What is answered at a stop; of a question by image, for the image on screen. */
export const answerAt = (answers: Answers, stop: Stop, { image }: Spot): Answer | undefined => {
  if (stop.region !== "") {
    const region = regionsIn(answers, ownerOf(stop)).find(({ id }) => id === stop.region);
    return region?.attributes[stop.question.key] as Answer | undefined;
  }
  const answer = answers[stop.question.key];
  return stop.question.scope === "image" ? (answer as ImageAnswers | undefined)?.[image] : answer;
};

const without = <T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

/** A record with another value at a key; nothing and what is empty take the key away. */
export const put = <T>(
  record: Readonly<Record<string, T>>,
  key: string,
  value: T | undefined,
): Record<string, T> =>
  value === undefined || isEmpty(value) ? without(record, key) : { ...record, [key]: value };

const withAttribute = (answers: Answers, stop: Stop, value: PlainAnswer | undefined): Answers => {
  const owner = ownerOf(stop);
  const regions = regionsIn(answers, owner).map((region) => {
    if (region.id !== stop.region) return region;
    return { ...region, attributes: put(region.attributes, stop.question.key, value) };
  });
  return { ...answers, [owner]: regions as readonly Region[] };
};

/** The answers with another one at a stop; an empty one takes it away. */
export const withAnswer = (
  answers: Answers,
  stop: Stop,
  value: Answer | undefined,
  { image }: Spot,
): Answers => {
  if (stop.region !== "") return withAttribute(answers, stop, value as PlainAnswer | undefined);
  const { key, scope } = stop.question;
  if (scope !== "image") return put(answers, key, value);
  const known = (answers[key] ?? {}) as ImageAnswers;
  return put<Answer>(answers, key, put(known, image, value as PlainAnswer | undefined));
};

/** What a digit makes of an answer: one of the choices, or one more or less of several. nth counts from 0. */
export const chosen = (question: Question, answer: Answer | undefined, nth: number): Answer | undefined => {
  const choice = choicesOf(question)[nth];
  if (!choice || question.kind !== "multi") return choice?.value;
  const values = Array.isArray(answer) ? (answer as readonly string[]) : [];
  const isTaken = values.includes(choice.value);
  return question.choices
    .map(({ value }) => value)
    .filter((value) => (value === choice.value ? !isTaken : values.includes(value)));
};

/** Whether one key answers it: then the keyboard moves on by itself. */
export const isOneKey = (question: Question): boolean => isChoice(question);

/** The stop after an answered one: the next that is open; else the same, where all is answered. */
export const nextOpen = (stops: readonly Stop[], answers: Answers, spot: Spot, after: string): string => {
  const from = stops.findIndex(({ path }) => path === after);
  const ordered = [...stops.slice(from + 1), ...stops.slice(0, Math.max(0, from))];
  const open = ordered.find((stop) => isEmpty(answerAt(answers, stop, spot)) && isWanted(stop));
  return open?.path ?? after;
};

/** The stop that a case opens at: the first that is open and wanted, else the first. */
export const firstOpen = (stops: readonly Stop[], answers: Answers, spot: Spot): string => {
  const open = stops.find((stop) => isEmpty(answerAt(answers, stop, spot)) && isWanted(stop));
  return (open ?? stops[0])?.path ?? "";
};

const isWanted = ({ question }: Stop): boolean => question.required ?? true;

/** The stop that a problem is at; "" where it is nowhere on screen. */
export const stopOfProblem = (
  at: string,
  answers: Answers,
): { readonly path: string; readonly region: string } => {
  const [key = "", nth = "", attribute = ""] = at.split(".");
  const region = regionsIn(answers, key)[Number(nth)]?.id ?? "";
  return region !== "" && attribute !== ""
    ? { path: `${key}/${region}/${attribute}`, region }
    : { path: key, region };
};
