import { describe, expect, it } from "vitest";
import { type ImagePlane, lengthBetween, normalOf, positionAlong, toIndex, toPatient } from "./plane";
import { indexIj, millimetres, pointLps } from "./units";

const axial: ImagePlane = {
  origin: pointLps(-100, -120, 40),
  alongRow: [1, 0, 0],
  alongColumn: [0, 1, 0],
  columnSpacing: millimetres(0.5),
  rowSpacing: millimetres(2),
};

// Rows run 30° up out of the axial plane; columns run straight back.
const oblique: ImagePlane = {
  origin: pointLps(10, 20, 30),
  alongRow: [Math.cos(Math.PI / 6), 0, Math.sin(Math.PI / 6)],
  alongColumn: [0, 1, 0],
  columnSpacing: millimetres(0.7),
  rowSpacing: millimetres(1.3),
};

describe("an image plane", () => {
  it("uses column spacing along a row and row spacing down a column", () => {
    expect(toPatient(axial, indexIj(10, 3))).toEqual([-95, -114, 40]);
  });

  it("places an oblique pixel in all three directions", () => {
    const [x, y, z] = toPatient(oblique, indexIj(10, 10));
    expect(x).toBeCloseTo(10 + 7 * Math.cos(Math.PI / 6), 12);
    expect(y).toBeCloseTo(33, 12);
    expect(z).toBeCloseTo(33.5, 12);
  });

  it("finds the pixel again from its place in the patient", () => {
    const [i, j] = toIndex(oblique, toPatient(oblique, indexIj(12.25, 40.5)));
    expect(i).toBeCloseTo(12.25, 10);
    expect(j).toBeCloseTo(40.5, 10);
  });

  it("projects a point off the plane along the normal", () => {
    const normal = normalOf(oblique);
    const on = toPatient(oblique, indexIj(4, 5));
    const off = pointLps(on[0] + 9 * normal[0], on[1] + 9 * normal[1], on[2] + 9 * normal[2]);
    const [i, j] = toIndex(oblique, off);
    expect(i).toBeCloseTo(4, 10);
    expect(j).toBeCloseTo(5, 10);
  });

  it("measures a diagonal with both spacings", () => {
    expect(lengthBetween(axial, indexIj(0, 0), indexIj(6, 2))).toBeCloseTo(5, 12);
  });

  it("sorts slices by their distance along the normal, not by z", () => {
    const normal = normalOf(oblique);
    const deeper: ImagePlane = {
      ...oblique,
      origin: pointLps(10 + 5 * normal[0], 20 + 5 * normal[1], 30 + 5 * normal[2]),
    };
    expect(positionAlong(deeper, normal) - positionAlong(oblique, normal)).toBeCloseTo(5, 12);
  });
});
