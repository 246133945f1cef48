import { describe, expect, it } from "vitest";
import { apply, composed, IDENTITY, inverse, quarterTurns, translation } from "./affine";
import { fitted, flipped, matrixOf, pannedBy, rotated, zoomedBy } from "./camera";

const canvas = { width: 400, height: 300 };
// 100 columns of 1 mm, 50 rows of 2 mm: a square of 100 mm; it fits at 3 CSS pixels per mm.
const frame = { columns: 100, rows: 50, spacing: [2, 1] as const };

const close = (found: readonly number[], wanted: readonly number[]): void =>
  wanted.forEach((value, at) => void expect(found[at]).toBeCloseTo(value, 9));

describe("affine maps", () => {
  it("are undone by their inverse", () => {
    const map = composed(translation(3, -4), composed(quarterTurns(1), [2, 0, 0, 5, 1, 1]));
    close(composed(map, inverse(map)), IDENTITY);
  });

  it("have no inverse where they flatten the plane", () => {
    expect(() => inverse([1, 2, 2, 4, 0, 0])).toThrow(RangeError);
  });

  it("turn clockwise on a screen", () => {
    close(apply(quarterTurns(1), [1, 0]), [0, 1]);
  });
});

describe("a camera", () => {
  it("fits the whole frame with its real proportions into the canvas", () => {
    const matrix = matrixOf(fitted(frame), frame, canvas);
    close(apply(matrix, [0, 0]), [50, 0]);
    close(apply(matrix, [100, 50]), [350, 300]);
  });

  it("keeps the pixel under the pointer where it is when it zooms", () => {
    const place = [90, 210] as const;
    const before = apply(inverse(matrixOf(fitted(frame), frame, canvas)), place);
    const turned = rotated(flipped(fitted(frame), "vertical"));
    const camera = zoomedBy(fitted(frame), 2.5, place, frame, canvas);
    close(apply(matrixOf(camera, frame, canvas), before), place);
    const other = apply(inverse(matrixOf(turned, frame, canvas)), place);
    close(apply(matrixOf(zoomedBy(turned, 0.5, place, frame, canvas), frame, canvas), other), place);
  });

  it("pans in screen directions after a turn and a flip", () => {
    const turned = rotated(flipped(fitted(frame), "horizontal"));
    const pixel = [20, 10] as const;
    const [x, y] = apply(matrixOf(turned, frame, canvas), pixel);
    close(apply(matrixOf(pannedBy(turned, [7, -3], frame, canvas), frame, canvas), pixel), [x + 7, y - 3]);
  });

  it("shows the top left corner at the top right after a turn by 90°", () => {
    close(apply(matrixOf(rotated(fitted(frame)), frame, canvas), [0, 0]), [350, 0]);
  });

  it("turns clockwise on the screen, even a mirrored frame", () => {
    const mirrored = flipped(fitted(frame), "horizontal");
    close(apply(matrixOf(mirrored, frame, canvas), [0, 0]), [350, 0]);
    close(apply(matrixOf(rotated(mirrored), frame, canvas), [0, 0]), [350, 300]);
  });
});
