import { expect, it } from "vitest";
import type { FrameDescription } from "../images/frame";
import { linkedIndex } from "./linking";

const series = (count: number, spacing: number, start: number, reference: string): FrameDescription[] =>
  Array.from({ length: count }, (_, nth) => ({
    id: `${reference}/${nth}`,
    address: { caseId: "c", sopInstanceUid: `1.${nth}`, frame: 1 },
    attributes: {
      ImagePositionPatient: [0, 0, start + nth * spacing],
      ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
      PixelSpacing: [1, 1],
      FrameOfReferenceUID: reference,
    },
  }));

const plain = (count: number): FrameDescription[] =>
  series(count, 1, 0, "x").map((frame) => ({ ...frame, attributes: {} }));

it("goes to the same place of the patient in one frame of reference", () => {
  expect(linkedIndex(series(30, 5, 0, "a"), series(60, 2.5, -10, "a"), 10, { from: 0, to: 50 })).toBe(24);
});

it("keeps the distance in mm from the pair that was put side by side in another one", () => {
  expect(linkedIndex(series(30, 5, 0, "a"), series(60, 2.5, 900, "b"), 12, { from: 10, to: 20 })).toBe(24);
});

it("goes in step where there are no positions, and stops at the ends", () => {
  expect(linkedIndex(plain(10), plain(8), 6, { from: 4, to: 3 })).toBe(5);
  expect(linkedIndex(plain(10), plain(8), 9, { from: 4, to: 3 })).toBe(7);
});
