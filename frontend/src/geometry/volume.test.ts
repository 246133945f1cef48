import { describe, expect, it } from "vitest";
import { slab } from "../images/slab";
import type { ImagePlane } from "./plane";
import { millimetres, pointLps } from "./units";
import { gridOf, letterOf, obliquity, planeView, volumeProblem } from "./volume";

const axial = (z: number, change: Partial<ImagePlane> = {}): ImagePlane => ({
  origin: pointLps(-100, -120, z),
  alongRow: [1, 0, 0],
  alongColumn: [0, 1, 0],
  columnSpacing: millimetres(0.5),
  rowSpacing: millimetres(2),
  ...change,
});

const stack = [0, 5, 10, 15].map((z) => axial(z));
const upright = (planes: readonly ImagePlane[]) => {
  const grid = gridOf(planes, 4, 3);
  if (!grid) throw new Error("no grid");
  return grid;
};

describe("slices", () => {
  it("are a volume where they are parallel, alike and evenly spaced", () => {
    expect(volumeProblem(stack)).toBe("");
    expect(upright(stack)).toMatchObject({ size: [4, 3, 4], spacingMm: [0.5, 2, 5] });
  });

  it.each([
    ["no position", [axial(0), undefined, axial(10)], "no_position"],
    ["too few", [axial(0), axial(5)], "too_few_slices"],
    ["a gap", [axial(0), axial(5), axial(15)], "uneven"],
    ["one place twice", [axial(0), axial(5), axial(5), axial(10)], "one_place"],
    ["other pixels", [axial(0), axial(5, { rowSpacing: millimetres(1) }), axial(10)], "pixels_differ"],
    ["another direction", [axial(0), axial(5, { alongRow: [0.9, 0, 0.436] }), axial(10)], "not_parallel"],
    ["a tilted gantry", [0, 5, 10].map((z) => axial(z, { origin: pointLps(-100, z / 3, z) })), "tilted"],
  ] as const)("are not: %s", (_, planes, problem) => {
    expect(volumeProblem(planes)).toBe(problem);
  });

  it("are a volume too where stored directions are rounded to a length that is not quite 1", () => {
    const rounded = [0, 5, 10].map((d) =>
      axial(0, {
        alongRow: [0.936, 0.312, -0.16],
        alongColumn: [-0.2784, 0.94, 0.1977],
        origin: pointLps(0.2121 * d, -0.1405 * d, 0.9668 * d),
      }),
    );
    expect(volumeProblem(rounded)).toBe("");
  });

  it("show the patient's left on the right and the head up", () => {
    const grid = upright(stack);
    expect(planeView(grid, "axial")).toMatchObject({
      through: 2,
      across: 0,
      down: 1,
      isAcrossReversed: false,
      isDownReversed: false,
    });
    expect(planeView(grid, "coronal")).toMatchObject({
      through: 1,
      across: 0,
      down: 2,
      isAcrossReversed: false,
      isDownReversed: true,
    });
    expect(planeView(grid, "sagittal")).toMatchObject({
      through: 0,
      across: 1,
      down: 2,
      isAcrossReversed: false,
      isDownReversed: true,
    });
  });

  it("of a sagittal acquisition too", () => {
    // Rows run to the back, columns down to the feet: the normal points to the patient's right.
    const planes = [0, 4, 8].map((x) =>
      axial(0, { origin: pointLps(-x, 0, 0), alongRow: [0, 1, 0], alongColumn: [0, 0, -1] }),
    );
    const grid = upright(planes);
    expect(grid.directions[2]).toEqual([-1, 0, 0].map((value) => expect.closeTo(value, 12)));
    expect(planeView(grid, "sagittal")).toMatchObject({
      through: 2,
      across: 0,
      down: 1,
      isDownReversed: false,
    });
    expect(planeView(grid, "axial")).toMatchObject({
      through: 1,
      across: 2,
      down: 0,
      isAcrossReversed: true,
    });
  });

  it("say how far they lie from the patient's axes", () => {
    const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    const tilted = [0, 5, 10].map((d) =>
      axial(0, { alongColumn: [0, c, s], origin: pointLps(0, -s * d, c * d) }),
    );
    expect(volumeProblem(tilted)).toBe("");
    expect(obliquity(upright(tilted))).toBeCloseTo(30, 9);
    expect(letterOf([0, c, s])).toBe("PH");
    expect(letterOf([-1, 0, 0])).toBe("R");
  });
});

describe("a slab", () => {
  // 4 columns, 3 rows, 3 slices; a voxel's value says where it is.
  const slices = [0, 1, 2].map((k) =>
    Int16Array.from({ length: 12 }, (_, place) => 100 * k + 10 * Math.floor(place / 4) + (place % 4)),
  );
  const size = [4, 3, 3] as const;

  it("of one slice is the slice", () => {
    const request = { through: 2, across: 0, down: 1, at: 1, half: 0, mode: "mean" } as const;
    expect([...slab(slices, size, request, -1)]).toEqual([...(slices[1] ?? [])]);
  });

  it("runs down the slices in a coronal plane", () => {
    const request = { through: 1, across: 0, down: 2, at: 2, half: 0, mode: "mean" } as const;
    expect([...slab(slices, size, request, -1)]).toEqual([
      20, 21, 22, 23, 120, 121, 122, 123, 220, 221, 222, 223,
    ]);
  });

  it("runs across the slices where these are the columns", () => {
    const request = { through: 1, across: 2, down: 0, at: 0, half: 0, mode: "mean" } as const;
    expect([...slab(slices, size, request, -1)]).toEqual([
      0, 100, 200, 1, 101, 201, 2, 102, 202, 3, 103, 203,
    ]);
  });

  it.each([
    ["mean", 110],
    ["maximum", 210],
    ["minimum", 10],
  ] as const)("shows the %s of its voxels", (mode, value) => {
    const request = { through: 2, across: 0, down: 1, at: 1, half: 1, mode } as const;
    expect(slab(slices, size, request, -1)[4]).toBe(value);
  });

  it("ends at the volume's edge", () => {
    const request = { through: 2, across: 0, down: 1, at: 0, half: 1, mode: "mean" } as const;
    expect(slab(slices, size, request, -1)[0]).toBe(50);
  });

  it("shows where a slice is not here yet", () => {
    const request = { through: 1, across: 0, down: 2, at: 2, half: 0, mode: "mean" } as const;
    expect([...slab([slices[0], undefined, slices[2]], size, request, -7)].slice(3, 6)).toEqual([23, -7, -7]);
  });
});
