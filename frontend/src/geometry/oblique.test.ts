import { describe, expect, it } from "vitest";
import { relabel, reslice } from "../images/reslice";
import { Labels } from "./labels";
import {
  combined,
  cross,
  dot,
  extentAlong,
  inPatient,
  turnedAbout,
  turnedCut,
  unit,
  type Vector,
} from "./oblique";
import type { Grid } from "./volume";

const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
const GRID: Grid = {
  size: [5, 7, 4],
  spacingMm: [0.9, 0.7, 2.5],
  directions: [
    [c, 0, s],
    [0, 1, 0],
    [-s, 0, c],
  ],
};

const expectVector = (found: Vector, wanted: Vector): void =>
  found.forEach((value, axis) => {
    expect(value).toBeCloseTo(wanted[axis] ?? Number.NaN, 12);
  });

describe("directions of turned planes", () => {
  it("turn by the right-hand rule", () => {
    expectVector(turnedAbout(unit(0), unit(2), Math.PI / 6), [c, s, 0]);
    expectVector(turnedAbout(unit(2), unit(2), 1), [0, 0, 1]);
  });

  it("stay at right angles after many turns", () => {
    let cut = { across: unit(0), down: unit(2), normal: unit(1) };
    for (let turn = 0; turn < 100; turn += 1) cut = turnedCut(cut, turn % 2 === 0 ? unit(2) : unit(0), 0.37);
    expect(dot(cut.across, cut.down)).toBeCloseTo(0, 12);
    expect(dot(cut.across, cut.across)).toBeCloseTo(1, 12);
    // Across and down were turned as the normal was: it is still what they are at right angles to.
    expectVector(cross(cut.across, cut.down), combined([-1, cut.normal]));
  });

  it("are told in the patient by the grid's own directions", () => {
    expectVector(inPatient(GRID, [0, 0, 1]), [-s, 0, c]);
  });

  it("end where the volume's last corner is", () => {
    expect(extentAlong(GRID, unit(2))).toEqual([-1.25, 8.75]);
    const [low, high] = extentAlong(GRID, [c, s, 0]);
    expect(high - low).toBeCloseTo(5 * 0.9 * c + 7 * 0.7 * s, 12);
  });
});

describe("values between voxels", () => {
  /** A ramp in mm, which linear interpolation gives back without error. */
  const ramp = ([x, y, z]: Vector): number => 3 * x - 2 * y + 5 * z + 11;
  const slices = Array.from({ length: 4 }, (_, k) =>
    Float32Array.from({ length: 35 }, (_, at) => ramp([(at % 5) * 0.9, Math.floor(at / 5) * 0.7, k * 2.5])),
  );
  const request = {
    start: [1, 2, 0.5],
    across: [c / 0.9, s / 0.7, 0],
    down: [0, 0, 0.5 / 2.5],
    through: [-s / 0.9, c / 0.7, 0],
    columns: 3,
    rows: 2,
    half: 0,
    mode: "mean",
  } as const;

  it("are those of a ramp at the very place, on pixels that are not square", () => {
    const found = reslice(slices, GRID.size, request, -1);
    const start: Vector = [0.9, 1.4, 1.25];
    for (const [row, column] of [
      [0, 0],
      [0, 2],
      [1, 1],
    ] as const) {
      const place = combined([1, start], [column, [c, s, 0]], [row, [0, 0, 0.5]]);
      expect(found[row * 3 + column]).toBeCloseTo(ramp(place), 4);
    }
  });

  it("are the brightest or the mean of a slab's steps", () => {
    const slab = (mode: "mean" | "maximum") =>
      reslice(slices, GRID.size, { ...request, half: 1, mode }, -1)[0];
    expect(slab("mean")).toBeCloseTo(ramp([0.9, 1.4, 1.25]), 4);
    expect(slab("maximum")).toBeCloseTo(ramp([0.9 + s, 1.4 - c, 1.25]), 4);
  });

  it("are none outside of the volume and where a slice is not here yet", () => {
    expect(reslice(slices, GRID.size, { ...request, start: [-0.6, 2, 0.5] }, -1)[0]).toBe(-1);
    expect(reslice([slices[0], undefined, slices[2], slices[3]], GRID.size, request, -7)[0]).toBe(-7);
  });
});

describe("classes on turned planes", () => {
  const labels = new Labels({ columns: 5, rows: 7, slices: 4 });
  labels.writable(2)[3 * 5 + 1] = 2;
  const grid = { across: [0.25, 0, 0], down: [0, 0, 0.5], columns: 12, rows: 8 } as const;

  it("are those of the voxel that a pixel's centre lies in, on pixels that are not square", () => {
    const found = relabel(labels, { ...grid, start: [-0.45, 3, -0.45] });
    const painted = [...found].flatMap((label, at) =>
      label === 0 ? [] : [[Math.floor(at / 12), at % 12, label]],
    );
    // Columns 0.55 – 1.3 lie in voxel 1 (0.5 – 1.5), rows 1.55 and 2.05 in slice 2 (1.5 – 2.5).
    const columns = [4, 5, 6, 7];
    expect(painted).toEqual([4, 5].flatMap((row) => columns.map((column) => [row, column, 2])));
  });

  it("are none outside of the volume", () => {
    labels.writable(0).fill(1);
    const outside = relabel(labels, { ...grid, start: [-2, 0, -2], columns: 6, rows: 3 });
    expect([...outside]).toEqual(new Array(18).fill(0));
  });
});
