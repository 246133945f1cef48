/** Segmentations over a pane: classes as colours, suggestions as broken outlines. */

import type { Labels } from "../geometry/labels";
import type { MaskLayer, Masks } from "./masks";
import type { Pane } from "./pane";
import type { PlaneAxes } from "./scene";

/** One plane of labels as a picture's pixels: (down, across). */
export const planeOf = (labels: Labels, axes: PlaneAxes, at: number): Uint8Array => {
  const size = [labels.size.columns, labels.size.rows, labels.size.slices] as const;
  if (axes.through === 2 && axes.across === 0) {
    return labels.slice(at) ?? new Uint8Array(size[0] * size[1]);
  }
  const [width, height] = [size[axes.across], size[axes.down]];
  const plane = new Uint8Array(width * height);
  const voxel: [number, number, number] = [0, 0, 0];
  voxel[axes.through] = at;
  for (let row = 0, place = 0; row < height; row += 1) {
    voxel[axes.down] = row;
    for (let column = 0; column < width; column += 1, place += 1) {
      voxel[axes.across] = column;
      plane[place] = labels.at(...voxel);
    }
  }
  return plane;
};

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

/** at: the slice of the case (or the place along the pane's axis) that is on the pane. */
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
    const plane = outlined(planeOf(suggested.labels, pane.scene.axes, at), columns);
    add(tinted, plane, coloursOf(suggested, masks, 1));
  }
  if (layer) add(tinted, planeOf(layer.labels, pane.scene.axes, at), coloursOf(layer, masks));
  const pixels = new ImageData(new Uint8ClampedArray(tinted.buffer), columns);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
};
