/** Values computed from what was drawn, live while reading; the value that counts is the server's. */

import type { Mask } from "../geometry/mask";
import { type Measures, measuresOf, type PixelSize } from "../geometry/measure";
import { outlineOf } from "../geometry/outline";
import type { Region } from "../geometry/region";
import { spansOf } from "../geometry/runs";
import { isMask } from "./masks";
import { regionsIn } from "./regions";
import { type Answers, type ComputedQuestion, isRegionQuestion, type Question } from "./types";

/** What the pixels under a region measure. */
export type SizeOf = (region: Region) => PixelSize;

/** Rows from the first to the last, by image. */
type Extents = ReadonlyMap<string, number>;

const MEASURES: Readonly<Record<string, keyof Measures>> = {
  length: "length",
  long_axis: "longAxis",
  short_axis: "shortAxis",
  angle: "degrees",
  area: "area",
  perimeter: "perimeter",
};

const named = ({ image, frame }: Region): string => `${image}#${frame ?? 1}`;

const regionExtents = (question: Question, regions: readonly Region[]): Extents => {
  if (!isRegionQuestion(question)) return new Map();
  const rows = new Map<string, number[]>();
  for (const region of regions) {
    const spanned = outlineOf(question.kind, region.points).map(([, row]) => row);
    rows.set(named(region), [...(rows.get(named(region)) ?? []), ...spanned]);
  }
  return new Map([...rows].map(([image, all]) => [image, Math.max(...all) - Math.min(...all)]));
};

const maskExtents = (mask: Mask, value: string): Extents => {
  const [slices = 0, rows = 1, columns = 1] = mask.shape;
  const found = new Map<number, { first: number; last: number }>();
  for (const [start, end] of spansOf(mask.classes[value] ?? "AA==", slices * rows * columns)) {
    for (let row = Math.floor(start / columns); row <= Math.floor((end - 1) / columns); row += 1) {
      const slice = Math.floor(row / rows);
      const known = found.get(slice);
      found.set(slice, { first: known?.first ?? row, last: row });
    }
  }
  return new Map(
    [...found].map(([slice, { first, last }]) => {
      const [uid = "", frame = "1"] = (mask.images[slice] ?? "").split("#");
      return [`${uid}#${frame}`, last - first + 1];
    }),
  );
};

const extentsOf = (reference: string, questions: readonly Question[], answers: Answers): Extents => {
  const [key = "", value = ""] = reference.split(":");
  const question = questions.find((one) => one.key === key);
  const answer: unknown = answers[key];
  if (!question) return new Map();
  if (question.kind !== "segmentation") return regionExtents(question, regionsIn(answers, key));
  return isMask(answer) && answer.classes[value] !== undefined ? maskExtents(answer, value) : new Map();
};

const ratio = (of: readonly string[], questions: readonly Question[], answers: Answers): number | null => {
  const [first, second] = of.map((reference) => extentsOf(reference, questions, answers));
  const shared = [...(second ?? [])].filter(([image, rows]) => rows > 0 && first?.has(image));
  const [image, rows] = shared.reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
  return image === "" ? null : (first?.get(image) ?? 0) / rows;
};

const largest = (key: string, measure: string, question: Question, answers: Answers, sizeOf: SizeOf) => {
  if (!isRegionQuestion(question)) return null;
  const name = MEASURES[measure.replace(/_(mm2?|px2?|deg)$/, "")];
  const values = regionsIn(answers, key).flatMap((region) => {
    const size = sizeOf(region);
    if (measure.includes("_mm") && size.of === "pixels") return [];
    const value = name && measuresOf(question.kind, region.points, size)[name];
    return value === undefined ? [] : [value];
  });
  return values.length > 0 ? Math.max(...values) : null;
};

/** The value; null where what it needs was not drawn. */
export const computedValue = (
  { formula }: ComputedQuestion,
  questions: readonly Question[],
  answers: Answers,
  sizeOf: SizeOf,
): number | null => {
  if (formula.op === "vertical_ratio") return ratio(formula.of, questions, answers);
  const question = questions.find(({ key }) => key === formula.of);
  return question ? largest(formula.of, formula.measure, question, answers, sizeOf) : null;
};
