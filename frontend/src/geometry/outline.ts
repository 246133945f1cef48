/** The lines of a region, in pixels (SCOORD): what is drawn, what is hit, what encloses. */

import type { Point, RegionKind } from "./region";

/** Lines through points; a closed one ends where it starts. */
export interface Path {
  readonly points: readonly Point[];
  readonly isClosed: boolean;
}

const ELLIPSE_STEPS = 72;

export const isArea = (kind: RegionKind): boolean =>
  kind === "box" || kind === "ellipse" || kind === "polygon" || kind === "freehand";

const boxCorners = ([a, b]: readonly Point[]): Point[] => {
  if (!a || !b) return [];
  return [a, [b[0], a[1]], b, [a[0], b[1]]];
};

/** The ends of two axes that halve each other; right also where pixels are not square, since an ellipse stays one. */
const ellipsePoints = ([a, b, c, d]: readonly Point[]): Point[] => {
  if (!a || !b || !c || !d) return [];
  const centre: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const [u, v]: [Point, Point] = [
    [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2],
    [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2],
  ];
  return Array.from({ length: ELLIPSE_STEPS }, (_, step) => {
    const angle = (2 * Math.PI * step) / ELLIPSE_STEPS;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [centre[0] + cos * u[0] + sin * v[0], centre[1] + cos * u[1] + sin * v[1]] as const;
  });
};

const open = (...points: (Point | undefined)[]): Path => ({
  points: points.filter((point) => point !== undefined),
  isClosed: false,
});

/** All lines of a region, also of one that is half drawn. */
export const pathsOf = (kind: RegionKind, points: readonly Point[]): Path[] => {
  const [a, b, c, d] = points;
  if (kind === "box") return [{ points: boxCorners(points), isClosed: true }];
  if (kind === "ellipse") return [{ points: ellipsePoints(points), isClosed: true }];
  if (kind === "polygon" || kind === "freehand") return [{ points, isClosed: points.length > 2 }];
  if (kind === "bidirectional" || (kind === "angle" && d)) return [open(a, b), open(c, d)];
  return [open(...points)];
};

/** The closed outline of a region with an inside; empty for others. */
export const outlineOf = (kind: RegionKind, points: readonly Point[]): readonly Point[] =>
  isArea(kind) ? (pathsOf(kind, points)[0]?.points ?? []) : [];

/** Distance of a point to the line between two. */
export const distanceToLine = ([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number => {
  const squared = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const share = squared === 0 ? 0 : ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared;
  const along = Math.min(1, Math.max(0, share));
  return Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0));
};

/** Distance of a point to the nearest of a path's lines. */
export const distanceToPath = (place: Point, { points, isClosed }: Path): number => {
  const ends = isClosed ? points : points.slice(0, -1);
  const distances = ends.map((point, nth) =>
    distanceToLine(place, point, points[(nth + 1) % points.length] ?? point),
  );
  const [only] = points;
  if (points.length === 1 && only) return Math.hypot(place[0] - only[0], place[1] - only[1]);
  return Math.min(Number.POSITIVE_INFINITY, ...distances);
};

/** Fewer points for the same line: none is farther off than the tolerance (Douglas and Peucker 1973). */
export const simplified = (points: readonly Point[], tolerance: number): readonly Point[] => {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 3) return points;
  let [farthest, most] = [0, 0];
  points.forEach((point, nth) => {
    const off = distanceToLine(point, first, last);
    if (off > most) [farthest, most] = [nth, off];
  });
  if (most <= tolerance) return [first, last];
  const before = simplified(points.slice(0, farthest + 1), tolerance);
  return [...before, ...simplified(points.slice(farthest), tolerance).slice(1)];
};
