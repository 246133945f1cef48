import { describe, expect, it } from "vitest";
import { apply, inverse } from "../geometry/affine";
import { fitted, matrixOf, rotated } from "../geometry/camera";
import { toPatient } from "../geometry/plane";
import { indexIj } from "../geometry/units";
import { framesOf, framesPerSecondOf, imageKeyOf, pixelSizeOf, planeOf, shownSpacingOf } from "./frame";

const viewOf = (attributes: Record<string, unknown>, frames = 1) => ({
  id: "c",
  instances: [{ sop_instance_uid: "1.2", instance_number: 1, frames, attributes }],
});

const one = (attributes: Record<string, unknown>) => {
  const [frame] = framesOf(viewOf(attributes));
  if (!frame) throw new Error("no frame");
  return frame;
};

describe("frames of one instance", () => {
  const perFrame = [10, 0, 5].map((z) => ({ ImagePositionPatient: [0, 0, z] }));
  const shared = { ImageOrientationPatient: [1, 0, 0, 0, 1, 0], PixelSpacing: [1, 1], NumberOfFrames: 3 };

  it("take their own functional groups over the shared ones, and are sorted by position", () => {
    const frames = framesOf(viewOf({ ...shared, PerFrame: perFrame }, 3));
    expect(frames.map(({ address }) => address.frame)).toEqual([2, 3, 1]);
    expect(frames[0]?.attributes).not.toHaveProperty("PerFrame");
    expect(frames.map(imageKeyOf)).toEqual(["1.2#2", "1.2#3", "1.2#1"]);
  });

  it("of a film stay in the order of time and have a speed", () => {
    const film = framesOf(viewOf({ NumberOfFrames: 3, FrameTime: 40 }, 3));
    expect(film.map(({ address }) => address.frame)).toEqual([1, 2, 3]);
    expect(framesPerSecondOf(film)).toBe(25);
    expect(framesPerSecondOf(framesOf(viewOf({ NumberOfFrames: 3, CineRate: 12, FrameTime: 40 }, 3)))).toBe(
      12,
    );
  });

  it("that lie in different places are no film", () => {
    expect(framesPerSecondOf(framesOf(viewOf({ ...shared, PerFrame: perFrame }, 3)))).toBeNull();
    expect(framesPerSecondOf([one({})])).toBeNull();
  });
});

describe("spacing", () => {
  it("is the patient's, else the detector's, else none", () => {
    expect(pixelSizeOf(one({ PixelSpacing: [2, 1], ImagerPixelSpacing: [3, 3] }))).toEqual({
      row: 2,
      column: 1,
      of: "patient",
    });
    expect(pixelSizeOf(one({ ImagerPixelSpacing: [3, 4] }))).toEqual({ row: 3, column: 4, of: "detector" });
    expect(pixelSizeOf(one({ PixelAspectRatio: [2, 1] })).of).toBe("pixels");
    expect(shownSpacingOf(one({ PixelAspectRatio: [2, 1] }))).toEqual([2, 1]);
    expect(shownSpacingOf(one({}))).toEqual([1, 1]);
  });
});

it("finds the patient's place under a pointer on a turned, zoomed, oblique, anisotropic frame", () => {
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const frame = one({
    Rows: 40,
    Columns: 60,
    PixelSpacing: [2, 0.5],
    ImagePositionPatient: [10, 20, 30],
    ImageOrientationPatient: [c, 0, s, 0, 1, 0],
  });
  const plane = planeOf(frame);
  if (!plane) throw new Error("no plane");
  const size = { columns: 60, rows: 40, spacing: shownSpacingOf(frame) };
  const matrix = matrixOf({ ...rotated(fitted(size)), zoom: 3 }, size, { width: 500, height: 400 });
  const onScreen = apply(matrix, [10.5, 4.5]);
  const [x, y] = apply(inverse(matrix), onScreen);
  // SCOORD 10.5, 4.5 is the centre of the pixel in column 10, row 4.
  const place = toPatient(plane, indexIj(x - 0.5, y - 0.5));
  expect(place[0]).toBeCloseTo(10 + 5 * c, 9);
  expect(place[1]).toBeCloseTo(28, 9);
  expect(place[2]).toBeCloseTo(30 + 5 * s, 9);
});
