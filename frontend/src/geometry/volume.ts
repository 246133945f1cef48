/** Slices as one volume: whether they make one, and how it lies in the patient. */

import type { Axis, Index3 } from "./painting";
import { type ImagePlane, normalOf, positionAlong } from "./plane";
import type { DirectionLps } from "./units";

/** A voxel grid along an acquisition's own axes: columns, rows, slices. */
export interface Grid {
  readonly size: Index3;
  /** Distance of neighbours along each axis. */
  readonly spacingMm: Index3;
  /** Where each axis grows to in the patient. */
  readonly directions: readonly [DirectionLps, DirectionLps, DirectionLps];
}

export type PlaneName = "axial" | "coronal" | "sagittal";

/** How one plane of a grid is laid on a screen. */
export interface PlaneView {
  readonly name: PlaneName;
  /** Axis that is looked along, and those that run across and down. */
  readonly through: Axis;
  readonly across: Axis;
  readonly down: Axis;
  readonly isAcrossReversed: boolean;
  readonly isDownReversed: boolean;
}

/** Slice distances may differ from their mean by this share: positions are written in decimals. */
const TOLERANCE = 0.02;
/** Directions may differ by this much (about half a degree). */
const PARALLEL = 1e-4;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, nth) => sum + value * (b[nth] ?? 0), 0);

/** Of directions whose length is 1 only as far as their decimals go. */
const cosine = (a: readonly number[], b: readonly number[]): number =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const areParallel = (a: ImagePlane, b: ImagePlane): boolean =>
  cosine(a.alongRow, b.alongRow) > 1 - PARALLEL && cosine(a.alongColumn, b.alongColumn) > 1 - PARALLEL;

const haveOneSize = (a: ImagePlane, b: ImagePlane): boolean =>
  a.rowSpacing === b.rowSpacing && a.columnSpacing === b.columnSpacing;

/** Whether positions move along the normal alone: a tilted gantry's do not. */
const isSheared = (first: ImagePlane, last: ImagePlane): boolean => {
  const offset = [0, 1, 2].map((axis) => (last.origin[axis] ?? 0) - (first.origin[axis] ?? 0));
  const along = dot(offset, normalOf(first));
  const across = Math.sqrt(Math.max(0, dot(offset, offset) - along ** 2));
  return across > TOLERANCE * Math.abs(along);
};

export type VolumeProblem =
  | "no_position"
  | "too_few_slices"
  | "not_parallel"
  | "pixels_differ"
  | "tilted"
  | "one_place"
  | "uneven";

/** Why slices are not one volume; "" where they are. planes: in the order of their position. */
export const volumeProblem = (planes: readonly (ImagePlane | undefined)[]): VolumeProblem | "" => {
  const known = planes.filter((plane) => plane !== undefined);
  const [first, last] = [known[0], known.at(-1)];
  if (known.length < planes.length || !first || !last) return "no_position";
  if (known.length < 3) return "too_few_slices";
  if (!known.every((plane) => areParallel(first, plane))) return "not_parallel";
  if (!known.every((plane) => haveOneSize(first, plane))) return "pixels_differ";
  if (isSheared(first, last)) return "tilted";
  return gapProblem(known.map((plane) => positionAlong(plane, normalOf(first))));
};

const gapProblem = (positions: readonly number[]): VolumeProblem | "" => {
  const gaps = positions.slice(1).map((position, nth) => position - (positions[nth] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  if (mean <= 0 || gaps.some((gap) => gap <= 0)) return "one_place";
  return gaps.some((gap) => Math.abs(gap - mean) > TOLERANCE * mean + 0.01) ? "uneven" : "";
};

/** The volume of slices that volumeProblem finds nothing wrong with. */
export const gridOf = (planes: readonly ImagePlane[], columns: number, rows: number): Grid | undefined => {
  const [first, last] = [planes[0], planes.at(-1)];
  if (!first || !last) return undefined;
  const normal = normalOf(first);
  const length = positionAlong(last, normal) - positionAlong(first, normal);
  return {
    size: [columns, rows, planes.length],
    spacingMm: [first.columnSpacing, first.rowSpacing, planes.length > 1 ? length / (planes.length - 1) : 1],
    directions: [first.alongRow, first.alongColumn, normal],
  };
};

/** The grid's axis nearest to left (0), posterior (1), superior (2), each axis once; and whether it grows the other way. */
const axesOf = ({ directions }: Grid): readonly (readonly [Axis, boolean])[] => {
  const found = new Map<number, Axis>();
  const pairs = ([0, 1, 2] as const).flatMap((patient) =>
    ([0, 1, 2] as const).map((axis) => ({ patient, axis, along: directions[axis][patient] })),
  );
  for (const { patient, axis } of pairs.sort((a, b) => Math.abs(b.along) - Math.abs(a.along))) {
    if (!found.has(patient) && ![...found.values()].includes(axis)) found.set(patient, axis);
  }
  return [0, 1, 2].map((patient) => {
    const axis = found.get(patient) ?? 0;
    return [axis, directions[axis][patient as Axis] < 0] as const;
  });
};

/** As readers expect them: the patient's left on the right, the front and the head up, the front on a sagittal's left. */
export const planeView = (grid: Grid, name: PlaneName): PlaneView => {
  const [[left, isLeftReversed], [back, isBackReversed], [up, isUpReversed]] = axesOf(grid) as [
    [Axis, boolean],
    [Axis, boolean],
    [Axis, boolean],
  ];
  const views = {
    axial: {
      through: up,
      across: left,
      down: back,
      isAcrossReversed: isLeftReversed,
      isDownReversed: isBackReversed,
    },
    coronal: {
      through: back,
      across: left,
      down: up,
      isAcrossReversed: isLeftReversed,
      isDownReversed: !isUpReversed,
    },
    sagittal: {
      through: left,
      across: back,
      down: up,
      isAcrossReversed: isBackReversed,
      isDownReversed: !isUpReversed,
    },
  };
  return { name, ...views[name] };
};

/** Degrees between the grid's axes and the patient's: reformats lie along the acquisition. */
export const obliquity = (grid: Grid): number => {
  const nearest = grid.directions.map((direction) => Math.max(...direction.map(Math.abs)));
  return (Math.acos(Math.min(1, ...nearest)) * 180) / Math.PI;
};

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
] as const;

/** The patient's side that a direction points to: up to two letters, the stronger first (PS3.3 C.7.6.1.1.1). */
export const letterOf = (direction: DirectionLps): string =>
  ([0, 1, 2] as const)
    .map((axis) => ({ share: Math.abs(direction[axis]), letter: LETTERS[axis][direction[axis] > 0 ? 0 : 1] }))
    .filter(({ share }) => share > 0.35)
    .sort((a, b) => b.share - a.share)
    .slice(0, 2)
    .map(({ letter }) => letter)
    .join("");

/** What is seen of a slab: its mean, brightest or darkest values. */
export type SlabMode = "mean" | "maximum" | "minimum";
