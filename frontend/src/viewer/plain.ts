/** The stage of browsers without WebGL2: a plain canvas, one window, square or anisotropic pixels. No measuring. */

import { type FrameDescription, numbersOf } from "../images/frame";
import { type DecodedFrame, isInverted, rangeOf, type Window } from "../images/pixels";
import type { FrameStore } from "../images/store";
import type { ScreenPoint, Stage, View } from "./stage";

interface Shown {
  readonly description: FrameDescription;
  readonly frame: DecodedFrame;
}

/** Grey, or red, green and blue, as the screen shows them: 0 – 255, four a pixel. */
export const paint = (
  frame: DecodedFrame,
  window: Window,
  isInvertedNow: boolean,
): Uint8ClampedArray<ArrayBuffer> => {
  const { rows, columns, samplesPerPixel } = frame.format;
  const { lowest, highest } = rangeOf(window);
  const scale = 255 / Math.max(highest - lowest, 1e-6);
  const picture = new Uint8ClampedArray(rows * columns * 4);
  const shade = (value: number): number => {
    const grey = Math.min(255, Math.max(0, (value - lowest) * scale));
    return isInvertedNow ? 255 - grey : grey;
  };
  for (let pixel = 0; pixel < rows * columns; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const sample = samplesPerPixel === 3 ? 3 * pixel + channel : pixel;
      picture[4 * pixel + channel] = shade(frame.samples[sample] ?? 0);
    }
    picture[4 * pixel + 3] = 255;
  }
  return picture;
};

export class PlainStage implements Stage {
  readonly #element: HTMLDivElement;
  readonly #store: FrameStore;
  readonly #onView: () => void;
  readonly #canvas = document.createElement("canvas");
  #frames: readonly FrameDescription[] = [];
  #index = 0;
  #shown: Shown | null = null;
  #window: Window = { center: 128, width: 256 };
  #isInverted = false;
  #zoom = 1;
  #pan: ScreenPoint = [0, 0];

  constructor(element: HTMLDivElement, store: FrameStore, onView: () => void) {
    this.#element = element;
    this.#store = store;
    this.#onView = onView;
    element.append(this.#canvas);
    new ResizeObserver(() => this.#place()).observe(element);
  }

  async show(frames: readonly FrameDescription[], index: number): Promise<void> {
    this.#frames = frames;
    this.#index = index;
    const isCurrent = await this.#load();
    if (isCurrent) this.reset();
  }

  async goTo(index: number): Promise<void> {
    const bounded = Math.min(this.#frames.length - 1, Math.max(0, index));
    if (bounded === this.#index) return;
    this.#index = bounded;
    const isCurrent = await this.#load();
    if (isCurrent) this.#draw();
  }

  setWindow(window: Window): void {
    this.#window = window;
    this.#draw();
  }

  zoomBy(factor: number, around?: ScreenPoint): void {
    const zoom = Math.min(40, Math.max(0.2, this.#zoom * factor));
    const grown = zoom / this.#zoom;
    const [x, y] = around ?? [this.#element.clientWidth / 2, this.#element.clientHeight / 2];
    const [fromX, fromY] = [x - this.#element.clientWidth / 2, y - this.#element.clientHeight / 2];
    this.#zoom = zoom;
    this.#pan = [fromX - (fromX - this.#pan[0]) * grown, fromY - (fromY - this.#pan[1]) * grown];
    this.#place();
  }

  panBy([x, y]: ScreenPoint): void {
    this.#pan = [this.#pan[0] + x, this.#pan[1] + y];
    this.#place();
  }

  invert(): void {
    this.#isInverted = !this.#isInverted;
    this.#draw();
  }

  reset(): void {
    if (!this.#shown) return;
    this.#window = this.#shown.frame.window;
    this.#isInverted = isInverted(this.#shown.description.attributes);
    this.#zoom = 1;
    this.#pan = [0, 0];
    this.#draw();
  }

  view(): View | undefined {
    if (!this.#shown) return undefined;
    return {
      frameId: this.#shown.description.id,
      index: this.#index,
      count: this.#frames.length,
      window: this.#window,
      zoom: this.#zoom,
      isInverted: this.#isInverted,
    };
  }

  /** Frames live in the store alone. */
  forget(): void {}

  /** Whether what was asked for is still wanted now that it is here. */
  async #load(): Promise<boolean> {
    const description = this.#frames[this.#index];
    if (!description) throw new Error("The case has no image");
    const frame = await this.#store.get(description);
    if (this.#frames[this.#index] !== description) return false;
    this.#shown = { description, frame };
    return true;
  }

  #draw(): void {
    if (!this.#shown) return;
    const { frame } = this.#shown;
    this.#canvas.width = frame.format.columns;
    this.#canvas.height = frame.format.rows;
    const picture = paint(frame, this.#window, this.#isInverted);
    this.#canvas.getContext("2d")?.putImageData(new ImageData(picture, frame.format.columns), 0, 0);
    this.#place();
  }

  /** The whole image fits at zoom 1; pixels that are not square are shown so. */
  #place(): void {
    if (!this.#shown) return;
    const { format } = this.#shown.frame;
    const [row, column] = numbersOf(this.#shown.description.attributes, "PixelSpacing") ?? [1, 1];
    const height = format.rows * ((row ?? 1) / (column ?? 1));
    const fit = Math.min(this.#element.clientWidth / format.columns, this.#element.clientHeight / height);
    const { style } = this.#canvas;
    style.inlineSize = `${fit * format.columns * this.#zoom}px`;
    style.blockSize = `${fit * height * this.#zoom}px`;
    style.transform = `translate(calc(-50% + ${this.#pan[0]}px), calc(-50% + ${this.#pan[1]}px))`;
    this.#onView();
  }
}
