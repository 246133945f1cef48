import { describe, expect, it } from "vitest";
import { Grid, idOf, pointsFrom } from "./points";

const made = (places: readonly (readonly [number, number])[]) => {
  const count = places.length;
  const buffer = new ArrayBuffer(28 * count);
  new Uint32Array(buffer, 0, count).set(places.map((_, index) => index + 1));
  new Uint16Array(buffer, 4 * count, count).set(places.map(([x]) => x));
  new Uint16Array(buffer, 6 * count, count).set(places.map(([, y]) => y));
  new Uint8Array(buffer, 11 * count, 16).set(Array.from({ length: 16 }, (_, index) => index));
  new Uint8Array(buffer, 27 * count, count).fill(255);
  return pointsFrom(buffer, count);
};

describe("a map's file", () => {
  it("is read part by part", () => {
    const points = made([
      [1, 2],
      [65_535, 4],
    ]);
    expect([...points.numbers]).toEqual([1, 2]);
    expect([...points.x]).toEqual([1, 65_535]);
    expect([...points.label]).toEqual([255, 255]);
    expect(idOf(points, 0)).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
  });

  it("of another length is refused", () => {
    expect(() => pointsFrom(new ArrayBuffer(10), 1)).toThrow("10 bytes, not 28");
  });
});

describe("the grid", () => {
  it("finds the nearest point, over the border of a cell too, and none that is further away", () => {
    const grid = new Grid(
      made([
        [255, 255],
        [257, 257],
        [40_000, 40_000],
      ]),
    );
    expect(grid.nearest(258, 258, 50)).toBe(1);
    expect(grid.nearest(250, 250, 50)).toBe(0);
    expect(grid.nearest(39_000, 40_000, 500)).toBe(-1);
    expect(grid.nearest(39_000, 40_000, 1_000)).toBe(2);
  });

  it("agrees with looking at every point", () => {
    const places = Array.from(
      { length: 2000 },
      (_, index) => [(index * 7919) % 65_536, (index * 104_729) % 65_536] as const,
    );
    const grid = new Grid(made(places));
    const inside = [...grid.inside(10_000, 20_000, 30_000, 25_000)].sort((a, b) => a - b);
    const expected = places.flatMap(([x, y], index) =>
      x >= 10_000 && x <= 30_000 && y >= 20_000 && y <= 25_000 ? [index] : [],
    );
    expect(inside).toEqual(expected);
    expect(inside.length).toBeGreaterThan(10);
  });
});
