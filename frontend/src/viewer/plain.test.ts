import { expect, it } from "vitest";
import { decode } from "../images/pixels";
import { paint } from "./plain";

const attributes = { Rows: 1, Columns: 3, BitsAllocated: 8, BitsStored: 8, SamplesPerPixel: 1 };
const reds = (picture: Uint8ClampedArray): number[] => [...picture].filter((_, at) => at % 4 === 0);

it("paints the window's ends black and white, and everything beyond them too", () => {
  const frame = decode(new Uint8Array([0, 75, 255]).buffer, attributes);
  expect(reds(paint(frame, { center: 100.5, width: 101 }, false))).toEqual([0, 64, 255]);
});

it("turns bright to dark where low values are bright", () => {
  const frame = decode(new Uint8Array([0, 51, 255]).buffer, attributes);
  expect(reds(paint(frame, { center: 128, width: 256 }, true))).toEqual([255, 204, 0]);
});

it("keeps the three colours of a pixel apart", () => {
  const colour = { ...attributes, Columns: 1, SamplesPerPixel: 3 };
  const frame = decode(new Uint8Array([10, 20, 30]).buffer, colour);
  expect([...paint(frame, frame.window, false)]).toEqual([10, 20, 30, 255]);
});
