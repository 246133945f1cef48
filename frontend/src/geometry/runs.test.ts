import { describe, expect, it } from "vitest";
import cases from "../../../tests/annotation/readings/mask_cases.json";
import { fromMask, Labels, toMask } from "./labels";
import { BadRuns, varint, varints } from "./runs";

interface MaskCase {
  readonly name: string;
  readonly shape: readonly [number, number, number];
  readonly spans?: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly runs: Readonly<Record<string, string>>;
}

const all = cases as unknown as readonly MaskCase[];
const good = all.filter(({ spans }) => spans !== undefined);
const bad = all.filter(({ spans }) => spans === undefined);
const imagesOf = ({ shape }: MaskCase): string[] =>
  Array.from({ length: shape[0] }, (_, nth) => `1.2.${nth}`);
const maskOf = (one: MaskCase) => ({ shape: one.shape, images: imagesOf(one), classes: one.runs });

const painted = ({ shape: [slices, rows, columns], spans = {}, runs }: MaskCase): Labels => {
  const labels = new Labels({ slices, rows, columns });
  Object.keys(runs).forEach((value, nth) => {
    for (const [start, end] of spans[value] ?? []) {
      for (let place = start; place < end; place += 1) {
        labels.writable(Math.floor(place / (rows * columns)))[place % (rows * columns)] = nth + 1;
      }
    }
  });
  return labels;
};

describe("run-length codes, as the server writes and reads them", () => {
  it.each(good)("$name: written", (one) => {
    expect(toMask(painted(one), imagesOf(one), Object.keys(one.runs)).classes).toEqual(one.runs);
  });

  it.each(good)("$name: read and written again", (one) => {
    const classes = Object.keys(one.runs);
    expect(toMask(fromMask(maskOf(one), imagesOf(one), classes), imagesOf(one), classes)).toEqual(
      maskOf(one),
    );
  });

  it.each(bad)("$name: refused", (one) => {
    expect(() => fromMask(maskOf(one), imagesOf(one), Object.keys(one.runs))).toThrow(BadRuns);
  });

  it("puts a mask whose slices are ordered otherwise into this order", () => {
    const mask = { shape: [2, 1, 2], images: ["b", "a"], classes: { nodule: "AAEC" } };
    expect(() => fromMask(mask, ["a", "b"], ["nodule"])).toThrow(BadRuns);
    const whole = { ...mask, classes: { nodule: "AAED" } };
    expect(fromMask(whole, ["a", "b"], ["nodule"]).at(0, 0, 1)).toBe(1);
  });

  it("refuses a mask of other images", () => {
    const mask = { shape: [1, 1, 2], images: ["x"], classes: {} };
    expect(() => fromMask(mask, ["a"], [])).toThrow("other images");
  });
});

describe("integers of seven bits a byte", () => {
  it.each([0, 1, 127, 128, 300, 16_384, 78_643_200])("hold %d", (value) => {
    expect(varints(Uint8Array.from(varint(value)))).toEqual([value]);
  });

  it("take two bytes for 300, low bits first", () => {
    expect(varint(300)).toEqual([0xac, 0x02]);
  });
});
