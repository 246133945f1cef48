/** How a frame lies on the screen: from pixels (SCOORD) to CSS pixels and back. */

import { type Affine, apply, composed, inverse, quarterTurns, scaling, translation } from "./affine";
import type { Point } from "./region";

export interface Camera {
  /** Pixel in the middle of the canvas. */
  readonly centre: Point;
  /** 1 = the whole frame fits. */
  readonly zoom: number;
  /** Clockwise, 0 – 3; done before the flips. */
  readonly quarterTurns: number;
  readonly isFlippedHorizontally: boolean;
  readonly isFlippedVertically: boolean;
}

/** A frame's columns, rows and the size of one pixel: mm, or any unit where only the ratio is known. */
export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
  /** Down a column, along a row, as in PixelSpacing. */
  readonly spacing: readonly [number, number];
}

export interface CanvasSize {
  readonly width: number;
  readonly height: number;
}

const ZOOM_LIMITS = [0.1, 60] as const;

export const fitted = ({ columns, rows }: FrameSize): Camera => ({
  centre: [columns / 2, rows / 2],
  zoom: 1,
  quarterTurns: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
});

/** CSS pixels for one unit of the spacing. */
export const scaleOf = (camera: Camera, frame: FrameSize, canvas: CanvasSize): number => {
  const [width, height] = [frame.columns * frame.spacing[1], frame.rows * frame.spacing[0]];
  const [across, down] = camera.quarterTurns % 2 === 0 ? [width, height] : [height, width];
  return camera.zoom * Math.min(canvas.width / across, canvas.height / down);
};

/** From pixels to the canvas. */
export const matrixOf = (camera: Camera, frame: FrameSize, canvas: CanvasSize): Affine => {
  const scale = scaleOf(camera, frame, canvas);
  const flips = scaling(camera.isFlippedHorizontally ? -1 : 1, camera.isFlippedVertically ? -1 : 1);
  const steps = [
    translation(canvas.width / 2, canvas.height / 2),
    flips,
    quarterTurns(camera.quarterTurns),
    scaling(scale * frame.spacing[1], scale * frame.spacing[0]),
    translation(-camera.centre[0], -camera.centre[1]),
  ];
  return steps.reduce(composed);
};

export const pannedBy = (
  camera: Camera,
  [right, down]: Point,
  frame: FrameSize,
  canvas: CanvasSize,
): Camera => {
  const back = inverse(matrixOf(camera, frame, canvas));
  const centre = apply(back, [canvas.width / 2 - right, canvas.height / 2 - down]);
  return { ...camera, centre };
};

/** Larger by a factor; the place on the canvas keeps its pixel. */
export const zoomedBy = (
  camera: Camera,
  factor: number,
  place: Point,
  frame: FrameSize,
  canvas: CanvasSize,
): Camera => {
  const [least, most] = ZOOM_LIMITS;
  const zoom = Math.min(most, Math.max(least, camera.zoom * factor));
  const pixel = apply(inverse(matrixOf(camera, frame, canvas)), place);
  const grown = { ...camera, zoom };
  const moved = apply(matrixOf(grown, frame, canvas), pixel);
  return pannedBy(grown, [place[0] - moved[0], place[1] - moved[1]], frame, canvas);
};

/** By 90° clockwise on the screen, whatever was flipped before. */
export const rotated = (camera: Camera): Camera => {
  const isMirrored = camera.isFlippedHorizontally !== camera.isFlippedVertically;
  return { ...camera, quarterTurns: (camera.quarterTurns + (isMirrored ? 3 : 1)) % 4 };
};

export const flipped = (camera: Camera, direction: "horizontal" | "vertical"): Camera =>
  direction === "horizontal"
    ? { ...camera, isFlippedHorizontally: !camera.isFlippedHorizontally }
    : { ...camera, isFlippedVertically: !camera.isFlippedVertically };
