/** What a pane can show: a stack of frames, or planes through their volume. */

import { type Affine, IDENTITY } from "../geometry/affine";
import { type Camera, type CanvasSize, type FrameSize, fitted, pannedBy, scaleOf } from "../geometry/camera";
import type { Axis, Index3 } from "../geometry/painting";
import type { DirectionLps } from "../geometry/units";
import {
  type Grid,
  letterOf,
  type PlaneName,
  type PlaneView,
  planeView,
  type SlabMode,
} from "../geometry/volume";
import { type FrameDescription, pixelFormatOf, planeOf, shownSpacingOf } from "../images/frame";
import { numberOf, numbersOf, textOf } from "../images/numbers";
import { extentOf, fullWindow, hasVoiTable, isInverted, type Window } from "../images/pixels";
import { slab } from "../images/slab";
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
  readonly count: number;
  readonly ids: readonly string[];
  /** How the picture's columns and rows lie in the voxels of the series. */
  readonly axes: PlaneAxes;
  /** From a frame's pixels to the picture's; null where the picture is not one frame. */
  readonly fromFrame: Affine | null;
  picture(index: number, priority: Priority): Promise<Picture>;
  /** How it is first shown on a canvas. */
  home(size: FrameSize, canvas: CanvasSize): Camera;
  tone(picture: Picture): Tone;
  sides(index: number): Sides | null;
}

const STACK_AXES: PlaneAxes = { across: 0, down: 1, through: 2 };
/** Columns and rows change places. */
const SWAP: Affine = [0, 1, 1, 0, 0, 0];

const opposite = ([x, y, z]: DirectionLps): DirectionLps => [-x, -y, -z];

const sidesOf = (right: DirectionLps, bottom: DirectionLps): Sides => ({
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

const NAMES: Readonly<Record<PlaneName, string>> = {
  axial: "Axial",
  coronal: "Coronal",
  sagittal: "Sagittal",
};

/** Voxels of a series, as far as they are loaded. */
export class VolumeSource {
  readonly grid: Grid;
  readonly frames: readonly FrameDescription[];
  readonly store: FrameStore;
  millimetres = 0;
  mode: SlabMode = "mean";

  constructor(store: FrameStore, frames: readonly FrameDescription[], grid: Grid) {
    this.store = store;
    this.frames = frames;
    this.grid = grid;
  }

  /** Voxels on each side of a slab's middle. */
  half(through: Axis): number {
    return Math.max(0, Math.round((this.millimetres / this.grid.spacingMm[through] - 1) / 2));
  }

  values(axes: PlaneAxes, at: number): Float32Array {
    const slices = this.frames.map(({ id }) => this.store.peek(id)?.samples);
    const loaded = slices.find((slice) => slice !== undefined);
    const missing = loaded ? Math.min(0, extentOf(loaded.slice(0, this.grid.size[0])).lowest) : 0;
    return slab(
      slices,
      this.grid.size,
      { ...axes, at, half: this.half(axes.through), mode: this.mode },
      missing,
    );
  }
}

export class PlaneScene implements Scene {
  readonly caption: string;
  readonly isCase = true;
  readonly axes: PlaneAxes;
  readonly fromFrame: Affine | null;
  readonly count: number;
  readonly ids: readonly string[] = [];
  readonly #source: VolumeSource;
  readonly #view: PlaneView;

  constructor(source: VolumeSource, name: PlaneName) {
    this.#source = source;
    this.#view = planeView(source.grid, name);
    this.axes = this.#view;
    this.caption = NAMES[name];
    this.count = source.grid.size[this.axes.through];
    this.fromFrame = this.axes.through === 2 ? (this.axes.across === 0 ? IDENTITY : SWAP) : null;
  }

  get frames(): readonly FrameDescription[] {
    return this.#source.frames;
  }

  picture(index: number): Promise<Picture> {
    const { size, spacingMm } = this.#source.grid;
    const { across, down, through } = this.axes;
    const [columns, rows] = [size[across], size[down]];
    const samples = this.#source.values(this.axes, index);
    const window = this.#window(index);
    const format = {
      rows,
      columns,
      samplesPerPixel: 1,
      bitsAllocated: 32,
      bitsStored: 32,
      signed: true,
      isFloat: true,
    } as const;
    const frame = { format, samples, display: samples, extent: { lowest: 0, highest: 0 }, window, bytes: 0 };
    const spacing = [spacingMm[down], spacingMm[across]] as const;
    return Promise.resolve({ id: `plane:${through}/${index}`, frame, size: { columns, rows, spacing } });
  }

  home(size: FrameSize): Camera {
    return {
      ...fitted(size),
      isFlippedHorizontally: this.#view.isAcrossReversed,
      isFlippedVertically: this.#view.isDownReversed,
    };
  }

  tone({ frame }: Picture): Tone {
    const [first] = this.frames;
    return { window: frame.window, isInverted: first ? isInverted(first.attributes) : false };
  }

  sides(): Sides {
    const { directions } = this.#source.grid;
    return sidesOf(directions[this.axes.across], directions[this.axes.down]);
  }

  /** That of the series' middle slice, if loaded: reformats have none of their own. */
  #window(index: number): Window {
    const nearest = this.axes.through === 2 ? index : Math.floor(this.frames.length / 2);
    const description = this.frames[nearest];
    const loaded = description && this.#source.store.peek(description.id);
    if (!loaded) return { center: 40, width: 400 };
    // Planes show the modality's values: a VOI LUT's window does not fit them.
    return hasVoiTable(loaded) ? fullWindow(extentOf(loaded.samples)) : loaded.window;
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
