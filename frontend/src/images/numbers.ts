/** Attributes read by keyword: what is absent or of another kind is undefined. */

import type { Attributes } from "../api/types";

/** One attribute's first number; undefined where it is absent. */
export const numberOf = (attributes: Attributes, keyword: string): number | undefined =>
  numbersOf(attributes, keyword)?.[0];

/** All numbers of an attribute; undefined where it is absent or not numeric. */
export const numbersOf = (attributes: Attributes, keyword: string): readonly number[] | undefined => {
  const value = attributes[keyword];
  const list = Array.isArray(value) ? value : [value];
  const isNumeric =
    list.length > 0 && list.every((item) => typeof item === "number" && Number.isFinite(item));
  return isNumeric ? (list as number[]) : undefined;
};

export const textOf = (attributes: Attributes, keyword: string): string | undefined => {
  const value = attributes[keyword];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" && first !== "" ? first : undefined;
};
