/** Draws a hundred thousand points into a canvas: colours straight into its pixels, no call a point. */
import { type Points, SIDE } from "./points";

/** What part of the map is on screen: the middle in the points' unit, and pixels a unit. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Look {
  /** One byte a point, looked up in the colours. */
  readonly values: Uint8Array;
  readonly colours: Uint32Array;
  /** Only this value is drawn in its colour, where one is chosen. */
  readonly only: number | null;
  readonly quiet: number;
  readonly ground: number;
}

/** Radius of a point in device pixels: larger where there are few, and when zoomed in. */
export function radiusOf(count: number, frame: Frame, side: number): number {
  const zoom = (frame.scale * SIDE) / Math.max(side, 1);
  const base = count > 20_000 ? 1 : count > 2_000 ? 2 : 4;
  return Math.min(7, Math.round(base * Math.min(2.2, Math.sqrt(Math.max(zoom, 1)))));
}

/** Fill a picture with points: first the quiet ones, then those in colour, so that no label is hidden. */
export function paint(picture: ImageData, points: Points, frame: Frame, look: Look): void {
  const pixels = new Uint32Array(picture.data.buffer);
  pixels.fill(look.ground);
  const radius = radiusOf(points.count, frame, Math.min(picture.width, picture.height));
  const spans = spansOf(radius);
  const still = new Uint32Array(256).fill(look.quiet);
  for (const loud of [false, true]) {
    pass(picture, pixels, points, frame, loud ? look.colours : still, spans, (index) => {
      return isLoud(look.values[index] ?? 255, look.only) === loud ? (look.values[index] ?? 255) : -1;
    });
  }
}

/** valueAt: what a point is coloured by, -1 where it is not this pass's. */
function pass(
  { width, height }: ImageData,
  pixels: Uint32Array,
  { count, x, y }: Points,
  frame: Frame,
  colours: Uint32Array,
  spans: Int32Array,
  valueAt: (index: number) => number,
): void {
  const radius = (spans.length - 1) / 2;
  const [left, top] = [width / 2 - frame.x * frame.scale, height / 2 - frame.y * frame.scale];
  for (let index = 0; index < count; index += 1) {
    const value = valueAt(index);
    if (value < 0) continue;
    const column = Math.round(left + (x[index] ?? 0) * frame.scale);
    const row = Math.round(top + (y[index] ?? 0) * frame.scale);
    if (!isWithin(column, radius, width) || !isWithin(row, radius, height)) continue;
    disc(pixels, width, row, column, spans, colours[value] ?? 0);
  }
}

const isLoud = (value: number, only: number | null): boolean =>
  value !== 255 && (only === null || value === only);

const isWithin = (place: number, radius: number, length: number): boolean =>
  place >= radius && place < length - radius;

function disc(
  pixels: Uint32Array,
  width: number,
  row: number,
  column: number,
  spans: Int32Array,
  colour: number,
): void {
  const radius = (spans.length - 1) / 2;
  for (let down = -radius; down <= radius; down += 1) {
    const half = spans[down + radius] ?? 0;
    const start = (row + down) * width + column;
    for (let pixel = start - half; pixel <= start + half; pixel += 1) pixels[pixel] = colour;
  }
}

/** Half widths of a disc's rows. */
function spansOf(radius: number): Int32Array {
  return Int32Array.from({ length: 2 * radius + 1 }, (_, row) =>
    Math.floor(Math.sqrt((radius + 0.3) ** 2 - (row - radius) ** 2)),
  );
}
