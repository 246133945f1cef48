/** Colours of a map: told apart by people who see colours differently, on both grounds. */
import { NONE } from "./points";

export type Rgb = readonly [number, number, number];

/** Paul Tol's bright scheme, with two of his vibrant one: nine classes at most. */
const CLASSES: readonly Rgb[] = [
  [68, 119, 170],
  [238, 102, 119],
  [34, 136, 51],
  [204, 187, 68],
  [102, 204, 238],
  [170, 51, 119],
  [238, 119, 51],
  [0, 153, 136],
  [136, 136, 136],
];

/** Near cividis, its dark end lighter: blue is sure, yellow is unsure, on both grounds. */
const RAMP: readonly Rgb[] = [
  [40, 96, 168],
  [84, 104, 140],
  [124, 123, 120],
  [185, 168, 96],
  [254, 224, 70],
];

/** The colour of a class or a site; they come round again after nine. */
export const classColour = (number: number): Rgb => CLASSES[number % CLASSES.length] ?? [136, 136, 136];

/** The colour of an uncertainty, 0 – 254. */
export function rampColour(value: number): Rgb {
  const place = (Math.min(value, 254) / 254) * (RAMP.length - 1);
  const [from, to] = [RAMP[Math.floor(place)], RAMP[Math.ceil(place)]];
  if (!from || !to) return [136, 136, 136];
  const share = place - Math.floor(place);
  const mixed = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * share);
  return [mixed(0), mixed(1), mixed(2)];
}

export const css = ([red, green, blue]: Rgb): string => `rgb(${red} ${green} ${blue})`;

/** One number a pixel, as a canvas keeps it on a little-endian machine. */
export const packed = ([red, green, blue]: Rgb): number => (255 << 24) | (blue << 16) | (green << 8) | red;

/** Packed colours by value, 0 – 255; what has none takes the quiet one. */
export function tableOf(colour: (value: number) => Rgb, quiet: Rgb): Uint32Array {
  return Uint32Array.from({ length: NONE + 1 }, (_, value) => packed(value === NONE ? quiet : colour(value)));
}
