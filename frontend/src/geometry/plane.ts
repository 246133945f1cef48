/** Where an image lies in the patient: PS3.3 C.7.6.2.1.1, both ways. */

import {
  type DirectionLps,
  type IndexIj,
  indexIj,
  type Millimetres,
  millimetres,
  type PointLps,
  pointLps,
} from "./units";

export interface ImagePlane {
  /** Centre of the first pixel. */
  readonly origin: PointLps;
  /** Direction in which the column index grows. */
  readonly alongRow: DirectionLps;
  /** Direction in which the row index grows. */
  readonly alongColumn: DirectionLps;
  /** Distance of neighbours in a row. */
  readonly columnSpacing: Millimetres;
  /** Distance of neighbours in a column. */
  readonly rowSpacing: Millimetres;
}

type Triple = readonly [number, number, number];

const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const cross = (a: Triple, b: Triple): DirectionLps => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The direction that the reader looks along, of length 1 although stored directions are rounded. */
export const normalOf = (plane: ImagePlane): DirectionLps => {
  const [x, y, z] = cross(plane.alongRow, plane.alongColumn);
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
};

/** Patient position of a pixel, or of a place between pixels. */
export const toPatient = (plane: ImagePlane, [i, j]: IndexIj): PointLps => {
  const across = i * plane.columnSpacing;
  const down = j * plane.rowSpacing;
  const along = (axis: 0 | 1 | 2): number =>
    plane.origin[axis] + across * plane.alongRow[axis] + down * plane.alongColumn[axis];
  return pointLps(along(0), along(1), along(2));
};

/** The pixel under a patient position; what is off the plane is projected onto it. */
export const toIndex = (plane: ImagePlane, point: PointLps): IndexIj => {
  const offset: Triple = [point[0] - plane.origin[0], point[1] - plane.origin[1], point[2] - plane.origin[2]];
  return indexIj(
    dot(offset, plane.alongRow) / plane.columnSpacing,
    dot(offset, plane.alongColumn) / plane.rowSpacing,
  );
};

/** How far along a direction a plane lies: what slices are sorted by. */
export const positionAlong = (plane: ImagePlane, direction: DirectionLps): Millimetres =>
  millimetres(dot(plane.origin, direction));

/** Distance of two pixels in the patient. */
export const lengthBetween = (plane: ImagePlane, from: IndexIj, to: IndexIj): Millimetres =>
  millimetres(Math.hypot((to[0] - from[0]) * plane.columnSpacing, (to[1] - from[1]) * plane.rowSpacing));
