/** The frame of a case under a pane's pixels: where regions are drawn, and what they measure there. */

import { type Affine, apply, inverse } from "../geometry/affine";
import type { PixelSize } from "../geometry/measure";
import type { DrawnRegion, Point } from "../geometry/region";
import { within } from "../geometry/shaping";
import { type FrameDescription, pixelFormatOf, pixelSizeAt } from "../images/frame";
import type { Pane } from "./pane";

export interface OnFrame {
  readonly frame: FrameDescription;
  readonly matrix: Affine;
  /** What the pixels under points measure. */
  readonly sizeAt: (points: readonly Point[]) => PixelSize;
  /** From the screen to the frame, never beyond its edge. */
  readonly placeOf: (place: Point) => Point;
}

/** The frame under a pane's pixels; undefined where nothing may be drawn. */
export const frameOn = (pane: Pane): OnFrame | undefined => {
  const matrix = pane.frameMatrix();
  const frame = pane.scene.frames[pane.index];
  if (!pane.scene.isCase || !matrix || !frame) return undefined;
  const { rows, columns } = pixelFormatOf(frame.attributes);
  const back = inverse(matrix);
  return {
    frame,
    matrix,
    sizeAt: (points) => pixelSizeAt(frame, points),
    placeOf: (place) => within(apply(back, place), columns, rows),
  };
};

export const isOn = ({ region }: DrawnRegion, { address }: FrameDescription): boolean =>
  region.image === address.sopInstanceUid && region.frame === address.frame;
