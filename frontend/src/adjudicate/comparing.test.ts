import { expect, test } from "vitest";
import type { Mask } from "../geometry/mask";
import { runsText, spansOf } from "../geometry/runs";
import { combined, diceOf, SHARED, voxelsOf } from "./comparing";

const mask = (...lengths: number[]): Mask => ({
  shape: [1, 2, 5],
  images: ["1.2"],
  classes: { vessel: runsText(lengths) },
});
const [one, other, empty] = [mask(1, 4, 5), mask(3, 4, 3), mask(10)];
const spans = (found: Mask | null, name: string) => spansOf(found?.classes[name] ?? "", 10);

test("what each painted alone and what both did are told apart", () => {
  const found = combined(
    [
      { name: "A", mask: one },
      { name: "B", mask: other },
    ],
    "vessel",
  );
  expect(spans(found, "A")).toEqual([[1, 3]]);
  expect(spans(found, "B")).toEqual([[5, 7]]);
  expect(spans(found, SHARED)).toEqual([[3, 5]]);
});

test("runs that touch are one, and nothing stays nothing", () => {
  const found = combined(
    [
      { name: "A", mask: mask(1, 2, 7) },
      { name: "B", mask: mask(3, 2, 5) },
    ],
    "vessel",
  );
  expect(spans(found, "A")).toEqual([[1, 3]]);
  expect(spans(found, "B")).toEqual([[3, 5]]);
  expect(spans(found, SHARED)).toEqual([]);
  expect(combined([], "vessel")).toBeNull();
});

test("of three, what any two painted is shared", () => {
  const layers = [one, other, mask(4, 6)].map((drawn, nth) => ({ name: "ABC".charAt(nth), mask: drawn }));
  const found = combined(layers, "vessel");
  expect(spans(found, SHARED)).toEqual([[3, 7]]);
  expect(spans(found, "C")).toEqual([[7, 10]]);
});

test("Dice is that of the overlap, none where neither painted", () => {
  expect(diceOf(one, other, "vessel")).toBeCloseTo((2 * 2) / 8);
  expect(diceOf(one, null, "vessel")).toBe(0);
  expect(diceOf(empty, empty, "vessel")).toBeNull();
  expect(voxelsOf(one, "vessel")).toBe(4);
});
