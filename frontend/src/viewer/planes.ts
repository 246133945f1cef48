/** Planes through the volume of a series: along its own axes, of its very voxels. */

import { type Affine, IDENTITY } from "../geometry/affine";
import { type Camera, type FrameSize, fitted } from "../geometry/camera";
import { type Labels, labelsAlong } from "../geometry/labels";
import { type Cut, unit, type Vector } from "../geometry/oblique";
import type { Axis } from "../geometry/painting";
import type { Point } from "../geometry/region";
import { type Grid, type PlaneName, type PlaneView, planeView, type SlabMode } from "../geometry/volume";
import type { FrameDescription } from "../images/frame";
import {
  type DecodedFrame,
  extentOf,
  fullWindow,
  hasVoiTable,
  isInverted,
  type Window,
} from "../images/pixels";
import { type Slices, slab } from "../images/slab";
import type { FrameStore } from "../images/store";
import { say } from "../words/say";
import { type PlaneAxes, type Scene, type Sides, sidesOf } from "./scene";
import type { Picture, Tone } from "./surface";

/** Columns and rows change places. */
const SWAP: Affine = [0, 1, 1, 0, 0, 0];

/** A plane of a volume, which others cross: places are in mm along the grid's axes (geometry/oblique.ts). */
export interface CutScene extends Scene {
  readonly source: VolumeSource;
  readonly view: PlaneView;
  readonly cut: Cut;
  /** The place under a point of the picture. */
  toMm(pixel: Point, index: number): Vector;
  /** The point of the picture that a place is seen at, along the normal. */
  toPixel(place: Vector): Point;
  /** Which of the parallel planes a place is in. */
  indexAt(place: Vector): number;
}

export const planeFrame = (
  samples: Float32Array,
  columns: number,
  rows: number,
  window: Window,
): DecodedFrame => {
  const format = {
    rows,
    columns,
    samplesPerPixel: 1,
    bitsAllocated: 32,
    bitsStored: 32,
    signed: true,
    isFloat: true,
  } as const;
  return { format, samples, display: samples, extent: { lowest: 0, highest: 0 }, window, bytes: 0 };
};

/** As the view lays it on a screen. */
export const planeHome = (view: PlaneView, size: FrameSize): Camera => ({
  ...fitted(size),
  isFlippedHorizontally: view.isAcrossReversed,
  isFlippedVertically: view.isDownReversed,
});

export const planeTone = (frames: readonly FrameDescription[], { frame }: Picture): Tone => {
  const [first] = frames;
  return { window: frame.window, isInverted: first ? isInverted(first.attributes) : false };
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
    const slices = this.slices();
    const request = { ...axes, at, half: this.half(axes.through), mode: this.mode };
    return slab(slices, this.grid.size, request, this.missing(slices));
  }

  slices(): Slices {
    return this.frames.map(({ id }) => this.store.peek(id)?.samples);
  }

  /** What is shown where no voxel is: about as dark as the first row of a slice. */
  missing(slices: Slices): number {
    const loaded = slices.find((slice) => slice !== undefined);
    return loaded ? Math.min(0, extentOf(loaded.slice(0, this.grid.size[0])).lowest) : 0;
  }

  /** That of a slice, else of the series' middle one, if loaded: planes have none of their own. */
  window(slice: number): Window {
    const description = this.frames[slice === -1 ? Math.floor(this.frames.length / 2) : slice];
    const loaded = description && this.store.peek(description.id);
    if (!loaded) return { center: 40, width: 400 };
    // Planes show the modality's values: a VOI LUT's window does not fit them.
    return hasVoiTable(loaded) ? fullWindow(extentOf(loaded.samples)) : loaded.window;
  }
}

export class PlaneScene implements CutScene {
  readonly caption: string;
  readonly isCase = true;
  readonly isOblique = false;
  readonly cut: Cut;
  readonly axes: PlaneAxes;
  readonly fromFrame: Affine | null;
  readonly count: number;
  readonly ids: readonly string[] = [];
  readonly source: VolumeSource;
  readonly view: PlaneView;

  constructor(source: VolumeSource, name: PlaneName) {
    this.source = source;
    this.view = planeView(source.grid, name);
    this.axes = this.view;
    this.cut = {
      across: unit(this.axes.across),
      down: unit(this.axes.down),
      normal: unit(this.axes.through),
    };
    this.caption = say(`plane_${name}`);
    this.count = source.grid.size[this.axes.through];
    this.fromFrame = this.axes.through === 2 ? (this.axes.across === 0 ? IDENTITY : SWAP) : null;
  }

  get frames(): readonly FrameDescription[] {
    return this.source.frames;
  }

  picture(index: number): Promise<Picture> {
    const { size, spacingMm } = this.source.grid;
    const { across, down, through } = this.axes;
    const [columns, rows] = [size[across], size[down]];
    const samples = this.source.values(this.axes, index);
    const frame = planeFrame(
      samples,
      columns,
      rows,
      this.source.window(this.axes.through === 2 ? index : -1),
    );
    const spacing = [spacingMm[down], spacingMm[across]] as const;
    return Promise.resolve({ id: `plane:${through}/${index}`, frame, size: { columns, rows, spacing } });
  }

  home(size: FrameSize): Camera {
    return planeHome(this.view, size);
  }

  tone(picture: Picture): Tone {
    return planeTone(this.frames, picture);
  }

  labels(labels: Labels, at: number): Uint8Array {
    return labelsAlong(labels, this.axes, at);
  }

  sides(): Sides {
    const { directions } = this.source.grid;
    return sidesOf(directions[this.axes.across], directions[this.axes.down]);
  }

  toMm([x, y]: Point, index: number): Vector {
    const { spacingMm } = this.source.grid;
    const place: [number, number, number] = [0, 0, 0];
    place[this.axes.across] = (x - 0.5) * spacingMm[this.axes.across];
    place[this.axes.down] = (y - 0.5) * spacingMm[this.axes.down];
    place[this.axes.through] = index * spacingMm[this.axes.through];
    return place;
  }

  toPixel(place: Vector): Point {
    const along = (axis: Axis): number => place[axis] / this.source.grid.spacingMm[axis] + 0.5;
    return [along(this.axes.across), along(this.axes.down)];
  }

  indexAt(place: Vector): number {
    return Math.round(place[this.axes.through] / this.source.grid.spacingMm[this.axes.through]);
  }
}
