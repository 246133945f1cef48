/** Maps of the plane that keep lines straight: x' = a·x + c·y + e, y' = b·x + d·y + f, as CSS writes matrix(a, b, c, d, e, f). */

import type { Point } from "./region";

export type Affine = readonly [number, number, number, number, number, number];

export const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

export const apply = ([a, b, c, d, e, f]: Affine, [x, y]: Point): Point => [
  a * x + c * y + e,
  b * x + d * y + f,
];

/** First the second map, then the first. */
export const composed = (first: Affine, second: Affine): Affine => {
  const [a, b, c, d, e, f] = first;
  const [p, q, r, s, t, u] = second;
  return [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f];
};

export const translation = (x: number, y: number): Affine => [1, 0, 0, 1, x, y];

export const scaling = (x: number, y: number): Affine => [x, 0, 0, y, 0, 0];

/** Clockwise on a screen, where y grows downwards. */
export const quarterTurns = (turns: number): Affine => {
  const [cos, sin] = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ][((turns % 4) + 4) % 4] as [number, number];
  return [cos, sin, -sin, cos, 0, 0];
};

/** raises: RangeError where the map is not invertible. */
export const inverse = ([a, b, c, d, e, f]: Affine): Affine => {
  const determinant = a * d - b * c;
  if (determinant === 0) throw new RangeError("A map that flattens the plane has no inverse");
  return [
    d / determinant,
    -b / determinant,
    -c / determinant,
    a / determinant,
    (c * f - d * e) / determinant,
    (b * e - a * f) / determinant,
  ];
};
