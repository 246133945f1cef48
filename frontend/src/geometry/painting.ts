/** What brushes, scissors and copies do to labels: pure, in voxels, with sizes in mm. */

import type { LabelEdit } from "./labels";
import type { Point } from "./region";

/** Column, row, slice: the centre of the first voxel is (0, 0, 0). */
export type Index3 = readonly [number, number, number];

/** Which voxel axis a view looks along: 0 column, 1 row, 2 slice. */
export type Axis = 0 | 1 | 2;

export interface BrushTip {
  readonly radiusMm: number;
  /** Distance of neighbours along columns' index, rows' index, slices: mm. */
  readonly spacingMm: Index3;
  /** A circle across this axis; null is a sphere. */
  readonly flat: Axis | null;
}

/** Whether a voxel may be painted, such as by its value. */
export type Allowed = (column: number, row: number, slice: number) => boolean;

const everywhere: Allowed = () => true;

const squaredDistance = (a: Index3, b: Index3, spacing: Index3): number =>
  ((a[0] - b[0]) * spacing[0]) ** 2 + ((a[1] - b[1]) * spacing[1]) ** 2 + ((a[2] - b[2]) * spacing[2]) ** 2;

/** Squared mm from a voxel to the stroke between two places. */
const toStroke = (voxel: Index3, from: Index3, to: Index3, spacing: Index3): number => {
  const length = squaredDistance(from, to, spacing);
  if (length === 0) return squaredDistance(voxel, from, spacing);
  const along = ([0, 1, 2] as const)
    .map((axis) => (voxel[axis] - from[axis]) * (to[axis] - from[axis]) * spacing[axis] ** 2)
    .reduce((sum, part) => sum + part);
  const share = Math.min(1, Math.max(0, along / length));
  const nearest = from.map((start, axis) => start + share * ((to[axis] ?? 0) - start));
  return squaredDistance(voxel, nearest as unknown as Index3, spacing);
};

/** First and last index that a stroke can reach along an axis. */
const reach = (from: Index3, to: Index3, tip: BrushTip, axis: Axis): readonly [number, number] => {
  if (tip.flat === axis) return [Math.round(to[axis]), Math.round(to[axis])];
  const radius = tip.radiusMm / tip.spacingMm[axis];
  return [
    Math.floor(Math.min(from[axis], to[axis]) - radius),
    Math.ceil(Math.max(from[axis], to[axis]) + radius),
  ];
};

/** Paint a stroke from one place to another; the voxel under its end is always painted. */
export const stroke = (
  edit: LabelEdit,
  [from, to]: readonly [Index3, Index3],
  tip: BrushTip,
  label: number,
  allowed: Allowed = everywhere,
): void => {
  const start = flattened(from, to, tip.flat);
  const [firstColumn, lastColumn] = reach(start, to, tip, 0);
  const [firstRow, lastRow] = reach(start, to, tip, 1);
  const [firstSlice, lastSlice] = reach(start, to, tip, 2);
  const limit = tip.radiusMm ** 2;
  const paint = (column: number, row: number, slice: number): void => {
    if (allowed(column, row, slice)) edit.set(column, row, slice, label);
  };
  const end = flattened(to, to.map(Math.round) as unknown as Index3, tip.flat);
  for (let slice = firstSlice; slice <= lastSlice; slice += 1) {
    for (let row = firstRow; row <= lastRow; row += 1) {
      for (let column = firstColumn; column <= lastColumn; column += 1) {
        if (toStroke([column, row, slice], start, end, tip.spacingMm) <= limit) paint(column, row, slice);
      }
    }
  }
  paint(Math.round(to[0]), Math.round(to[1]), Math.round(to[2]));
};

/** A flat stroke stays on the plane of its end. */
const flattened = (place: Index3, end: Index3, flat: Axis | null): Index3 =>
  flat === null
    ? place
    : (place.map((value, axis) => (axis === flat ? end[axis] : value)) as unknown as Index3);

/** Columns [from, to] of pixel centres inside a closed outline at one row's centre; even-odd. */
const insideSpans = (outline: readonly Point[], row: number): number[] => {
  const y = row + 0.5;
  const crossings: number[] = [];
  outline.forEach(([x0, y0], nth) => {
    const [x1, y1] = outline[(nth + 1) % outline.length] ?? [x0, y0];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  });
  return crossings.sort((a, b) => a - b);
};

/** Pixels whose centre is inside a closed outline (SCOORD); the outline's inside is even-odd. */
export const filled = (
  outline: readonly Point[],
  width: number,
  height: number,
  act: (column: number, row: number) => void,
): void => {
  const ys = outline.map(([, y]) => y);
  const last = Math.min(height - 1, Math.ceil(Math.max(...ys)));
  for (let row = Math.max(0, Math.floor(Math.min(...ys))); row <= last; row += 1) {
    const crossings = insideSpans(outline, row);
    for (let nth = 0; nth + 1 < crossings.length; nth += 2) {
      const start = Math.max(0, Math.ceil((crossings[nth] ?? 0) - 0.5));
      const end = Math.min(width - 1, Math.ceil((crossings[nth + 1] ?? 0) - 0.5) - 1);
      for (let column = start; column <= end; column += 1) act(column, row);
    }
  }
};

/** Add a class's pixels of one slice to another. */
export const copySlice = (edit: LabelEdit, from: number, to: number, label: number): void => {
  const { columns } = edit.labels.size;
  edit.labels.slice(from)?.forEach((value, place) => {
    if (value === label) edit.set(place % columns, Math.floor(place / columns), to, label);
  });
};
