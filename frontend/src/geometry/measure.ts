/** Lengths, angles, areas and statistics of a region, live while it is drawn. What counts is what the server computes. */

import { outlineOf } from "./outline";
import { filled } from "./painting";
import type { Point, RegionKind } from "./region";

/** The size of one pixel, and of what. */
export interface PixelSize {
  /** Down a column. */
  readonly row: number;
  /** Along a row. */
  readonly column: number;
  /**
   * patient: mm there; region: mm there, by an ultrasound region's calibration; detector: mm on it, larger than in the
   * patient; pixels: no size is known.
   */
  readonly of: "patient" | "region" | "detector" | "pixels";
}

export const SQUARE_PIXELS: PixelSize = { row: 1, column: 1, of: "pixels" };

export interface Measures {
  readonly length?: number;
  readonly longAxis?: number;
  readonly shortAxis?: number;
  readonly degrees?: number;
  readonly area?: number;
  readonly perimeter?: number;
}

export interface Statistics {
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

export const distance = ([x0, y0]: Point, [x1, y1]: Point, size: PixelSize): number =>
  Math.hypot((x1 - x0) * size.column, (y1 - y0) * size.row);

const vector = (from: Point, to: Point, size: PixelSize): Point => [
  (to[0] - from[0]) * size.column,
  (to[1] - from[1]) * size.row,
];

const between = (u: Point, v: Point): number => {
  const [cross, dot] = [u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]];
  return (Math.abs(Math.atan2(cross, dot)) * 180) / Math.PI;
};

/** Three points: at the middle one. Four: between two lines, at most 90° (Cobb 1948). */
export const degreesOf = (points: readonly Point[], size: PixelSize): number | undefined => {
  const [a, b, c, d] = points;
  if (!a || !b || !c) return undefined;
  if (!d) return between(vector(b, a, size), vector(b, c, size));
  const angle = between(vector(a, b, size), vector(c, d, size));
  return Math.min(angle, 180 - angle);
};

const shoelace = (outline: readonly Point[]): number => {
  const twice = outline.reduce((sum, [x0, y0], nth) => {
    const [x1, y1] = outline[(nth + 1) % outline.length] ?? [x0, y0];
    return sum + x0 * y1 - x1 * y0;
  }, 0);
  return Math.abs(twice) / 2;
};

const perimeterOf = (outline: readonly Point[], size: PixelSize): number =>
  outline.reduce(
    (sum, point, nth) => sum + distance(point, outline[(nth + 1) % outline.length] ?? point, size),
    0,
  );

const ellipseMeasures = ([a, b, c, d]: readonly Point[], size: PixelSize): Measures => {
  if (!a || !b || !c || !d) return {};
  const [p, q] = [distance(a, b, size) / 2, distance(c, d, size) / 2];
  const h = p + q === 0 ? 0 : ((p - q) / (p + q)) ** 2;
  // Ramanujan's second approximation (1914).
  const perimeter = Math.PI * (p + q) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
  return { area: Math.PI * p * q, perimeter };
};

export const measuresOf = (kind: RegionKind, points: readonly Point[], size: PixelSize): Measures => {
  const [a, b, c, d] = points;
  if (kind === "line" && a && b) return { length: distance(a, b, size) };
  if (kind === "bidirectional" && a && b && c && d) {
    return { longAxis: distance(a, b, size), shortAxis: distance(c, d, size) };
  }
  if (kind === "angle") {
    const degrees = degreesOf(points, size);
    return degrees === undefined ? {} : { degrees };
  }
  if (kind === "ellipse") return ellipseMeasures(points, size);
  const outline = outlineOf(kind, points);
  if (outline.length < 3) return {};
  return { area: shoelace(outline) * size.row * size.column, perimeter: perimeterOf(outline, size) };
};

/** Values of the pixels whose centre is inside; undefined where there is none. samples: row by row, one a pixel. */
export const statisticsOf = (
  kind: RegionKind,
  points: readonly Point[],
  samples: ArrayLike<number>,
  columns: number,
  rows: number,
): Statistics | undefined => {
  const outline = outlineOf(kind, points);
  if (outline.length < 3) return undefined;
  let [count, sum, squares] = [0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  filled(outline, columns, rows, (column, row) => {
    const value = samples[row * columns + column] ?? 0;
    [count, sum, squares] = [count + 1, sum + value, squares + value * value];
    [min, max] = [Math.min(min, value), Math.max(max, value)];
  });
  if (count === 0) return undefined;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), min, max };
};

const UNITS: Readonly<Record<PixelSize["of"], string>> = {
  patient: "mm",
  region: "mm",
  detector: "mm at the detector",
  pixels: "px",
};

const rounded = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));

/** Measures as words beside the region. */
export const inWords = (measures: Measures, size: PixelSize): string => {
  const unit = UNITS[size.of];
  const { length, longAxis, shortAxis, degrees, area } = measures;
  if (length !== undefined) return `${rounded(length)} ${unit}`;
  if (longAxis !== undefined && shortAxis !== undefined) {
    return `${rounded(longAxis)} × ${rounded(shortAxis)} ${unit}`;
  }
  if (degrees !== undefined) return `${degrees.toFixed(1)}°`;
  if (area !== undefined) return `${rounded(area)} ${unit.replace(/^(mm|px)/, "$1²")}`;
  return "";
};
