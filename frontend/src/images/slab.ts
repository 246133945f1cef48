/** Planes through a volume of slices: values of a slab, exactly the voxels, no interpolation. */

import type { Axis, Index3 } from "../geometry/painting";
import type { SlabMode } from "../geometry/volume";
import type { Samples } from "./pixels";

/** Slices by position; a slice whose pixels are not here yet is undefined and shows as the lowest value. */
export type Slices = readonly (Samples | undefined)[];

export interface SlabRequest {
  readonly through: Axis;
  readonly across: Axis;
  readonly down: Axis;
  /** Middle of the slab along the axis that is looked through. */
  readonly at: number;
  /** Voxels on each side of the middle. */
  readonly half: number;
  readonly mode: SlabMode;
}

const combine: Readonly<Record<SlabMode, (kept: number, value: number) => number>> = {
  mean: (kept, value) => kept + value,
  maximum: Math.max,
  minimum: Math.min,
};

/** How far neighbours along an axis lie apart in a slice; slices have none. */
const strideOf = (axis: Axis, columns: number): number => [1, columns, 0][axis] ?? 0;

/** One line of a plane into a picture: values of one slice, or (across the slices) one value of each. */
const addRow = (
  picture: Float32Array,
  slices: Slices,
  line: { readonly to: number; readonly width: number; readonly from: number; readonly step: number },
  sliceAt: (column: number) => number,
  take: (kept: number, value: number) => number,
): void => {
  for (let column = 0; column < line.width; column += 1) {
    const slice = slices[sliceAt(column)];
    if (!slice) continue;
    const place = line.to + column;
    picture[place] = take(picture[place] ?? 0, slice[line.from + column * line.step] ?? 0);
  }
};

/** One plane's values into a picture: (down, across), row by row. */
const addPlane = (
  picture: Float32Array,
  slices: Slices,
  size: Index3,
  request: SlabRequest,
  at: number,
  take: (kept: number, value: number) => number,
): void => {
  const { through, across, down } = request;
  const [width, columns] = [size[across], size[0]];
  for (let row = 0; row < size[down]; row += 1) {
    const from = at * strideOf(through, columns) + row * strideOf(down, columns);
    const line = { to: row * width, width, from, step: strideOf(across, columns) };
    const fixed = through === 2 ? at : row;
    addRow(picture, slices, line, across === 2 ? (column) => column : () => fixed, take);
  }
};

/** Values of a slab: (down, across), row by row. missing: what is shown where no slice is loaded. */
export const slab = (slices: Slices, size: Index3, request: SlabRequest, missing: number): Float32Array => {
  const first = Math.max(0, request.at - request.half);
  const last = Math.min(size[request.through] - 1, request.at + request.half);
  const picture = new Float32Array(size[request.across] * size[request.down]).fill(missing);
  addPlane(picture, slices, size, request, first, (_, value) => value);
  const take = combine[request.mode];
  for (let at = first + 1; at <= last; at += 1) addPlane(picture, slices, size, request, at, take);
  if (request.mode === "mean") {
    const count = last - first + 1;
    for (let place = 0; place < picture.length; place += 1) picture[place] = (picture[place] ?? 0) / count;
  }
  return picture;
};
