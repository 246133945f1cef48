/** Which questions are asked, given what is answered before them. */

import { type Answers, type Condition, isPlain, type Question } from "./types";

type Said = string | number;
/** By question: what conditions can see of its answer; null where there is none. */
type SaidOf = Readonly<Record<string, ReadonlySet<Said> | null>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const hasNoClass = (answer: Readonly<Record<string, unknown>>): boolean =>
  isRecord(answer.classes) && Object.keys(answer.classes).length === 0;

/** Whether an answer says nothing: absent, blank words, an empty list or object, a mask without classes. */
export const isEmpty = (answer: unknown): boolean => {
  if (typeof answer === "string") return answer.trim() === "";
  if (Array.isArray(answer)) return answer.length === 0;
  if (isRecord(answer)) return Object.keys(answer).length === 0 || hasNoClass(answer);
  return answer === undefined || answer === null;
};

const isSaid = (value: unknown): value is Said => typeof value === "string" || typeof value === "number";

/** Of regions and masks only that they are there. */
const saidTo = (question: Question, answers: Answers): ReadonlySet<Said> | null => {
  const answer: unknown = answers[question.key];
  if (isEmpty(answer)) return null;
  if (!isPlain(question)) return new Set();
  const given = question.scope === "image" && isRecord(answer) ? Object.values(answer) : [answer];
  return new Set(given.flat().filter(isSaid));
};

const ofOne = (condition: Extract<Condition, { question: string }>, said: SaidOf): boolean => {
  const answer = said[condition.question];
  if (!answer) return false;
  if ("answered" in condition) return true;
  const wanted = "in" in condition ? condition.in : [condition.is];
  return wanted.some((value) => answer.has(value));
};

const holds = (condition: Condition, said: SaidOf): boolean => {
  if ("all" in condition) return condition.all.every((part) => holds(part, said));
  if ("any" in condition) return condition.any.some((part) => holds(part, said));
  return "not" in condition ? !holds(condition.not, said) : ofOne(condition, said);
};

/** The questions whose conditions hold, in order: computed ones among them, which nobody answers. */
export const askedOf = (questions: readonly Question[], answers: Answers): readonly Question[] => {
  const said: Record<string, ReadonlySet<Said> | null> = {};
  return questions.filter((question) => {
    const isOpen = !question.when || holds(question.when, said);
    said[question.key] = isOpen && question.kind !== "computed" ? saidTo(question, answers) : null;
    return isOpen;
  });
};

/** What of the entered answers is sent: what says something, to questions that are asked. */
export const askedAnswers = (questions: readonly Question[], entered: Answers): Answers =>
  Object.fromEntries(
    askedOf(questions, entered).flatMap(({ key, kind }) => {
      const answer = entered[key];
      return answer === undefined || isEmpty(answer) || kind === "computed" ? [] : [[key, answer]];
    }),
  );
