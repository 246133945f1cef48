/** The segmentations of a case: classes, what is painted, what is undone. No pixels on screen, no events. */

import { fillBetween } from "../geometry/between";
import { keepLargest } from "../geometry/islands";
import { fromMask, type GridSize, LabelEdit, Labels, toMask } from "../geometry/labels";
import type { Mask } from "../geometry/mask";
import { copySlice } from "../geometry/painting";
import type { History } from "./history";
import type { MaskClass, MaskClassStyle } from "./stage";

const FIRST_STYLE: MaskClassStyle = { isLocked: false, isVisible: true, opacity: 0.45 };

/** The slices that all segmentations of a case are of. */
export interface MaskGrid {
  readonly size: GridSize;
  readonly images: readonly string[];
}

export interface MaskLayer {
  readonly question: string;
  readonly classes: readonly MaskClass[];
  readonly labels: Labels;
}

const valuesOf = (classes: readonly MaskClass[]): string[] => classes.map(({ value }) => value);

export class Masks {
  readonly #history: History;
  readonly #listeners: ((question: string) => void)[] = [];
  readonly #layers = new Map<string, MaskLayer>();
  readonly #styles = new Map<string, MaskClassStyle>();
  #grid: MaskGrid | null = null;
  #active: MaskLayer | null = null;
  #suggested: MaskLayer | null = null;
  #suggestedMask: Mask | null = null;
  #class = "";
  #version = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** A new case; null where its frames cannot be painted as one. */
  open(grid: MaskGrid | null): void {
    this.touch();
    this.#grid = grid;
    this.#layers.clear();
    this.#styles.clear();
    this.#active = null;
    this.#suggested = null;
    this.#suggestedMask = null;
    this.#class = "";
  }

  /** Grows whenever what is to be seen may have changed. */
  get version(): number {
    return this.#version;
  }

  /** A stroke goes on. */
  touch(): void {
    this.#version += 1;
  }

  get layer(): MaskLayer | null {
    return this.#active;
  }

  get suggested(): MaskLayer | null {
    return this.#suggested;
  }

  /** Number of the class that is painted; 0 where there is none. */
  get label(): number {
    return this.#active ? valuesOf(this.#active.classes).indexOf(this.#class) + 1 : 0;
  }

  onChange(listener: (question: string) => void): void {
    this.#listeners.push(listener);
  }

  /** raises: Error where the case's frames differ in size. */
  ask(question: string, classes: readonly MaskClass[]): void {
    if (!this.#grid) throw new Error("The images differ in size: they cannot be painted as one");
    this.touch();
    const known = this.#layers.get(question);
    this.#active = { question, classes, labels: known?.labels ?? new Labels(this.#grid.size) };
    this.#layers.set(question, this.#active);
    if (this.label === 0) this.#class = classes[0]?.value ?? "";
  }

  set(question: string, mask: Mask | null): void {
    const layer = this.#layers.get(question);
    if (!layer || !this.#grid) throw new Error(`Nothing was asked as "${question}"`);
    const labels = mask
      ? fromMask(mask, this.#grid.images, valuesOf(layer.classes))
      : new Labels(this.#grid.size);
    this.touch();
    const changed = { ...layer, labels };
    this.#layers.set(question, changed);
    if (this.#active?.question === question) this.#active = changed;
  }

  mask(question: string): Mask | null {
    const layer = this.#layers.get(question);
    if (!layer || !this.#grid || layer.labels.isEmpty()) return null;
    return toMask(layer.labels, this.#grid.images, valuesOf(layer.classes));
  }

  choose(value: string): void {
    if (this.#active && valuesOf(this.#active.classes).includes(value)) this.#class = value;
  }

  style(value: string): MaskClassStyle {
    return this.#styles.get(value) ?? FIRST_STYLE;
  }

  setStyle(value: string, style: Partial<MaskClassStyle>): void {
    this.touch();
    this.#styles.set(value, { ...this.style(value), ...style });
  }

  suggest(question: string, mask: Mask): void {
    const layer = this.#layers.get(question) ?? this.#active;
    if (!this.#grid || !layer) return;
    this.touch();
    this.#suggestedMask = mask;
    this.#suggested = {
      question,
      classes: layer.classes,
      labels: fromMask(mask, this.#grid.images, valuesOf(layer.classes)),
    };
  }

  suggestNothing(): void {
    this.touch();
    this.#suggested = null;
    this.#suggestedMask = null;
  }

  /** The suggested mask becomes what is painted. */
  accept(): void {
    const [suggested, mask] = [this.#suggested, this.#suggestedMask];
    if (!suggested || !mask) return;
    const { question } = suggested;
    const before = this.mask(question);
    const frame = suggested.labels.slicesOf(1)[0] ?? 0;
    const redo = (): void => this.#replace(question, mask);
    redo();
    this.suggestNothing();
    this.#history.add({ frame, redo, undo: () => this.#replace(question, before) });
  }

  /** Start painting; null where there is nothing to paint on. */
  edit(): LabelEdit | null {
    return this.#active && new LabelEdit(this.#active.labels, this.#locked());
  }

  /** An act has ended: it can be undone, and whoever listens is told. */
  finish(edit: LabelEdit): void {
    const diff = edit.finish();
    const { question } = this.#active ?? { question: "" };
    const [first] = diff;
    if (!first) return;
    const put = (direction: "before" | "after") => (): void => {
      edit.labels.apply(diff, direction);
      this.#tell(question);
    };
    this.#history.add({ frame: first.slice, undo: put("before"), redo: put("after") });
    this.#tell(question);
  }

  /** Add the active class of one slice to another. */
  copy(from: number, to: number): void {
    this.#whole((edit) => copySlice(edit, from, to, this.label));
  }

  removeIslands(): number {
    return this.#whole((edit) => keepLargest(edit, this.label)) ?? 0;
  }

  /** spacing: down a column, along a row, mm. */
  fillBetween(spacing: readonly [number, number]): number {
    return this.#whole((edit) => fillBetween(edit, this.label, spacing)) ?? 0;
  }

  #whole<T>(act: (edit: LabelEdit) => T): T | undefined {
    const edit = this.label === 0 ? null : this.edit();
    if (!edit) return undefined;
    const result = act(edit);
    this.finish(edit);
    return result;
  }

  #replace(question: string, mask: Mask | null): void {
    this.set(question, mask);
    this.#tell(question);
  }

  #locked(): ReadonlySet<number> {
    const classes = this.#active?.classes ?? [];
    return new Set(classes.flatMap(({ value }, nth) => (this.style(value).isLocked ? [nth + 1] : [])));
  }

  #tell(question: string): void {
    this.touch();
    for (const listener of this.#listeners) listener(question);
  }
}
