/** How a region comes to be and changes under the pointer: pure, in pixels (SCOORD). */

import { distance, type PixelSize } from "./measure";
import type { Point, RegionKind } from "./region";

/** Half drawn: what stands, and the place that follows the pointer. */
export interface Sketch {
  readonly kind: RegionKind;
  /** An angle of two lines rather than of two arms. */
  readonly isCobb: boolean;
  readonly fixed: readonly Point[];
  readonly loose: Point;
}

/** Where an axis of a first bidirectional guess lies: its length is this share of the long one. */
const SHORT_AXIS = 0.6;

export const started = (kind: RegionKind, isCobb: boolean, place: Point): Sketch => ({
  kind,
  isCobb,
  fixed: [place],
  loose: place,
});

export const followed = (sketch: Sketch, place: Point): Sketch => {
  const fixed = sketch.kind === "freehand" ? [...sketch.fixed, place] : sketch.fixed;
  return { ...sketch, fixed, loose: place };
};

/** Places that a kind needs; polygons take any number. */
const PLACES: Readonly<Record<RegionKind, number>> = {
  point: 1,
  line: 2,
  bidirectional: 2,
  angle: 3,
  box: 2,
  ellipse: 2,
  polygon: Number.POSITIVE_INFINITY,
  freehand: Number.POSITIVE_INFINITY,
};

export const placesOf = ({ kind, isCobb }: Sketch): number => (isCobb ? 4 : PLACES[kind]);

/** The loose place stands from now on. */
export const pinned = (sketch: Sketch): Sketch => ({ ...sketch, fixed: [...sketch.fixed, sketch.loose] });

export const isComplete = (sketch: Sketch): boolean => sketch.fixed.length >= placesOf(sketch);

/** The four points of an ellipse in a box: the longer axis (in mm) first. */
const ellipseIn = (a: Point, b: Point, size: PixelSize): Point[] => {
  const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const across: Point[] = [
    [Math.min(a[0], b[0]), y],
    [Math.max(a[0], b[0]), y],
  ];
  const down: Point[] = [
    [x, Math.min(a[1], b[1])],
    [x, Math.max(a[1], b[1])],
  ];
  const isWide = Math.abs(b[0] - a[0]) * size.column >= Math.abs(b[1] - a[1]) * size.row;
  return isWide ? [...across, ...down] : [...down, ...across];
};

/** At right angles in mm, not in pixels: the unit step to one side of a line. */
const sideways = (a: Point, b: Point, size: PixelSize): Point => {
  const length = distance(a, b, size) || 1;
  const [x, y] = [((b[0] - a[0]) * size.column) / length, ((b[1] - a[1]) * size.row) / length];
  return [-y / size.column, x / size.row];
};

const shifted = ([x, y]: Point, [stepX, stepY]: Point, times: number): Point => [
  x + stepX * times,
  y + stepY * times,
];

const part = (a: Point, b: Point, share: number): Point => [
  a[0] + share * (b[0] - a[0]),
  a[1] + share * (b[1] - a[1]),
];

/** The short axis crosses the long one at a share of it, and goes so far to both sides (mm). */
const crossed = (
  [a, b]: readonly [Point, Point],
  share: number,
  [left, right]: readonly [number, number],
  size: PixelSize,
): Point[] => {
  const [foot, step] = [part(a, b, share), sideways(a, b, size)];
  return [a, b, shifted(foot, step, left), shifted(foot, step, right)];
};

/** The points of what is drawn so far, with the loose one. */
export const pointsOf = (sketch: Sketch, size: PixelSize): readonly Point[] => {
  const { kind, fixed, loose } = sketch;
  const all = kind === "freehand" || isComplete(sketch) ? fixed : [...fixed, loose];
  const [a, b] = all;
  if (!a || !b) return all;
  if (kind === "ellipse") return ellipseIn(a, b, size);
  if (kind === "bidirectional") {
    const half = (SHORT_AXIS * distance(a, b, size)) / 2;
    return crossed([a, b], 0.5, [half, -half], size);
  }
  return all;
};

const isNear = (tolerance: number, [x0, y0]: Point, [x1, y1]: Point = [x0, y0]): boolean =>
  Math.hypot(x1 - x0, y1 - y0) < tolerance;

/** Lines that must have a length: of two axes or arms the ends, of an outline all places against the first. */
const linesOf = (kind: RegionKind, points: readonly Point[]): readonly (readonly [Point, Point])[] => {
  const [a, b, c, d] = points;
  if (!a || !b) return [];
  if (kind === "angle" && c && !d)
    return [
      [a, b],
      [b, c],
    ];
  return c && d
    ? [
        [a, b],
        [c, d],
      ]
    : [[a, b]];
};

/** Fewer places than a region needs, or places that fall together: a click where a drag was meant. */
export const isTooSmall = (kind: RegionKind, points: readonly Point[], tolerance: number): boolean => {
  const [a, b] = points;
  if (kind === "point") return !a;
  if (kind === "box")
    return !a || !b || Math.abs(a[0] - b[0]) < tolerance || Math.abs(a[1] - b[1]) < tolerance;
  if (kind === "polygon" || kind === "freehand") {
    return !a || points.length < 3 || points.every((point) => isNear(tolerance, a, point));
  }
  const least = { line: 2, angle: 3, bidirectional: 4, ellipse: 4 }[kind];
  return points.length < least || linesOf(kind, points).some(([from, to]) => isNear(tolerance, from, to));
};

/** The nearest place on the image. */
export const within = ([x, y]: Point, columns: number, rows: number): Point => [
  Math.min(columns, Math.max(0, x)),
  Math.min(rows, Math.max(0, y)),
];

const movedCorner = (points: readonly Point[], nth: number, place: Point): Point[] =>
  points.map((point, at) => (at === nth ? place : point));

/** The other axis keeps its length and stays at right angles (in mm), through the same centre. */
const movedAxisEnd = (
  points: readonly Point[],
  nth: number,
  place: Point,
  size: PixelSize,
): readonly Point[] => {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return points;
  const centre = part(a, b, 0.5);
  const opposite: Point = [2 * centre[0] - place[0], 2 * centre[1] - place[1]];
  const isMajor = nth < 2;
  const axis: readonly [Point, Point] = nth % 2 === 0 ? [place, opposite] : [opposite, place];
  const half = (isMajor ? distance(c, d, size) : distance(a, b, size)) / 2;
  const step = sideways(axis[0], axis[1], size);
  const other = [shifted(centre, step, -half), shifted(centre, step, half)];
  const [first, second] = isMajor ? [axis, other] : [other, axis];
  return longerFirst([...first, ...second], size);
};

const longerFirst = (points: readonly Point[], size: PixelSize): readonly Point[] => {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return points;
  return distance(a, b, size) >= distance(c, d, size) ? points : [c, d, a, b];
};

interface Crossing {
  readonly share: number;
  readonly left: number;
  readonly right: number;
}

/** Where the short axis crosses the long one, and its two lengths (mm, one of them negative). */
const crossingOf = ([a, b, c, d]: readonly Point[], size: PixelSize): Crossing => {
  if (!a || !b || !c || !d) return { share: 0.5, left: 0, right: 0 };
  const along = (point: Point): number => projected(a, b, point, size)[0];
  const off = (point: Point): number => projected(a, b, point, size)[1];
  return { share: along(c), left: off(c), right: off(d) };
};

/** Share of the line from a to b, and mm off it. */
const projected = (a: Point, b: Point, point: Point, size: PixelSize): readonly [number, number] => {
  const [ux, uy] = [(b[0] - a[0]) * size.column, (b[1] - a[1]) * size.row];
  const [vx, vy] = [(point[0] - a[0]) * size.column, (point[1] - a[1]) * size.row];
  const length = Math.hypot(ux, uy) || 1;
  return [(ux * vx + uy * vy) / length ** 2, (ux * vy - uy * vx) / length];
};

const movedBidirectional = (
  points: readonly Point[],
  nth: number,
  place: Point,
  size: PixelSize,
): readonly Point[] => {
  const [a, b] = points;
  if (!a || !b) return points;
  const { share, left, right } = crossingOf(points, size);
  if (nth === 0) return crossed([place, b], share, [left, right], size);
  if (nth === 1) return crossed([a, place], share, [left, right], size);
  const [at, off] = projected(a, b, place, size);
  const ends: readonly [number, number] = nth === 2 ? [off, right] : [left, off];
  return crossed([a, b], Math.min(1, Math.max(0, at)), ends, size);
};

/** Places by which a region is changed: a box has four, lines drawn by hand have none. */
export const handlesOf = (kind: RegionKind, points: readonly Point[]): readonly Point[] => {
  const [a, b] = points;
  if (kind === "freehand") return [];
  return kind === "box" && a && b ? [a, [b[0], a[1]], b, [a[0], b[1]]] : points;
};

/** The corner across from the one that moves stays. */
const movedBoxCorner = (points: readonly Point[], nth: number, place: Point): readonly Point[] => {
  const across = handlesOf("box", points)[(nth + 2) % 4];
  return across ? [across, place] : points;
};

/** A region's points after one of its handles was moved. */
export const withHandleAt = (
  kind: RegionKind,
  points: readonly Point[],
  nth: number,
  place: Point,
  size: PixelSize,
): readonly Point[] => {
  if (kind === "box") return movedBoxCorner(points, nth, place);
  if (kind === "ellipse") return movedAxisEnd(points, nth, place, size);
  if (kind === "bidirectional") return movedBidirectional(points, nth, place, size);
  return movedCorner(points, nth, place);
};

/** The longer axis comes first when a bidirectional is done. */
export const settled = (kind: RegionKind, points: readonly Point[], size: PixelSize): readonly Point[] =>
  kind === "bidirectional" ? longerFirst(points, size) : points;

export const movedBy = (points: readonly Point[], [x, y]: Point): readonly Point[] =>
  points.map((point) => [point[0] + x, point[1] + y] as const);
