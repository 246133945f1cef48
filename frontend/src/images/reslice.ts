/** Planes at any angle through slices: values between voxels, linear along each axis. */

import type { Labels } from "../geometry/labels";
import type { Vector } from "../geometry/oblique";
import type { Index3 } from "../geometry/painting";
import type { SlabMode } from "../geometry/volume";
import type { Slices } from "./slab";

/** All in voxels: the picture's first pixel's centre, and the steps from one to the next. */
export interface PlaneGrid {
  readonly start: Vector;
  readonly across: Vector;
  readonly down: Vector;
  readonly columns: number;
  readonly rows: number;
}

export interface Resliced extends PlaneGrid {
  readonly through: Vector;
  /** Steps on each side of the plane. */
  readonly half: number;
  readonly mode: SlabMode;
}

/** Rounding leaves places on the border a hair outside. */
const BORDER = 0.5 + 1e-9;

/** The value at a place; NaN outside of the volume and where a slice is not loaded. */
export const valueAt = (
  slices: Slices,
  [columns, rows, count]: Index3,
  x: number,
  y: number,
  z: number,
): number => {
  if (x < -BORDER || y < -BORDER || z < -BORDER) return Number.NaN;
  if (x > columns - 1 + BORDER || y > rows - 1 + BORDER || z > count - 1 + BORDER) return Number.NaN;
  const [i, j, k] = [floor(x, columns), floor(y, rows), floor(z, count)];
  const below = slices[k];
  const above = slices[Math.min(k + 1, count - 1)];
  if (!below || !above) return Number.NaN;
  const [u, v, w] = [part(x, i, columns), part(y, j, rows), part(z, k, count)];
  const at = j * columns + i;
  const right = i + 1 < columns ? 1 : 0;
  const next = j + 1 < rows ? columns : 0;
  const inPlane = (slice: ArrayLike<number>): number => {
    const top = (slice[at] ?? 0) * (1 - u) + (slice[at + right] ?? 0) * u;
    const bottom = (slice[at + next] ?? 0) * (1 - u) + (slice[at + next + right] ?? 0) * u;
    return top * (1 - v) + bottom * v;
  };
  return w === 0 ? inPlane(below) : inPlane(below) * (1 - w) + inPlane(above) * w;
};

const floor = (at: number, count: number): number => Math.min(count - 1, Math.max(0, Math.floor(at)));
const part = (at: number, from: number, count: number): number =>
  Math.min(1, Math.max(0, Math.min(at, count - 1) - from));

const combine: Readonly<Record<SlabMode, (kept: number, value: number) => number>> = {
  mean: (kept, value) => kept + value,
  maximum: Math.max,
  minimum: Math.min,
};

/** Of the values along a line through the slab, those inside the volume. */
const combinedAt = (
  slices: Slices,
  size: Index3,
  request: Resliced,
  place: Vector,
  missing: number,
): number => {
  const { through, half, mode } = request;
  let kept = 0;
  let count = 0;
  for (let step = -half; step <= half; step += 1) {
    const value = valueAt(
      slices,
      size,
      place[0] + step * through[0],
      place[1] + step * through[1],
      place[2] + step * through[2],
    );
    if (Number.isNaN(value)) continue;
    kept = count === 0 ? value : combine[mode](kept, value);
    count += 1;
  }
  if (count === 0) return missing;
  return mode === "mean" ? kept / count : kept;
};

/** Fill a picture row by row: (down, across). */
const fill = <Picture extends Float32Array | Uint8Array>(
  picture: Picture,
  { start, across, down, columns, rows }: PlaneGrid,
  sampleAt: (place: Vector) => number,
): Picture => {
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, at += 1) {
      picture[at] = sampleAt([
        start[0] + column * across[0] + row * down[0],
        start[1] + column * across[1] + row * down[1],
        start[2] + column * across[2] + row * down[2],
      ]);
    }
  }
  return picture;
};

/** Values of a plane or slab. missing: what is shown outside of the volume. */
export const reslice = (slices: Slices, size: Index3, request: Resliced, missing: number): Float32Array =>
  fill(new Float32Array(request.columns * request.rows), request, (place) =>
    combinedAt(slices, size, request, place, missing),
  );

/** Classes on a plane: each pixel has that of the voxel that its centre lies in. */
export const relabel = (labels: Labels, grid: PlaneGrid): Uint8Array => {
  const { columns, rows } = labels.size;
  const nearest = (at: number): number => Math.floor(at + 0.5);
  return fill(new Uint8Array(grid.columns * grid.rows), grid, ([x, y, z]) => {
    const [column, row] = [nearest(x), nearest(y)];
    const isInside = column >= 0 && row >= 0 && column < columns && row < rows;
    return isInside ? labels.at(column, row, nearest(z)) : 0;
  });
};
