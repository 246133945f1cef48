/** Connected parts of a class in 3D, found over runs along rows: memory grows with the outline, not the volume. */

import type { LabelEdit, Labels } from "./labels";

interface Run {
  readonly slice: number;
  readonly row: number;
  readonly start: number;
  /** Not included. */
  readonly end: number;
}

const runsOfRow = (labels: Labels, label: number, slice: number, row: number): Run[] => {
  const { columns } = labels.size;
  const values = labels.slice(slice)?.subarray(row * columns, (row + 1) * columns);
  const runs: Run[] = [];
  for (let start = values?.indexOf(label) ?? -1; values && start !== -1; ) {
    let end = start + 1;
    while (end < columns && values[end] === label) end += 1;
    runs.push({ slice, row, start, end });
    start = values.indexOf(label, end);
  }
  return runs;
};

/** Disjoint sets of run numbers (Tarjan 1975, path halving). */
class Sets {
  readonly #parents: number[] = [];

  add(): number {
    return this.#parents.push(this.#parents.length) - 1;
  }

  find(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) {
      const above = this.#parents[root] ?? root;
      this.#parents[root] = this.#parents[above] ?? above;
      root = this.#parents[root] ?? root;
    }
    return root;
  }

  join(a: number, b: number): void {
    this.#parents[this.find(a)] = this.find(b);
  }
}

type Numbered = readonly (readonly [Run, number])[];

/** Runs that share a column with a neighbouring row's are one part: neighbours by faces. */
const joinRows = (sets: Sets, here: Numbered, there: Numbered | undefined): void => {
  for (const [a, first] of here) {
    for (const [b, second] of there ?? []) if (a.start < b.end && b.start < a.end) sets.join(first, second);
  }
};

/** Connected parts, largest first: lists of runs. */
export const partsOf = (labels: Labels, label: number): (readonly Run[])[] => {
  const sets = new Sets();
  const rows = new Map<number, Numbered>();
  for (const slice of labels.slicesOf(label)) {
    for (let row = 0; row < labels.size.rows; row += 1) {
      const here = runsOfRow(labels, label, slice, row).map((run) => [run, sets.add()] as const);
      const place = slice * labels.size.rows + row;
      if (row > 0) joinRows(sets, here, rows.get(place - 1));
      joinRows(sets, here, rows.get(place - labels.size.rows));
      rows.set(place, here);
    }
  }
  const parts = new Map<number, Run[]>();
  for (const [run, member] of [...rows.values()].flat()) {
    const root = sets.find(member);
    const part = parts.get(root);
    if (part) part.push(run);
    else parts.set(root, [run]);
  }
  return [...parts.values()].sort((a, b) => voxelsOf(b) - voxelsOf(a));
};

const voxelsOf = (part: readonly Run[]): number => part.reduce((sum, { start, end }) => sum + end - start, 0);

/** Clear all but the largest part; returns how many voxels went. */
export const keepLargest = (edit: LabelEdit, label: number): number => {
  const islands = partsOf(edit.labels, label).slice(1);
  for (const { slice, row, start, end } of islands.flat()) {
    for (let column = start; column < end; column += 1) edit.set(column, row, slice, 0);
  }
  return islands.reduce((sum, part) => sum + voxelsOf(part), 0);
};
