/** Several masks of one case as one that tells them apart: who alone painted a voxel, and what more than one did. Pure. */

import type { Mask } from "../geometry/mask";
import { RunWriter, spansOf } from "../geometry/runs";

/** The class of what more than one painted. */
export const SHARED = "shared";

export interface Layer {
  /** Whose mask it is: a class of its own. */
  readonly name: string;
  readonly mask: Mask;
}

type Span = readonly [start: number, end: number];

const sizeOf = ({ shape }: Mask): number => shape.reduce((a, b) => a * b, 1);

/** A mask's foreground of one class. */
const spansIn = (mask: Mask, value: string): Span[] => {
  const runs = mask.classes[value];
  return runs === undefined ? [] : spansOf(runs, sizeOf(mask));
};

interface Edge {
  readonly at: number;
  readonly layer: number;
  readonly step: 1 | -1;
}

const edgesOf = (layers: readonly Layer[], value: string): Edge[] =>
  layers
    .flatMap(({ mask }, layer) =>
      spansIn(mask, value).flatMap(([start, end]): Edge[] => [
        { at: start, layer, step: 1 },
        { at: end, layer, step: -1 },
      ]),
    )
    .sort((a, b) => a.at - b.at);

const ownerOf = (open: readonly number[], layers: readonly Layer[]): string | null => {
  const on = open.filter((count) => count > 0).length;
  if (on === 0) return null;
  return on > 1 ? SHARED : (layers[open.findIndex((count) => count > 0)]?.name ?? null);
};

/** One class of several masks of the same images; null where there is none. */
export const combined = (layers: readonly Layer[], value: string): Mask | null => {
  const [first] = layers;
  if (!first) return null;
  const names = [...layers.map(({ name }) => name), SHARED];
  const writers = new Map(names.map((name) => [name, new RunWriter()]));
  const open = layers.map(() => 0);
  let from = 0;
  for (const { at, layer, step } of edgesOf(layers, value)) {
    const owner = at > from ? ownerOf(open, layers) : null;
    if (owner !== null) writers.get(owner)?.span(from, at);
    open[layer] = (open[layer] ?? 0) + step;
    from = at;
  }
  const classes = Object.fromEntries(
    [...writers].map(([name, writer]) => [name, writer.text(sizeOf(first.mask))]),
  );
  return { shape: first.mask.shape, images: first.mask.images, classes };
};

const lengthOf = (spans: readonly Span[]): number =>
  spans.reduce((sum, [start, end]) => sum + end - start, 0);

/** Voxels of a class. */
export const voxelsOf = (mask: Mask | null, value: string): number =>
  mask ? lengthOf(spansIn(mask, value)) : 0;

/** Dice of one class of two masks, 0 – 1; null where neither has it. */
export const diceOf = (one: Mask | null, other: Mask | null, value: string): number | null => {
  const [first, second] = [voxelsOf(one, value), voxelsOf(other, value)];
  if (first + second === 0) return null;
  if (!one || !other) return 0;
  const both = combined(
    [
      { name: "one", mask: one },
      { name: "other", mask: other },
    ],
    value,
  );
  return both ? (2 * voxelsOf(both, SHARED)) / (first + second) : null;
};
