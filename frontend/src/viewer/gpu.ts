/** The surface that Cornerstone3D draws: a legacy stack viewport on the GPU. */

import { cache, Enums, imageLoader, init, metaData, RenderingEngine, type Types } from "@cornerstonejs/core";
import { quarterTurns } from "../geometry/affine";
import { type Camera, type CanvasSize, type FrameSize, scaleOf } from "../geometry/camera";
import { rangeOf } from "../images/pixels";
import type { FrameStore } from "../images/store";
import { loaderFor } from "./loader";
import { provide, undescribe } from "./metadata";
import type { Picture, Surface, Tone } from "./surface";

const ENGINE = "reading-room";
const CACHE_BYTES = 512 * 1024 * 1024;
const BLACK: Types.Point3 = [0, 0, 0];
/** Software rendering takes long; nothing takes this long. */
const RENDER_LIMIT_MS = 15_000;
/** A window of width 1 is a step; the card wants a slope, as steep as its numbers can tell apart. */
const LEAST_SHARE = 1e-6;
/** From the camera to the picture: any, since the projection is parallel. */
const CAMERA_DISTANCE = 1000;

export const hasWebGl2 = (): boolean => document.createElement("canvas").getContext("webgl2") !== null;

/** The graphics card's side of the stage: one engine, a viewport a pane. */
export class Gpu {
  readonly #engine: RenderingEngine;
  #made = 0;

  constructor(store: FrameStore) {
    init({ rendering: { webGlContextCount: 1 } } as Types.Cornerstone3DConfig);
    cache.setMaxCacheSize(CACHE_BYTES);
    metaData.addProvider(provide, 10);
    imageLoader.registerImageLoader("fovea", loaderFor(store) as Types.ImageLoaderFn);
    this.#engine = new RenderingEngine(ENGINE);
  }

  surface(element: HTMLDivElement): Surface {
    this.#made += 1;
    return new GpuSurface(this.#engine, `pane-${this.#made}`, element);
  }

  forget(frameIds: readonly string[]): void {
    for (const id of frameIds) {
      if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    }
    undescribe(frameIds);
  }
}

class GpuSurface implements Surface {
  readonly #engine: RenderingEngine;
  readonly #id: string;
  readonly #element: HTMLDivElement;
  readonly #viewport: Types.IStackViewport;
  #ids: readonly string[] = [];
  #wanted = "";
  #canvas: CanvasSize = { width: 0, height: 0 };

  constructor(engine: RenderingEngine, id: string, element: HTMLDivElement) {
    this.#engine = engine;
    this.#id = id;
    this.#element = element;
    engine.enableElement({
      viewportId: id,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: BLACK },
    });
    this.#viewport = engine.getViewport(id) as Types.IStackViewport;
  }

  async show({ id }: Picture, ids: readonly string[], arrange: () => void): Promise<void> {
    this.#wanted = id;
    const rendered = this.#rendered(id);
    await this.#bring(id, ids);
    if (this.#wanted === id) arrange();
    await rendered;
  }

  /** Every picture lies in the plane z = 0 of Cornerstone3D's world, its first pixel's centre at the origin. */
  place(camera: Camera, size: FrameSize, canvas: CanvasSize): void {
    this.#fit(canvas);
    const [row, column] = size.spacing;
    const [x, y] = [(camera.centre[0] - 0.5) * column, (camera.centre[1] - 0.5) * row];
    const [a, b, c, d] = quarterTurns(camera.quarterTurns);
    const [across, down] = [camera.isFlippedHorizontally ? -1 : 1, camera.isFlippedVertically ? -1 : 1];
    const right = [a * across, c * across] as const;
    const up = [-b * down, -d * down] as const;
    const forward = up[0] * right[1] - up[1] * right[0];
    this.#viewport.setCamera({
      focalPoint: [x, y, 0],
      position: [x, y, -forward * CAMERA_DISTANCE],
      viewPlaneNormal: [0, 0, -forward],
      viewUp: [up[0], up[1], 0],
      parallelScale: canvas.height / 2 / scaleOf(camera, size, canvas),
      clippingRange: [CAMERA_DISTANCE / 100, CAMERA_DISTANCE * 2],
    });
    this.#viewport.render();
  }

  tone({ window, isInverted }: Tone): void {
    const { lowest, highest } = rangeOf(window);
    const { LINEAR, SAMPLED_SIGMOID } = Enums.VOILUTFunctionType;
    this.#viewport.setProperties({
      VOILUTFunction: window.isSigmoid ? SAMPLED_SIGMOID : LINEAR,
      voiRange: {
        lower: lowest,
        upper: Math.max(highest, lowest + LEAST_SHARE * Math.max(1, Math.abs(lowest))),
      },
      invert: isInverted,
    });
    this.#viewport.render();
  }

  destroy(): void {
    this.#engine.disableElement(this.#id);
  }

  #fit(canvas: CanvasSize): void {
    if (this.#canvas.width === canvas.width && this.#canvas.height === canvas.height) return;
    this.#canvas = canvas;
    this.#engine.resize(true, true);
  }

  async #bring(id: string, ids: readonly string[]): Promise<void> {
    const index = ids.indexOf(id);
    if (ids === this.#ids) {
      await this.#viewport.setImageIdIndex(index);
      return;
    }
    this.#ids = ids;
    await this.#viewport.setStack([...ids], index);
  }

  /** Settles when pixels of this very frame were drawn: the event alone also comes for the image before. */
  #rendered(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(limit);
        this.#element.removeEventListener(Enums.Events.IMAGE_RENDERED, check);
      };
      const check = (): void => {
        const shown = this.#viewport.getCornerstoneImage() as Types.IImage | undefined;
        if (this.#wanted === id && shown?.imageId !== id) return;
        stop();
        resolve();
      };
      const limit = setTimeout(() => {
        stop();
        if (this.#wanted === id) reject(new Error("The image was not drawn"));
        else resolve();
      }, RENDER_LIMIT_MS);
      this.#element.addEventListener(Enums.Events.IMAGE_RENDERED, check);
    });
  }
}
