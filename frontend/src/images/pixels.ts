/** Bytes to values: PS3.3 C.7.6.3 (layout), C.11.1 (modality values), C.11.2 (window). */

import type { Attributes } from "../api/types";
import { type PixelFormat, pixelFormatOf, UnreadableImage } from "./frame";
import { numberOf, numbersOf, textOf } from "./numbers";

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface Extent {
  readonly lowest: number;
  readonly highest: number;
}

export interface Window {
  readonly center: number;
  readonly width: number;
  /** The values bend towards black and white: PS3.3 C.11.2.1.3.1, SIGMOID. */
  readonly isSigmoid?: boolean;
}

export interface DecodedFrame {
  readonly format: PixelFormat;
  /** Modality values (after rescale); interleaved red, green, blue where there are three samples. */
  readonly samples: Samples;
  /** What is shown where a VOI LUT stands between: display values; else the same as samples. */
  readonly display: Samples;
  /** Of what is shown. */
  readonly extent: Extent;
  readonly window: Window;
  readonly bytes: number;
}

const constructors = {
  8: { signed: Int8Array, unsigned: Uint8Array },
  16: { signed: Int16Array, unsigned: Uint16Array },
  32: { signed: Int32Array, unsigned: Uint32Array },
} as const;

const constructorFor = ({ bitsAllocated, signed, isFloat }: PixelFormat) => {
  if (isFloat) return bitsAllocated === 64 ? Float64Array : Float32Array;
  if (bitsAllocated === 64) throw new UnreadableImage("BitsAllocated: 64");
  return constructors[bitsAllocated][signed ? "signed" : "unsigned"];
};

const stored = (buffer: ArrayBuffer, format: PixelFormat): Samples => {
  const count = format.rows * format.columns * format.samplesPerPixel;
  const expected = (count * format.bitsAllocated) / 8;
  if (buffer.byteLength < expected) {
    throw new UnreadableImage(`${buffer.byteLength} B ≠ ${expected} B`);
  }
  const Kind = constructorFor(format);
  return new Kind(buffer, 0, count);
};

/** Bits above Bits Stored may hold anything (old overlays): cut, and carry the sign. In place. */
export const cutToStoredBits = (samples: Samples, format: PixelFormat): void => {
  const spare = 32 - format.bitsStored;
  if (format.bitsStored >= format.bitsAllocated) return;
  for (let at = 0; at < samples.length; at += 1) {
    const up = (samples[at] ?? 0) << spare;
    samples[at] = format.signed ? up >> spare : up >>> spare;
  }
};

/** padding: a value that no tissue has (PS3.3 C.7.5.1.1.2); left out unless there is no other. */
export const extentOf = (samples: Samples, padding?: number): Extent => {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of samples) {
    if (value === padding) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return lowest <= highest ? { lowest, highest } : { lowest: padding ?? 0, highest: padding ?? 0 };
};

/** All values that the stored bits can hold. */
const possible = ({ bitsStored, signed }: PixelFormat): Extent =>
  signed
    ? { lowest: -(2 ** (bitsStored - 1)), highest: 2 ** (bitsStored - 1) - 1 }
    : { lowest: 0, highest: 2 ** bitsStored - 1 };

/** Chosen by what the format can hold, not by what one slice holds: all slices of a series are of one type. */
const emptyFor = ({ lowest, highest }: Extent, isWhole: boolean, length: number): Samples => {
  if (isWhole && lowest >= 0 && highest <= 65_535) return new Uint16Array(length);
  if (isWhole && lowest >= -32_768 && highest <= 32_767) return new Int16Array(length);
  return new Float32Array(length);
};

/** Types that the graphics card shows as they are. */
const isShowable = (samples: Samples): boolean =>
  samples instanceof Uint8Array || samples instanceof Uint16Array || samples instanceof Int16Array;

/** Stored values to modality values (Hounsfield units for CT): value × slope + intercept. */
export const rescaled = (
  samples: Samples,
  format: PixelFormat,
  slope: number,
  intercept: number,
): Samples => {
  if (slope === 1 && intercept === 0 && isShowable(samples)) return samples;
  const { lowest, highest } = possible(format);
  if (format.isFloat) return Float32Array.from(samples, (value) => value * slope + intercept);
  const ends = [lowest * slope + intercept, highest * slope + intercept];
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept);
  const values = emptyFor({ lowest: Math.min(...ends), highest: Math.max(...ends) }, isWhole, samples.length);
  for (let at = 0; at < samples.length; at += 1) values[at] = (samples[at] ?? 0) * slope + intercept;
  return values;
};

const FULL_COLOUR: Window = { center: 128, width: 256 };

/** The window that the image asks for, else one that shows all of its values. */
export const windowOf = (attributes: Attributes, format: PixelFormat, extent: Extent): Window => {
  if (format.samplesPerPixel === 3) return FULL_COLOUR;
  const center = numberOf(attributes, "WindowCenter");
  const width = numberOf(attributes, "WindowWidth");
  if (center === undefined || width === undefined || width <= 0) return fullWindow(extent);
  const shape = textOf(attributes, "VOILUTFunction");
  // PS3.3 C.11.2.1.3.2: black and white lie half a value farther apart on each side.
  if (shape === "LINEAR_EXACT") return { center: center + 0.5, width: width + 1 };
  return shape === "SIGMOID" ? { center, width, isSigmoid: true } : { center, width };
};

/** The window whose darkest value is the lowest and whose brightest the highest (PS3.3 C.11.2.1.2.1). */
export const fullWindow = ({ lowest, highest }: Extent): Window => ({
  center: (lowest + highest + 1) / 2,
  width: Math.max(2, highest - lowest + 1),
});

/** The values that become black and white: PS3.3 C.11.2.1.2.1, LINEAR (LINEAR_EXACT differs by half a value). */
export const rangeOf = ({ center, width }: Window): Extent => ({
  lowest: center - 0.5 - (width - 1) / 2,
  highest: center - 0.5 + (width - 1) / 2,
});

export const windowFromRange = ({ lowest, highest }: Extent): Window => ({
  center: (lowest + highest + 1) / 2,
  width: highest - lowest + 1,
});

/** How bright a window makes values: 0 – 1. */
export const brightnessIn = (window: Window): ((value: number) => number) => {
  const { center, width } = window;
  if (window.isSigmoid) return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const { lowest, highest } = rangeOf(window);
  const span = Math.max(highest - lowest, 1e-6);
  return (value) => Math.min(1, Math.max(0, (value - lowest) / span));
};

/** Whether low values are bright. */
export const isInverted = (attributes: Attributes): boolean =>
  textOf(attributes, "PhotometricInterpretation") === "MONOCHROME1";

interface LookUpTable {
  /** The value that the first entry is for. */
  readonly first: number;
  readonly bits: number;
  readonly entries: readonly number[];
}

/** PS3.3 C.11.1.1.1: number of entries (0 is 65536), first value mapped, bits; undefined where it is not whole. */
const lookUpTableOf = (attributes: Attributes, keyword: string, signed: boolean): LookUpTable | undefined => {
  const sequence = attributes[keyword];
  const item = (Array.isArray(sequence) ? sequence[0] : undefined) as Attributes | undefined;
  const [count, first, bits = 16] = (item && numbersOf(item, "LUTDescriptor")) ?? [];
  const entries = item && numbersOf(item, "LUTData");
  if (count === undefined || first === undefined || !entries || entries.length < (count || 65_536))
    return undefined;
  return { first: signed && first > 32_767 ? first - 65_536 : first, bits, entries };
};

/** Values below the first or above the last entry take that one's. */
const lookedUp = (samples: Samples, { first, entries }: LookUpTable): Samples => {
  const values = new Uint16Array(samples.length);
  const last = entries.length - 1;
  for (let at = 0; at < samples.length; at += 1) {
    const place = Math.min(last, Math.max(0, Math.round((samples[at] ?? 0) - first)));
    values[at] = entries[place] ?? 0;
  }
  return values;
};

/** Stored values to modality values: by the Modality LUT, else by slope and intercept. */
const modalityValues = (raw: Samples, format: PixelFormat, attributes: Attributes): Samples => {
  if (format.samplesPerPixel === 3) return raw;
  const table = lookUpTableOf(attributes, "ModalityLUTSequence", format.signed);
  if (table) return lookedUp(raw, table);
  const slope = numberOf(attributes, "RescaleSlope") ?? 1;
  return rescaled(raw, format, slope, numberOf(attributes, "RescaleIntercept") ?? 0);
};

/** Colours are shown with eight bits each. */
const toBytes = (samples: Samples, { bitsStored }: PixelFormat): Samples =>
  bitsStored > 8 ? Uint8Array.from(samples, (value) => value >> (bitsStored - 8)) : samples;

/** The table between values and their shades: where there is a window too, it comes first (PS3.3 C.11.2.1, either may). */
const voiTableOf = (attributes: Attributes, format: PixelFormat): LookUpTable | undefined => {
  if (format.samplesPerPixel === 3) return undefined;
  // The descriptor's sign is that of the modality's values (PS3.3 C.11.2.1.1).
  const isSigned = format.signed || (numberOf(attributes, "RescaleIntercept") ?? 0) < 0;
  return lookUpTableOf(attributes, "VOILUTSequence", isSigned);
};

/** Whether a table stands between a frame's values and what is shown: windows are then of the table's output. */
export const hasVoiTable = ({ display, samples, format }: DecodedFrame): boolean =>
  display !== samples && format.samplesPerPixel === 1;

/** The padding value as a modality value. */
const paddingOf = (attributes: Attributes): number | undefined => {
  const padding = numberOf(attributes, "PixelPaddingValue");
  const slope = numberOf(attributes, "RescaleSlope") ?? 1;
  return padding === undefined
    ? undefined
    : padding * slope + (numberOf(attributes, "RescaleIntercept") ?? 0);
};

/** One frame's bytes as the viewer needs them. */
export const decode = (buffer: ArrayBuffer, attributes: Attributes): DecodedFrame => {
  const format = pixelFormatOf(attributes);
  const raw = stored(buffer, format);
  cutToStoredBits(raw, format);
  const samples = modalityValues(raw, format, attributes);
  const table = voiTableOf(attributes, format);
  const isColour = format.samplesPerPixel === 3;
  const display = table ? lookedUp(samples, table) : isColour ? toBytes(samples, format) : samples;
  const extent = extentOf(display, table ? undefined : paddingOf(attributes));
  const window = table
    ? fullWindow({ lowest: 0, highest: 2 ** table.bits - 1 })
    : windowOf(attributes, format, extent);
  const bytes = samples.byteLength + (display === samples ? 0 : display.byteLength);
  return { format, samples, display, extent, window, bytes };
};
