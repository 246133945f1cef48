/** Slices between painted ones, filled by shape: signed distances are interpolated (Raya and Udupa 1990). */

import type { LabelEdit, Labels } from "./labels";

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const FAR = 1e20;

interface Envelope {
  readonly vertices: readonly number[];
  /** From where on each vertex's parabola is the lowest. */
  readonly borders: readonly number[];
}

/** Lower envelope of parabolas over one line (Felzenszwalb and Huttenlocher 2012). */
const envelopeOf = (source: Float64Array, spacing: number): Envelope => {
  const [vertices, borders] = [[0], [Number.NEGATIVE_INFINITY]];
  const height = (at: number): number => (source[at] ?? FAR) / spacing ** 2 + at * at;
  const meet = (at: number): number => {
    const vertex = vertices.at(-1) ?? 0;
    return (height(at) - height(vertex)) / (2 * (at - vertex));
  };
  for (let at = 1; at < source.length; at += 1) {
    while (meet(at) <= (borders.at(-1) ?? 0)) {
      vertices.pop();
      borders.pop();
    }
    const border = meet(at);
    vertices.push(at);
    borders.push(border);
  }
  return { vertices, borders };
};

/** Squared distances along one line, in place. */
const alongLine = (
  values: Float64Array,
  start: number,
  step: number,
  count: number,
  spacing: number,
): void => {
  const source = Float64Array.from({ length: count }, (_, nth) => values[start + nth * step] ?? FAR);
  const { vertices, borders } = envelopeOf(source, spacing);
  for (let at = 0, nth = 0; at < count; at += 1) {
    while ((borders[nth + 1] ?? Number.POSITIVE_INFINITY) < at) nth += 1;
    const vertex = vertices[nth] ?? 0;
    values[start + at * step] = ((at - vertex) * spacing) ** 2 + (source[vertex] ?? 0);
  }
};

/** Distance in mm of each pixel to the nearest one that is set. set: row by row; spacing: down a column, along a row. */
export const distances = (
  set: Uint8Array,
  width: number,
  height: number,
  [rowSpacing, columnSpacing]: readonly [number, number],
): Float64Array => {
  const squared = Float64Array.from(set, (value) => (value ? 0 : FAR));
  for (let column = 0; column < width; column += 1) alongLine(squared, column, width, height, rowSpacing);
  for (let row = 0; row < height; row += 1) alongLine(squared, row * width, 1, width, columnSpacing);
  return squared.map(Math.sqrt);
};

/** Around a class on two slices, one pixel wider: what is outside is background. */
const boxAround = (labels: Labels, label: number, slices: readonly number[]): Box => {
  const { columns } = labels.size;
  let [left, right, top, bottom] = [columns, -1, labels.size.rows, -1];
  for (const nth of slices) {
    labels.slice(nth)?.forEach((value, place) => {
      if (value !== label) return;
      const [column, row] = [place % columns, Math.floor(place / columns)];
      [left, right] = [Math.min(left, column), Math.max(right, column)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    });
  }
  return { left: left - 1, top: top - 1, width: right - left + 3, height: bottom - top + 3 };
};

const cut = (labels: Labels, label: number, slice: number, box: Box): Uint8Array =>
  Uint8Array.from({ length: box.width * box.height }, (_, place) => {
    const [column, row] = [box.left + (place % box.width), box.top + Math.floor(place / box.width)];
    const isInside = column >= 0 && row >= 0 && column < labels.size.columns && row < labels.size.rows;
    return isInside && labels.at(column, row, slice) === label ? 1 : 0;
  });

/** Negative inside, mm; the outline lies half way between pixel centres. */
const signed = (set: Uint8Array, box: Box, spacing: readonly [number, number]): Float64Array => {
  const outside = distances(set, box.width, box.height, spacing);
  const inside = distances(
    set.map((value) => 1 - value),
    box.width,
    box.height,
    spacing,
  );
  return outside.map((value, place) => value - (inside[place] ?? 0));
};

const fillGap = (
  edit: LabelEdit,
  label: number,
  [from, to]: readonly [number, number],
  spacing: readonly [number, number],
): void => {
  const box = boxAround(edit.labels, label, [from, to]);
  const first = signed(cut(edit.labels, label, from, box), box, spacing);
  const second = signed(cut(edit.labels, label, to, box), box, spacing);
  for (let slice = from + 1; slice < to; slice += 1) {
    const share = (slice - from) / (to - from);
    first.forEach((distance, place) => {
      if ((1 - share) * distance + share * (second[place] ?? 0) >= 0) return;
      edit.set(box.left + (place % box.width), box.top + Math.floor(place / box.width), slice, label);
    });
  }
};

/** Fill every gap between painted slices of a class; spacing: down a column, along a row. Returns the slices filled. */
export const fillBetween = (edit: LabelEdit, label: number, spacing: readonly [number, number]): number => {
  const painted = edit.labels.slicesOf(label);
  let filled = 0;
  painted.slice(1).forEach((to, nth) => {
    const from = painted[nth] ?? to;
    if (to - from > 1) fillGap(edit, label, [from, to], spacing);
    filled += to - from - 1;
  });
  return filled;
};
