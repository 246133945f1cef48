/** Numbers that cannot be mixed up: a length is not an index, a patient's point is not a pixel. */

export type Millimetres = number & { readonly unit: "mm" };
export type Pixels = number & { readonly unit: "px" };

/** A point in the patient, mm, DICOM's axes: left, posterior, superior. */
export type PointLps = readonly [Millimetres, Millimetres, Millimetres];

/** A direction in the patient, of length 1. */
export type DirectionLps = readonly [number, number, number];

/** Column i and row j of a pixel's centre; (0, 0) is the centre of the first pixel. */
export type IndexIj = readonly [Pixels, Pixels];

export const millimetres = (value: number): Millimetres => value as Millimetres;
export const pixels = (value: number): Pixels => value as Pixels;
export const pointLps = (x: number, y: number, z: number): PointLps => [
  millimetres(x),
  millimetres(y),
  millimetres(z),
];
export const indexIj = (i: number, j: number): IndexIj => [pixels(i), pixels(j)];
