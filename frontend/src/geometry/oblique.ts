/** Planes at any angle through a volume. Places are in mm along the grid's axes, from the centre of its first voxel. */

import type { DirectionLps } from "./units";
import type { Grid } from "./volume";

export type Vector = readonly [number, number, number];

/** A plane's directions, each of length 1 and at right angles to the others. */
export interface Cut {
  readonly across: Vector;
  readonly down: Vector;
  /** What the plane is moved along: one grid axis where the plane is straight. */
  readonly normal: Vector;
}

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The sum of vectors, each so many times. */
export const combined = (...terms: readonly (readonly [number, Vector])[]): Vector => {
  const along = (axis: 0 | 1 | 2): number =>
    terms.reduce((sum, [times, vector]) => sum + times * vector[axis], 0);
  return [along(0), along(1), along(2)];
};

/** Turned about an axis of length 1, by the right-hand rule (Rodrigues 1840). */
export const turnedAbout = (vector: Vector, axis: Vector, radians: number): Vector =>
  combined(
    [Math.cos(radians), vector],
    [Math.sin(radians), cross(axis, vector)],
    [(1 - Math.cos(radians)) * dot(axis, vector), axis],
  );

export const turnedCut = ({ across, down, normal }: Cut, axis: Vector, radians: number): Cut => ({
  across: turnedAbout(across, axis, radians),
  down: turnedAbout(down, axis, radians),
  normal: turnedAbout(normal, axis, radians),
});

export const unit = (axis: 0 | 1 | 2): Vector => [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];

/** Lengths of the volume's edges, and its middle. */
export const boxOf = ({ size, spacingMm }: Grid): { readonly edges: Vector; readonly middle: Vector } => {
  const edge = (axis: 0 | 1 | 2): number => size[axis] * spacingMm[axis];
  const middle = (axis: 0 | 1 | 2): number => ((size[axis] - 1) * spacingMm[axis]) / 2;
  return { edges: [edge(0), edge(1), edge(2)], middle: [middle(0), middle(1), middle(2)] };
};

/** Where the volume begins and ends along a direction, mm. */
export const extentAlong = (grid: Grid, direction: Vector): readonly [number, number] => {
  const { edges, middle } = boxOf(grid);
  const half = ([0, 1, 2] as const).reduce<number>(
    (sum, axis) => sum + Math.abs(direction[axis]) * (edges[axis] / 2),
    0,
  );
  return [dot(middle, direction) - half, dot(middle, direction) + half];
};

/** A direction along the grid's axes as one in the patient. */
export const inPatient = ({ directions: [columns, rows, slices] }: Grid, [x, y, z]: Vector): DirectionLps =>
  combined([x, columns], [y, rows], [z, slices]);
