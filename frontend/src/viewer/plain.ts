/** The surface of browsers without WebGL2, of reformatted planes and of the lens: a plain canvas. */

import { type Camera, type CanvasSize, type FrameSize, matrixOf } from "../geometry/camera";
import { brightnessIn, type DecodedFrame, type Window } from "../images/pixels";
import type { Picture, Surface, Tone } from "./surface";

const OPAQUE = 0xff000000;

/** Grey, or red, green and blue, as the screen shows them: 0 – 255, four a pixel. */
export const paint = (
  frame: DecodedFrame,
  window: Window,
  isInvertedNow: boolean,
): Uint8ClampedArray<ArrayBuffer> => {
  const { rows, columns, samplesPerPixel } = frame.format;
  const brightness = brightnessIn(window);
  const picture = new Uint32Array(rows * columns);
  const { display } = frame;
  const shade = (value: number): number => {
    const grey = 255 * brightness(value);
    return Math.round(isInvertedNow ? 255 - grey : grey);
  };
  if (samplesPerPixel === 3) {
    for (let pixel = 0, at = 0; pixel < picture.length; pixel += 1, at += 3) {
      const [red, green, blue] = [
        shade(display[at] ?? 0),
        shade(display[at + 1] ?? 0),
        shade(display[at + 2] ?? 0),
      ];
      picture[pixel] = OPAQUE | (blue << 16) | (green << 8) | red;
    }
  } else {
    for (let pixel = 0; pixel < picture.length; pixel += 1) {
      picture[pixel] = OPAQUE | (shade(display[pixel] ?? 0) * 0x010101);
    }
  }
  return new Uint8ClampedArray(picture.buffer);
};

export class PlainSurface implements Surface {
  readonly #canvas = document.createElement("canvas");
  #frame: DecodedFrame | null = null;

  constructor(element: HTMLDivElement) {
    this.#canvas.className = "picture";
    element.append(this.#canvas);
  }

  show({ frame }: Picture, _: readonly string[], arrange: () => void): Promise<void> {
    this.#frame = frame;
    const { rows, columns } = frame.format;
    if (this.#canvas.width !== columns) this.#canvas.width = columns;
    if (this.#canvas.height !== rows) this.#canvas.height = rows;
    arrange();
    return Promise.resolve();
  }

  place(camera: Camera, size: FrameSize, canvas: CanvasSize): void {
    this.#canvas.style.transform = `matrix(${matrixOf(camera, size, canvas).join()})`;
  }

  tone({ window, isInverted }: Tone): void {
    if (!this.#frame) return;
    const picture = new ImageData(paint(this.#frame, window, isInverted), this.#frame.format.columns);
    this.#canvas.getContext("2d")?.putImageData(picture, 0, 0);
  }

  destroy(): void {
    this.#canvas.remove();
  }
}
