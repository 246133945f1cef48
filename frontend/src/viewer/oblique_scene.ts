/** A plane at any angle through a series' volume: values between its voxels. */

import type { Camera, FrameSize } from "../geometry/camera";
import type { Labels } from "../geometry/labels";
import { boxOf, type Cut, combined, dot, extentAlong, inPatient, type Vector } from "../geometry/oblique";
import type { Point } from "../geometry/region";
import type { PlaneView } from "../geometry/volume";
import type { FrameDescription } from "../images/frame";
import { type PlaneGrid, relabel, reslice } from "../images/reslice";
import { say } from "../words/say";
import { type CutScene, planeFrame, planeHome, planeTone, type VolumeSource } from "./planes";
import { type PlaneAxes, type Sides, sidesOf } from "./scene";
import type { Picture, Tone } from "./surface";

/** Pixels of a picture's edge: more cost time and show nothing more. */
const LONGEST_EDGE = 768;

/** One size of picture for all angles, so that the camera stays: a square as wide as the volume's diagonal. */
export class ObliqueScene implements CutScene {
  readonly caption: string;
  readonly isCase = true;
  readonly isOblique = true;
  readonly axes: PlaneAxes;
  readonly fromFrame = null;
  readonly count: number;
  readonly ids: readonly string[] = [];
  readonly source: VolumeSource;
  readonly view: PlaneView;
  readonly cut: Cut;
  /** Between pixels, and between parallel planes. */
  readonly #step: number;
  readonly #edge: number;
  readonly #middle: Vector;
  /** Where along the normal the first plane is; one of them goes through the anchor. */
  readonly #first: number;

  constructor(straight: CutScene, cut: Cut, anchor: Vector) {
    const { source, view } = straight;
    const { edges, middle } = boxOf(source.grid);
    const diagonal = Math.hypot(...edges);
    const [low, high] = extentAlong(source.grid, cut.normal);
    this.source = source;
    this.view = view;
    this.cut = cut;
    this.axes = view;
    this.caption = say("plane_turned", { plane: say(`plane_${view.name}`) });
    this.#step = Math.max(Math.min(...source.grid.spacingMm), diagonal / LONGEST_EDGE);
    this.#edge = Math.ceil(diagonal / this.#step);
    this.#middle = middle;
    const through = dot(anchor, cut.normal);
    this.#first = through - this.#step * Math.max(0, Math.floor((through - low) / this.#step));
    this.count = 1 + Math.max(0, Math.floor((high - this.#first) / this.#step));
  }

  get frames(): readonly FrameDescription[] {
    return this.source.frames;
  }

  picture(index: number): Promise<Picture> {
    const slices = this.source.slices();
    const request = {
      ...this.#grid(index),
      through: this.#inVoxels(combined([this.#step, this.cut.normal])),
      half: Math.max(0, Math.round((this.source.millimetres / this.#step - 1) / 2)),
      mode: this.source.mode,
    };
    const samples = reslice(slices, this.source.grid.size, request, this.source.missing(slices));
    const frame = planeFrame(samples, this.#edge, this.#edge, this.source.window(-1));
    const size = { columns: this.#edge, rows: this.#edge, spacing: [this.#step, this.#step] as const };
    return Promise.resolve({ id: `oblique:${this.#angle}/${index}`, frame, size });
  }

  /** As large as the straight plane was: the picture's margin is for its corners. */
  home(size: FrameSize): Camera {
    const { edges } = boxOf(this.source.grid);
    return {
      ...planeHome(this.view, size),
      zoom: (this.#edge * this.#step) / Math.max(edges[this.axes.across], edges[this.axes.down]),
    };
  }

  tone(picture: Picture): Tone {
    return planeTone(this.frames, picture);
  }

  /** Of a slab its middle plane. */
  labels(labels: Labels, at: number): Uint8Array {
    return relabel(labels, this.#grid(at));
  }

  sides(): Sides {
    const { grid } = this.source;
    return sidesOf(inPatient(grid, this.cut.across), inPatient(grid, this.cut.down));
  }

  toMm([x, y]: Point, index: number): Vector {
    const { across, down, normal } = this.cut;
    const along = (pixel: number, direction: Vector): number =>
      dot(this.#middle, direction) + (pixel - this.#edge / 2) * this.#step;
    return combined(
      [along(x, across), across],
      [along(y, down), down],
      [this.#first + index * this.#step, normal],
    );
  }

  toPixel(place: Vector): Point {
    const along = (direction: Vector): number =>
      (dot(place, direction) - dot(this.#middle, direction)) / this.#step + this.#edge / 2;
    return [along(this.cut.across), along(this.cut.down)];
  }

  indexAt(place: Vector): number {
    return Math.round((dot(place, this.cut.normal) - this.#first) / this.#step);
  }

  /** Which of all planes at all angles the first one is. */
  get #angle(): string {
    return [...this.cut.across, ...this.cut.normal, this.#first].map((one) => one.toFixed(4)).join();
  }

  #inVoxels([x, y, z]: Vector): Vector {
    const [columns, rows, slices] = this.source.grid.spacingMm;
    return [x / columns, y / rows, z / slices];
  }

  /** Where the picture's pixels lie in the voxels. */
  #grid(index: number): PlaneGrid {
    const step = (direction: Vector): Vector => this.#inVoxels(combined([this.#step, direction]));
    return {
      start: this.#inVoxels(this.toMm([0.5, 0.5], index)),
      across: step(this.cut.across),
      down: step(this.cut.down),
      columns: this.#edge,
      rows: this.#edge,
    };
  }
}
