/** Whether a mask is whole: sizes agree, every code is readable, no voxel has two classes. */

import type { Mask } from "../geometry/mask";
import { BadRuns, runsOfText, spansOf } from "../geometry/runs";

const LARGEST_MASK = 2 ** 31;
const IMAGE = /^[0-9.]{1,64}(#[1-9][0-9]{0,6})?$/;
const FIELDS = ["shape", "images", "classes"];

type Span = readonly [start: number, end: number];

export const isImage = (name: string): boolean => IMAGE.test(name);

const isLaidOut = ({ shape, images, classes }: Partial<Mask>): boolean => {
  const isShape =
    Array.isArray(shape) && shape.length === 3 && shape.every((size) => Number.isInteger(size) && size > 0);
  if (!isShape || !Array.isArray(images) || typeof classes !== "object") return false;
  const isNamed = images.length === shape[0] && new Set(images).size === images.length;
  return isNamed && images.every(isImage) && shape.reduce((a, b) => a * b) <= LARGEST_MASK;
};

/** raises: BadRuns where the runs do not cover the mask exactly, or one after the first is empty. */
const spansIn = (text: string, size: number): Span[] => {
  if (
    runsOfText(text)
      .slice(1)
      .some((length) => length < 1)
  )
    throw new BadRuns("A run is empty");
  return spansOf(text, size);
};

const areDisjoint = (found: readonly Span[]): boolean => {
  const sorted = [...found].sort((a, b) => a[0] - b[0]);
  return sorted.every(([start], nth) => start >= (sorted[nth - 1]?.[1] ?? 0));
};

export const isMask = (answer: unknown): answer is Mask => {
  if (typeof answer !== "object" || answer === null) return false;
  const mask = answer as Partial<Mask>;
  if (!Object.keys(mask).every((field) => FIELDS.includes(field)) || !isLaidOut(mask)) return false;
  const size = (mask.shape ?? []).reduce((a, b) => a * b, 1);
  try {
    return areDisjoint(Object.values(mask.classes ?? {}).flatMap((runs) => spansIn(runs, size)));
  } catch (error) {
    if (error instanceof BadRuns) return false;
    throw error;
  }
};
