/** A segmentation while it is painted: one class a voxel, slices made when they are first painted. */

import type { Mask } from "./mask";
import type { Axis } from "./painting";
import { BadRuns, RunWriter, spansOf } from "./runs";

export interface GridSize {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
}

/** What one act changed on one slice. */
export interface SliceDiff {
  readonly slice: number;
  readonly places: Uint32Array;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export type LabelDiff = readonly SliceDiff[];

/** 0 is background, n is the nth class. */
export class Labels {
  readonly size: GridSize;
  readonly #slices: (Uint8Array<ArrayBuffer> | undefined)[];

  constructor(size: GridSize) {
    this.size = size;
    this.#slices = Array.from({ length: size.slices }, () => undefined);
  }

  /** A slice's classes row by row; undefined where nothing was ever painted. */
  slice(nth: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#slices[nth];
  }

  /** A slice to write to. */
  writable(nth: number): Uint8Array<ArrayBuffer> {
    if (nth < 0 || nth >= this.size.slices) throw new RangeError(`There is no slice ${nth}`);
    const slice = this.#slices[nth] ?? new Uint8Array(this.size.rows * this.size.columns);
    this.#slices[nth] = slice;
    return slice;
  }

  at(column: number, row: number, slice: number): number {
    return this.#slices[slice]?.[row * this.size.columns + column] ?? 0;
  }

  /** Slices on which a class is. */
  slicesOf(label: number): number[] {
    return this.#slices.flatMap((slice, nth) => (slice?.includes(label) ? [nth] : []));
  }

  isEmpty(): boolean {
    return this.#slices.every((slice) => slice?.every((label) => label === 0) ?? true);
  }

  /** Put a diff on, or (backwards) take it off. */
  apply(diff: LabelDiff, direction: "before" | "after"): void {
    for (const change of diff) {
      const slice = this.writable(change.slice);
      change.places.forEach((place, nth) => {
        slice[place] = change[direction][nth] ?? 0;
      });
    }
  }
}

/** One plane along the grid's axes as a picture's pixels: (down, across). */
export const labelsAlong = (
  labels: Labels,
  axes: { readonly across: Axis; readonly down: Axis; readonly through: Axis },
  at: number,
): Uint8Array => {
  const size = [labels.size.columns, labels.size.rows, labels.size.slices] as const;
  if (axes.through === 2 && axes.across === 0) {
    return labels.slice(at) ?? new Uint8Array(size[0] * size[1]);
  }
  const [width, height] = [size[axes.across], size[axes.down]];
  const plane = new Uint8Array(width * height);
  const voxel: [number, number, number] = [0, 0, 0];
  voxel[axes.through] = at;
  for (let row = 0, place = 0; row < height; row += 1) {
    voxel[axes.down] = row;
    for (let column = 0; column < width; column += 1, place += 1) {
      voxel[axes.across] = column;
      plane[place] = labels.at(...voxel);
    }
  }
  return plane;
};

/** One act in the making: remembers each slice as it was before. */
export class LabelEdit {
  readonly labels: Labels;
  readonly #before = new Map<number, Uint8Array>();
  /** Classes that may not be painted over. */
  readonly #locked: ReadonlySet<number>;

  constructor(labels: Labels, locked: ReadonlySet<number> = new Set()) {
    this.labels = labels;
    this.#locked = locked;
  }

  get slices(): number[] {
    return [...this.#before.keys()];
  }

  set(column: number, row: number, slice: number, label: number): void {
    const { columns, rows, slices } = this.labels.size;
    if (column < 0 || row < 0 || slice < 0 || column >= columns || row >= rows || slice >= slices) return;
    const place = row * columns + column;
    const now = this.labels.slice(slice)?.[place] ?? 0;
    if (now === label || this.#locked.has(now) || this.#locked.has(label)) return;
    this.#touched(slice)[place] = label;
  }

  /** What changed, and where. */
  finish(): LabelDiff {
    return [...this.#before].flatMap(([slice, before]) => {
      const diff = sliceDiff(slice, before, this.labels.writable(slice));
      return diff.places.length > 0 ? [diff] : [];
    });
  }

  #touched(slice: number): Uint8Array {
    const live = this.labels.writable(slice);
    if (!this.#before.has(slice)) this.#before.set(slice, live.slice());
    return live;
  }
}

const sliceDiff = (slice: number, before: Uint8Array, after: Uint8Array): SliceDiff => {
  const changed: number[] = [];
  for (let place = 0; place < before.length; place += 1)
    if (before[place] !== after[place]) changed.push(place);
  const places = Uint32Array.from(changed);
  const taken = (from: Uint8Array): Uint8Array => Uint8Array.from(places, (place) => from[place] ?? 0);
  return { slice, places, before: taken(before), after: taken(after) };
};

const writeSlice = (writer: RunWriter, slice: Uint8Array, offset: number, label: number): void => {
  for (let start = slice.indexOf(label); start !== -1; ) {
    let end = start + 1;
    while (end < slice.length && slice[end] === label) end += 1;
    writer.span(offset + start, offset + end);
    start = slice.indexOf(label, end);
  }
};

const runsOf = (labels: Labels, label: number): string => {
  const { columns, rows, slices } = labels.size;
  const writer = new RunWriter();
  for (let nth = 0; nth < slices; nth += 1) {
    const slice = labels.slice(nth);
    if (slice) writeSlice(writer, slice, nth * rows * columns, label);
  }
  return writer.text(slices * rows * columns);
};

/** classes: values in the order of their labels, from 1. */
export const toMask = (labels: Labels, images: readonly string[], classes: readonly string[]): Mask => ({
  shape: [labels.size.slices, labels.size.rows, labels.size.columns],
  images: [...images],
  classes: Object.fromEntries(classes.map((value, nth) => [value, runsOf(labels, nth + 1)])),
});

const paintSpan = (slice: Uint8Array, start: number, end: number, label: number): void => {
  for (let place = start; place < end; place += 1) {
    if (slice[place] !== 0) throw new BadRuns("Two classes share a voxel");
    slice[place] = label;
  }
};

/** Cut a span at the ends of slices. */
const eachPart = (
  [start, end]: readonly [number, number],
  voxels: number,
  act: (slice: number, from: number, to: number) => void,
): void => {
  for (let from = start; from < end; ) {
    const slice = Math.floor(from / voxels);
    const to = Math.min(end, (slice + 1) * voxels);
    act(slice, from - slice * voxels, to - slice * voxels);
    from = to;
  }
};

/**
 * images: the slices as they are here; a mask whose slices are ordered otherwise is put in this order.
 * raises: BadRuns where the mask is of other images or not well formed.
 */
export const fromMask = (mask: Mask, images: readonly string[], classes: readonly string[]): Labels => {
  const [slices, rows, columns] = mask.shape;
  if (!slices || !rows || !columns || slices !== images.length || mask.images.length !== slices) {
    throw new BadRuns(`The mask has ${slices} slices, the case ${images.length}`);
  }
  const places = mask.images.map((image) => images.indexOf(image));
  if (places.includes(-1)) throw new BadRuns("The mask is of other images");
  const labels = new Labels({ slices, rows, columns });
  for (const [value, runs] of Object.entries(mask.classes)) {
    const label = classes.indexOf(value) + 1;
    if (label === 0) throw new BadRuns(`The mask has a class "${value}" that is not asked`);
    for (const span of spansOf(runs, slices * rows * columns)) {
      eachPart(span, rows * columns, (slice, from, to) =>
        paintSpan(labels.writable(places[slice] ?? 0), from, to, label),
      );
    }
  }
  return labels;
};
