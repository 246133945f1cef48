/** Regions of an answer, and whether one has its kind's form. */

import type { Region, RegionKind } from "../geometry/region";
import type { Answers } from "./types";

const MOST_POINTS = 10_000;
const FARTHEST = 1e6;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UID = /^[0-9.]{1,64}$/;
const FIELDS = ["id", "label", "image", "frame", "points", "attributes", "origin"];
const ORIGINS: readonly unknown[] = ["reader", "suggestion", "edited"];

const POINTS: Readonly<Record<RegionKind, readonly [fewest: number, most: number]>> = {
  point: [1, 1],
  line: [2, 2],
  bidirectional: [4, 4],
  angle: [3, 4],
  box: [2, 2],
  ellipse: [4, 4],
  polygon: [3, MOST_POINTS],
  freehand: [3, MOST_POINTS],
};

export const regionsIn = (answers: Answers, key: string): readonly Region[] => {
  const answer = answers[key];
  return Array.isArray(answer) ? (answer as readonly Region[]) : [];
};

type Pairs = readonly (readonly [number, number])[];
const AXES: Pairs = [
  [0, 1],
  [2, 3],
];
const ARMS: Pairs = [
  [0, 1],
  [1, 2],
];
/** Points that must not fall together. */
const pairsOf = (kind: RegionKind, count: number): Pairs => {
  if (kind === "line") return [[0, 1]];
  if (kind === "angle") return count === 3 ? ARMS : AXES;
  return kind === "bidirectional" || kind === "ellipse" ? AXES : [];
};

type Point = readonly number[];

const isPoint = (point: unknown): point is Point =>
  Array.isArray(point) &&
  point.length === 2 &&
  point.every((value) => typeof value === "number" && Math.abs(value) <= FARTHEST);

const isFlat = (kind: RegionKind, points: readonly Point[]): boolean => {
  const [first = [], second = []] = points;
  if (kind === "box") return first[0] === second[0] || first[1] === second[1];
  return pairsOf(kind, points.length).some(([one, other]) => String(points[one]) === String(points[other]));
};

const isShape = (kind: RegionKind, points: unknown): boolean => {
  const [fewest, most] = POINTS[kind];
  if (!Array.isArray(points) || points.length < fewest || points.length > most) return false;
  return points.every(isPoint) && !isFlat(kind, points);
};

const isNamed = ({ id, image, label }: Readonly<Record<string, unknown>>): boolean =>
  typeof id === "string" &&
  ID.test(id) &&
  typeof image === "string" &&
  UID.test(image) &&
  typeof label === "string";

const hasSoundRest = ({
  frame = 1,
  attributes = {},
  origin = "reader",
}: Readonly<Record<string, unknown>>): boolean =>
  Number.isInteger(frame) &&
  (frame as number) >= 1 &&
  typeof attributes === "object" &&
  ORIGINS.includes(origin);

export const isRegion = (kind: RegionKind, answer: unknown): boolean => {
  if (typeof answer !== "object" || answer === null) return false;
  const region = answer as Readonly<Record<string, unknown>>;
  const hasOnlyFields = Object.keys(region).every((field) => FIELDS.includes(field));
  return hasOnlyFields && isNamed(region) && hasSoundRest(region) && isShape(kind, region.points);
};
