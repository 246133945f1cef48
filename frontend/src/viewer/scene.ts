/** What a pane can show; and a stack of frames. Planes through their volume are in planes.ts. */

import { type Affine, IDENTITY } from "../geometry/affine";
import { type Camera, type CanvasSize, type FrameSize, fitted, pannedBy, scaleOf } from "../geometry/camera";
import { type Labels, labelsAlong } from "../geometry/labels";
import type { Axis, Index3 } from "../geometry/painting";
import type { DirectionLps } from "../geometry/units";
import { letterOf } from "../geometry/volume";
import { type FrameDescription, pixelFormatOf, planeOf, shownSpacingOf } from "../images/frame";
import { numberOf, numbersOf, textOf } from "../images/numbers";
import { isInverted } from "../images/pixels";
import type { FrameStore, Priority } from "../images/store";
import type { Picture, Tone } from "./surface";

export interface PlaneAxes {
  readonly across: Axis;
  readonly down: Axis;
  readonly through: Axis;
}

/** Letters of the patient's sides at a picture's right and lower edge, and at those across from them. */
export interface Sides {
  readonly right: string;
  readonly left: string;
  readonly bottom: string;
  readonly top: string;
}

export interface Scene {
  /** Of this series, in words; "" where there is but one. */
  readonly caption: string;
  readonly frames: readonly FrameDescription[];
  /** Whether these are the frames of the case: answers may be drawn on them. */
  readonly isCase: boolean;
  /** A plane at an angle: no voxels of its own, nothing is painted on it. */
  readonly isOblique: boolean;
  readonly count: number;
  readonly ids: readonly string[];
  /** How the picture's columns and rows lie in the voxels of the series. */
  readonly axes: PlaneAxes;
  /** From a frame's pixels to the picture's; null where the picture is not one frame. */
  readonly fromFrame: Affine | null;
  picture(index: number, priority: Priority): Promise<Picture>;
  /** Classes at the picture's pixels. at: the slice, or which of the parallel planes. */
  labels(labels: Labels, at: number): Uint8Array;
  /** How it is first shown on a canvas. */
  home(size: FrameSize, canvas: CanvasSize): Camera;
  tone(picture: Picture): Tone;
  sides(index: number): Sides | null;
}

const STACK_AXES: PlaneAxes = { across: 0, down: 1, through: 2 };

const opposite = ([x, y, z]: DirectionLps): DirectionLps => [-x, -y, -z];

export const sidesOf = (right: DirectionLps, bottom: DirectionLps): Sides => ({
  right: letterOf(right),
  left: letterOf(opposite(right)),
  bottom: letterOf(bottom),
  top: letterOf(opposite(bottom)),
});

const OPPOSITE_LETTERS: Readonly<Record<string, string>> = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };

/** Where there is no position, what the image says of itself (PS3.3 C.7.6.1.1.1). */
const statedSides = ({ attributes }: FrameDescription): Sides | null => {
  const [right, bottom] = (attributes.PatientOrientation as readonly unknown[] | undefined) ?? [];
  if (typeof right !== "string" || typeof bottom !== "string") return null;
  const turned = (letters: string): string => [...letters].map((one) => OPPOSITE_LETTERS[one] ?? "").join("");
  return { right, left: turned(right), bottom, top: turned(bottom) };
};

export class StackScene implements Scene {
  readonly caption: string;
  readonly frames: readonly FrameDescription[];
  readonly isCase: boolean;
  readonly isOblique = false;
  readonly ids: readonly string[];
  readonly axes = STACK_AXES;
  readonly fromFrame = IDENTITY;
  readonly #store: FrameStore;
  readonly #turn: Partial<Camera>;
  readonly #side: -1 | 0 | 1;

  constructor(
    store: FrameStore,
    frames: readonly FrameDescription[],
    options: {
      readonly caption?: string;
      readonly isCase: boolean;
      readonly turn?: Partial<Camera>;
      /** Against the pane's left (-1) or right (1) edge. */
      readonly side?: -1 | 0 | 1;
    },
  ) {
    this.#store = store;
    this.frames = frames;
    this.caption = options.caption ?? "";
    this.isCase = options.isCase;
    this.ids = frames.map(({ id }) => id);
    this.#turn = options.turn ?? {};
    this.#side = options.side ?? 0;
  }

  get count(): number {
    return this.frames.length;
  }

  async picture(index: number, priority: Priority): Promise<Picture> {
    const description = this.frames[index];
    if (!description) throw new Error("The case has no image");
    const frame = await this.#store.get(description, priority);
    const { columns, rows } = frame.format;
    return { id: description.id, frame, size: { columns, rows, spacing: shownSpacingOf(description) } };
  }

  labels(labels: Labels, at: number): Uint8Array {
    return labelsAlong(labels, this.axes, at);
  }

  home(size: FrameSize, canvas: CanvasSize): Camera {
    const camera = { ...fitted(size), ...this.#turn };
    const free = canvas.width - scaleOf(camera, size, canvas) * size.columns * size.spacing[1];
    return this.#side === 0 ? camera : pannedBy(camera, [(this.#side * free) / 2, 0], size, canvas);
  }

  tone({ id, frame }: Picture): Tone {
    const description = this.frames.find((one) => one.id === id);
    return { window: frame.window, isInverted: description ? isInverted(description.attributes) : false };
  }

  sides(index: number): Sides | null {
    const description = this.frames[index];
    const plane = description && planeOf(description);
    if (plane) return sidesOf(plane.alongRow, plane.alongColumn);
    return description ? statedSides(description) : null;
  }
}

/** A voxel under a place in a picture's pixels (SCOORD). */
export const voxelAt = ({ axes }: Scene, [x, y]: readonly [number, number], index: number): Index3 => {
  const voxel: [number, number, number] = [0, 0, 0];
  voxel[axes.across] = x - 0.5;
  voxel[axes.down] = y - 0.5;
  voxel[axes.through] = index;
  return voxel;
};

export const modalityOf = (frames: readonly FrameDescription[]): string =>
  textOf(frames[0]?.attributes ?? {}, "Modality") ?? "";

/** Rows and columns are those of all frames, or none: only such frames can be painted as one volume. */
export const commonSize = (frames: readonly FrameDescription[]): readonly [number, number] | undefined => {
  const [first] = frames;
  if (!first) return undefined;
  const { rows, columns } = pixelFormatOf(first.attributes);
  const isCommon = frames.every(
    ({ attributes }) => numberOf(attributes, "Rows") === rows && numberOf(attributes, "Columns") === columns,
  );
  return isCommon ? [columns, rows] : undefined;
};

export const hasSpacing = ({ attributes }: FrameDescription): boolean =>
  numbersOf(attributes, "PixelSpacing") !== undefined;
