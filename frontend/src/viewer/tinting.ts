/** Segmentations over a pane: classes as colours, suggestions as broken outlines. */

import type { MaskLayer, Masks } from "./masks";
import type { Pane } from "./pane";

/** Red, green, blue of any CSS colour. */
const parsed = new Map<string, readonly [number, number, number]>();
const channels = (colour: string): readonly [number, number, number] => {
  const known = parsed.get(colour);
  if (known) return known;
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (!context) return [255, 255, 255];
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 255, green = 255, blue = 255] = context.getImageData(0, 0, 1, 1).data;
  parsed.set(colour, [red, green, blue]);
  return [red, green, blue];
};

/** A packed colour for each label, 0 for what is not shown. */
const coloursOf = ({ classes }: MaskLayer, masks: Masks, opacity?: number): Uint32Array => {
  const colours = new Uint32Array(classes.length + 1);
  classes.forEach(({ value, colour }, nth) => {
    const style = masks.style(value);
    const [red, green, blue] = channels(colour);
    const alpha = Math.round(255 * (opacity ?? style.opacity));
    if (style.isVisible) colours[nth + 1] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
  return colours;
};

/** Only pixels at a class's border, every other four of them. */
const outlined = (plane: Uint8Array, width: number): Uint8Array =>
  plane.map((label, place) => {
    const isBorder =
      plane[place - 1] !== label ||
      plane[place + 1] !== label ||
      plane[place - width] !== label ||
      plane[place + width] !== label;
    const isDash = ((place % width) + Math.floor(place / width)) % 6 < 4;
    return isBorder && isDash ? label : 0;
  });

const add = (picture: Uint32Array, plane: Uint8Array, colours: Uint32Array): void => {
  for (let place = 0; place < plane.length; place += 1) {
    const label = plane[place];
    if (label) picture[place] = colours[label] || (picture[place] ?? 0);
  }
};

/** at: the slice of the case, or which of its parallel planes, that is on the pane; below 0 none is. */
export const tint = (pane: Pane, masks: Masks, at: number): void => {
  const { picture, mask: canvas } = pane;
  const { layer, suggested } = masks;
  if (!picture || (!layer && !suggested) || at < 0) {
    canvas.hidden = true;
    return;
  }
  const { columns, rows } = picture.size;
  canvas.hidden = false;
  if (canvas.width !== columns) canvas.width = columns;
  if (canvas.height !== rows) canvas.height = rows;
  const tinted = new Uint32Array(columns * rows);
  if (suggested) {
    const plane = outlined(pane.scene.labels(suggested.labels, at), columns);
    add(tinted, plane, coloursOf(suggested, masks, 1));
  }
  if (layer) add(tinted, pane.scene.labels(layer.labels, at), coloursOf(layer, masks));
  const pixels = new ImageData(new Uint8ClampedArray(tinted.buffer), columns);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
};
