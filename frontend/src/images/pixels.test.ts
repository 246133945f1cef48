import { describe, expect, it } from "vitest";
import type { Attributes } from "../api/types";
import { UnreadableImage } from "./frame";
import { brightnessIn, decode, isInverted, rangeOf, windowFromRange } from "./pixels";

const image = (more: Attributes): Attributes => ({
  Rows: 2,
  Columns: 2,
  BitsAllocated: 16,
  BitsStored: 16,
  PixelRepresentation: 0,
  SamplesPerPixel: 1,
  PhotometricInterpretation: "MONOCHROME2",
  ...more,
});

const words = (...values: number[]): ArrayBuffer => new Uint16Array(values).buffer;

describe("decoding a frame", () => {
  it("reads unsigned 16-bit values as they are stored", () => {
    const frame = decode(words(0, 1, 40_000, 65_535), image({}));
    expect([...frame.samples]).toEqual([0, 1, 40_000, 65_535]);
    expect(frame.extent).toEqual({ lowest: 0, highest: 65_535 });
  });

  it("carries the sign of 12 bits stored in 16 and drops what lies above them", () => {
    const signed = decode(
      words(0xf_fff, 0x0_800, 0xf_7ff, 0),
      image({ BitsStored: 12, PixelRepresentation: 1 }),
    );
    expect([...signed.samples]).toEqual([-1, -2048, 2047, 0]);
    const unsigned = decode(words(0xf_fff, 0xf_001, 2, 3), image({ BitsStored: 12 }));
    expect([...unsigned.samples]).toEqual([4095, 1, 2, 3]);
  });

  it("gives a CT in Hounsfield units", () => {
    const frame = decode(
      words(0, 24, 1024, 2024),
      image({ BitsStored: 12, RescaleSlope: 1, RescaleIntercept: -1024 }),
    );
    expect([...frame.samples]).toEqual([-1024, -1000, 0, 1000]);
    expect(frame.samples).toBeInstanceOf(Int16Array);
  });

  it("keeps fractions where the slope has them", () => {
    const frame = decode(words(0, 3, 4, 5), image({ RescaleSlope: 0.5, RescaleIntercept: 0.25 }));
    expect([...frame.samples]).toEqual([0.25, 1.75, 2.25, 2.75]);
  });

  it("gives every slice of a series the same type, whatever its values", () => {
    const ct = image({ BitsStored: 16, PixelRepresentation: 1, RescaleSlope: 1, RescaleIntercept: -1024 });
    expect(decode(words(2000, 2000, 2000, 2000), ct).samples).toBeInstanceOf(Float32Array);
    expect(decode(words(0, 0, 0, 0), ct).samples).toBeInstanceOf(Float32Array);
  });

  it("widens signed bytes to what the graphics card can show", () => {
    const bytes = new Int8Array([-128, -1, 0, 127]);
    const attributes = image({ BitsAllocated: 8, BitsStored: 8, PixelRepresentation: 1 });
    const { samples } = decode(bytes.buffer, attributes);
    expect(samples).toBeInstanceOf(Int16Array);
    expect([...samples]).toEqual([-128, -1, 0, 127]);
  });

  it("reads 8-bit colour interleaved", () => {
    const bytes = new Uint8Array([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]);
    const frame = decode(bytes.buffer, image({ BitsAllocated: 8, BitsStored: 8, SamplesPerPixel: 3 }));
    expect(frame.samples).toHaveLength(12);
    expect(rangeOf(frame.window)).toEqual({ lowest: 0, highest: 255 });
  });

  it("says what is wrong with a frame that is too short", () => {
    expect(() => decode(words(1, 2), image({}))).toThrow("4 B ≠ 8 B");
  });

  it("never guesses the size of an image", () => {
    const { Rows: _, ...withoutRows } = image({});
    expect(() => decode(words(1, 2, 3, 4), withoutRows)).toThrow(UnreadableImage);
  });
});

describe("the window", () => {
  it("is the image's first one", () => {
    const frame = decode(words(0, 1, 2, 3), image({ WindowCenter: [40, -600], WindowWidth: [400, 1500] }));
    expect(frame.window).toEqual({ center: 40, width: 400 });
    expect(rangeOf(frame.window)).toEqual({ lowest: -160, highest: 239 });
  });

  it("shows all values where the image names none", () => {
    const frame = decode(words(100, 150, 299, 120), image({}));
    expect(rangeOf(frame.window)).toEqual({ lowest: 100, highest: 299 });
  });

  it("survives the way to a range and back", () => {
    expect(windowFromRange(rangeOf({ center: 40, width: 400 }))).toEqual({ center: 40, width: 400 });
  });

  it("ignores a width of zero", () => {
    const frame = decode(words(10, 11, 12, 13), image({ WindowCenter: 5, WindowWidth: 0 }));
    expect(rangeOf(frame.window)).toEqual({ lowest: 10, highest: 13 });
  });
});

it("low values are bright in MONOCHROME1 alone", () => {
  expect(isInverted(image({ PhotometricInterpretation: "MONOCHROME1" }))).toBe(true);
  expect(isInverted(image({}))).toBe(false);
});

describe("look-up tables", () => {
  const grey = { Rows: 1, Columns: 4, BitsAllocated: 8, BitsStored: 8, SamplesPerPixel: 1 };
  const bytes = () => new Uint8Array([0, 10, 11, 255]).buffer;

  it("turn stored values into modality values, beyond their ends the first and the last", () => {
    const table = [{ LUTDescriptor: [3, 10, 16], LUTData: [100, 200, 300] }];
    expect([...decode(bytes(), { ...grey, ModalityLUTSequence: table }).samples]).toEqual([
      100, 100, 200, 300,
    ]);
  });

  it("show values by the VOI LUT and leave what is measured alone", () => {
    const table = [{ LUTDescriptor: [2, 10, 8], LUTData: [7, 9] }];
    const frame = decode(bytes(), { ...grey, VOILUTSequence: table });
    expect([[...frame.display], [...frame.samples]]).toEqual([
      [7, 7, 9, 9],
      [0, 10, 11, 255],
    ]);
    const window = { WindowCenter: 50, WindowWidth: 20 };
    expect([...decode(bytes(), { ...grey, ...window, VOILUTSequence: table }).display]).toEqual([7, 7, 9, 9]);
  });

  it("are shown over all that the bits of their entries can hold", () => {
    const table = [{ LUTDescriptor: [2, 10, 10], LUTData: [0, 512] }];
    expect(rangeOf(decode(bytes(), { ...grey, VOILUTSequence: table }).window)).toEqual({
      lowest: 0,
      highest: 1023,
    });
  });

  it("start below zero only where the modality's values do", () => {
    const words = { ...grey, BitsAllocated: 16, BitsStored: 16 };
    const from = (first: number) => [{ LUTDescriptor: [2, first, 8], LUTData: [7, 9] }];
    const high = new Uint16Array([0, 40_000, 40_001, 65_535]).buffer;
    expect([...decode(high, { ...words, VOILUTSequence: from(40_000) }).display]).toEqual([7, 7, 9, 9]);
    const low = new Int16Array([-3, -2, -1, 0]).buffer;
    const signed = { ...words, PixelRepresentation: 1, VOILUTSequence: from(65_534) };
    expect([...decode(low, signed).display]).toEqual([7, 7, 9, 9]);
  });

  it("show sixteen bits of colour as eight", () => {
    const colour = { Rows: 1, Columns: 1, BitsAllocated: 16, BitsStored: 16, SamplesPerPixel: 3 };
    const frame = decode(new Uint16Array([0, 32_768, 65_535]).buffer, colour);
    expect([...frame.display]).toEqual([0, 128, 255]);
  });
});

describe("a window", () => {
  const grey = { Rows: 1, Columns: 3, BitsAllocated: 16, BitsStored: 16, SamplesPerPixel: 1 };
  const signed = { ...grey, PixelRepresentation: 1 };
  const words = () => new Int16Array([-2000, 100, 300]).buffer;

  it("of LINEAR_EXACT is half a value wider on each side", () => {
    const exact = { WindowCenter: 40, WindowWidth: 400, VOILUTFunction: "LINEAR_EXACT" };
    expect(rangeOf(decode(words(), { ...signed, ...exact }).window)).toEqual({ lowest: -160, highest: 240 });
  });

  it("of SIGMOID bends: half bright in its middle, e / (1 + e) a quarter of its width further", () => {
    const bent = { WindowCenter: 100, WindowWidth: 400, VOILUTFunction: "SIGMOID" };
    const { window } = decode(words(), { ...signed, ...bent });
    expect(window).toEqual({ center: 100, width: 400, isSigmoid: true });
    expect(brightnessIn(window)(100)).toBe(0.5);
    expect(brightnessIn(window)(200)).toBeCloseTo(Math.E / (1 + Math.E), 12);
  });

  it("that no image gives leaves the padding out", () => {
    const padded = { ...signed, PixelPaddingValue: -2000, RescaleSlope: 1, RescaleIntercept: -24 };
    expect(decode(words(), padded).extent).toEqual({ lowest: 76, highest: 276 });
  });
});
