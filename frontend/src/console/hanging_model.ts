/** Hanging rules while they are edited: rows of JSON, and the changes that the form makes. Pure. */

import { type Row, rowOf } from "./protocol_model";

/** Conditions that are lists of codes, words or views. */
export type ListField = "modality" | "body_part" | "description" | "laterality" | "view" | "views";

/** raises: SyntaxError, or Error where the JSON is no list of rules. */
export const parsed = (text: string): readonly Row[] => {
  const value: unknown = JSON.parse(text);
  const isRules =
    Array.isArray(value) &&
    value.every((row) => typeof row === "object" && row !== null && !Array.isArray(row));
  if (!isRules) throw new Error("rules are a list of objects");
  return value as readonly Row[];
};

export const written = (rules: readonly Row[]): string => JSON.stringify(rules, null, 2);

const whenOf = (rule: Row): Row => rowOf(rule, "when") ?? {};

/** A field of a row; undefined leaves it out. */
export const put = (row: Row, field: string, value: unknown): Row => {
  const { [field]: _, ...rest } = row;
  return value === undefined ? rest : { ...rest, [field]: value };
};

export const conditionOf = (rule: Row, field: string): unknown => whenOf(rule)[field];

export const withCondition = (rule: Row, field: string, value: unknown): Row => {
  const when = put(whenOf(rule), field, value);
  const { layout, preset, play, ...rest } = put(
    rule,
    "when",
    Object.keys(when).length > 0 ? when : undefined,
  );
  // In the order in which they are read: what it is, when it holds, what it does.
  return {
    ...rest,
    layout,
    ...(preset === undefined ? {} : { preset }),
    ...(play === undefined ? {} : { play }),
  };
};

/** A list as it is typed: parts between commas. */
export const wordsOf = (rule: Row, field: ListField): string => {
  const value = conditionOf(rule, field);
  return Array.isArray(value) ? value.join(", ") : "";
};

export const withWords = (rule: Row, field: ListField, text: string): Row => {
  const parts = text
    .split(",")
    .map((part) => part.trim().replace(/\s+/g, " ").toUpperCase())
    .filter((part) => part !== "");
  return withCondition(rule, field, parts.length > 0 ? [...new Set(parts)] : undefined);
};

export const newRule = (rules: readonly Row[]): Row => {
  const names = rules.map(({ name }) => name);
  let number = rules.length + 1;
  while (names.includes(`Rule ${number}`)) number += 1;
  return { name: `Rule ${number}`, layout: "stack" };
};
