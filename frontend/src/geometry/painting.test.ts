import { describe, expect, it } from "vitest";
import { distances, fillBetween } from "./between";
import { keepLargest, partsOf } from "./islands";
import { LabelEdit, Labels } from "./labels";
import { copySlice, filled, type Index3, stroke } from "./painting";
import type { Point } from "./region";

const size = { columns: 20, rows: 16, slices: 5 };
// Columns 1 mm, rows 2 mm, slices 4 mm apart.
const spacingMm: Index3 = [1, 2, 4];

const count = (labels: Labels, label: number, slice: number): number =>
  labels.slice(slice)?.filter((value) => value === label).length ?? 0;

const dot = (edit: LabelEdit, at: Index3, radiusMm: number, flat: 0 | 1 | 2 | null, label = 1): void =>
  stroke(edit, [at, at], { radiusMm, spacingMm, flat }, label);

describe("a brush", () => {
  it("paints a circle in mm: an ellipse in voxels that are not square", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [10, 8, 2], 4, 2);
    expect([labels.at(6, 8, 2), labels.at(5, 8, 2), labels.at(10, 6, 2), labels.at(10, 5, 2)]).toEqual([
      1, 0, 1, 0,
    ]);
    expect(labels.slicesOf(1)).toEqual([2]);
  });

  it("paints a sphere through the slices that it reaches", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [10, 8, 2], 4, null);
    expect(labels.slicesOf(1)).toEqual([1, 2, 3]);
    expect(count(labels, 1, 1)).toBe(1);
  });

  it("paints across another axis in a reformatted plane", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [10, 8, 2], 4, 1);
    expect(labels.slicesOf(1)).toEqual([1, 2, 3]);
    expect([labels.at(14, 8, 2), labels.at(10, 7, 2)]).toEqual([1, 0]);
  });

  it("leaves no gap along a fast stroke", () => {
    const labels = new Labels(size);
    stroke(
      new LabelEdit(labels),
      [
        [2, 8, 0],
        [17, 8, 0],
      ],
      { radiusMm: 0.4, spacingMm, flat: 2 },
      1,
    );
    expect(count(labels, 1, 0)).toBe(16);
  });

  it("paints the voxel under the pointer even where it is larger than the brush", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [3.4, 2.6, 1], 0.1, 2);
    expect(labels.at(3, 3, 1)).toBe(1);
  });

  it("stays inside the volume", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [0, 0, 0], 6, null);
    expect(labels.at(0, 0, 0)).toBe(1);
  });

  it("leaves locked classes and forbidden voxels alone", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [5, 8, 0], 2, 2, 2);
    dot(new LabelEdit(labels, new Set([2])), [6, 8, 0], 2, 2, 1);
    expect(count(labels, 2, 0)).toBe(7);
    const before = count(labels, 1, 0);
    stroke(
      new LabelEdit(labels),
      [
        [15, 8, 0],
        [15, 8, 0],
      ],
      { radiusMm: 3, spacingMm, flat: 2 },
      1,
      () => false,
    );
    expect(count(labels, 1, 0)).toBe(before);
  });
});

describe("an edit", () => {
  it("can be taken off and put on again", () => {
    const labels = new Labels(size);
    dot(new LabelEdit(labels), [5, 8, 1], 3, 2, 2);
    const was = labels.slice(1)?.slice();
    const edit = new LabelEdit(labels);
    dot(edit, [7, 8, 1], 3, 2, 1);
    const diff = edit.finish();
    const is = labels.slice(1)?.slice();
    labels.apply(diff, "before");
    expect(labels.slice(1)).toEqual(was);
    labels.apply(diff, "after");
    expect(labels.slice(1)).toEqual(is);
  });

  it("that changes nothing has no diff", () => {
    const edit = new LabelEdit(new Labels(size));
    edit.set(1, 1, 1, 0);
    expect(edit.finish()).toEqual([]);
  });
});

describe("scissors", () => {
  const inside = (outline: readonly Point[]): string[] => {
    const found: string[] = [];
    filled(outline, 6, 6, (column, row) => void found.push(`${column},${row}`));
    return found;
  };

  it("take the pixels whose centres are inside", () => {
    expect(
      inside([
        [1, 1],
        [3, 1],
        [3, 3],
        [1, 3],
      ]),
    ).toEqual(["1,1", "2,1", "1,2", "2,2"]);
    expect(
      inside([
        [1.6, 1],
        [3.4, 1],
        [3.4, 2],
        [1.6, 2],
      ]),
    ).toEqual(["2,1"]);
  });

  it("leave a hole where the outline runs around it twice", () => {
    expect(
      inside([
        [0, 0],
        [6, 0],
        [6, 6],
        [0, 6],
        [0, 0],
        [2, 2],
        [4, 2],
        [4, 4],
        [2, 4],
        [2, 2],
      ]),
    ).toHaveLength(32);
  });

  it("stop at the image's edge", () => {
    expect(
      inside([
        [-9, 4.6],
        [99, 4.6],
        [99, 99],
        [-9, 99],
      ]),
    ).toHaveLength(6);
  });
});

it("copies one class to another slice and nothing else", () => {
  const labels = new Labels(size);
  dot(new LabelEdit(labels), [5, 8, 1], 2, 2, 1);
  dot(new LabelEdit(labels), [15, 8, 1], 2, 2, 2);
  copySlice(new LabelEdit(labels), 1, 2, 1);
  expect([count(labels, 1, 2), count(labels, 2, 2)]).toEqual([count(labels, 1, 1), 0]);
});

describe("islands", () => {
  it("are parts that share no face, also through slices", () => {
    const edit = new LabelEdit(new Labels(size));
    for (const [column, row, slice] of [
      [1, 1, 0],
      [2, 1, 0],
      [2, 1, 1],
      [3, 2, 1],
      [9, 9, 4],
    ] as const) {
      edit.set(column, row, slice, 1);
    }
    expect(partsOf(edit.labels, 1).map((part) => part.length)).toEqual([2, 1, 1]);
  });

  it("go, but for the largest", () => {
    const edit = new LabelEdit(new Labels(size));
    dot(edit, [5, 8, 1], 3, null);
    const large = partsOf(edit.labels, 1).length;
    edit.set(15, 2, 4, 1);
    edit.set(15, 3, 4, 2);
    expect(keepLargest(edit, 1)).toBe(1);
    expect([edit.labels.at(15, 2, 4), edit.labels.at(15, 3, 4), large]).toEqual([0, 2, 1]);
  });

  it("join where a part branches and meets again", () => {
    const edit = new LabelEdit(new Labels(size));
    for (let row = 0; row < 5; row += 1) for (const column of [2, 6]) edit.set(column, row, 0, 1);
    for (let column = 2; column <= 6; column += 1) edit.set(column, 5, 0, 1);
    expect(partsOf(edit.labels, 1)).toHaveLength(1);
  });
});

describe("filling between slices", () => {
  it("measures distances in mm to the nearest set pixel", () => {
    const set = new Uint8Array(5 * 4);
    set[0] = 1;
    const found = distances(set, 5, 4, [2, 1]);
    expect(found[4]).toBeCloseTo(4, 12);
    expect(found[2 * 5 + 3]).toBeCloseTo(5, 12);
    const brute = (place: number): number => Math.hypot(place % 5, 2 * Math.floor(place / 5));
    found.forEach((value, place) => void expect(value).toBeCloseTo(brute(place), 12));
  });

  it("repeats a shape that is the same on both sides", () => {
    const edit = new LabelEdit(new Labels(size));
    for (const slice of [0, 4]) dot(edit, [9, 8, slice], 5, 2);
    expect(fillBetween(edit, 1, [2, 1])).toBe(3);
    expect([1, 2, 3].map((slice) => [...(edit.labels.slice(slice) ?? [])])).toEqual(
      [0, 0, 0].map((slice) => [...(edit.labels.slice(slice) ?? [])]),
    );
  });

  it("goes from a large shape to a small one in steps", () => {
    const edit = new LabelEdit(new Labels(size));
    dot(edit, [9, 8, 0], 8, 2);
    dot(edit, [9, 8, 4], 2, 2);
    fillBetween(edit, 1, [2, 1]);
    const sizes = [0, 1, 2, 3, 4].map((slice) => count(edit.labels, 1, slice));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes[2]).toBeGreaterThan(sizes[4] ?? 0);
  });

  it("has nothing to do where no slice is missing", () => {
    const edit = new LabelEdit(new Labels(size));
    for (const slice of [1, 2]) dot(edit, [9, 8, slice], 5, 2);
    expect([fillBetween(edit, 1, [2, 1]), edit.labels.slicesOf(1)]).toEqual([0, [1, 2]]);
  });
});
