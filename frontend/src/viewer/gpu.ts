/** The stage that Cornerstone3D draws: a legacy stack viewport on the GPU. */

import { cache, Enums, imageLoader, init, metaData, RenderingEngine, type Types } from "@cornerstonejs/core";
import type { FrameDescription } from "../images/frame";
import { isInverted, rangeOf, type Window, windowFromRange } from "../images/pixels";
import type { FrameStore } from "../images/store";
import { loaderFor } from "./loader";
import { describe, descriptionOf, provide, undescribe } from "./metadata";
import type { ScreenPoint, Stage, View } from "./stage";

const ENGINE = "reading-room";
const VIEWPORT = "stage";
const CACHE_BYTES = 512 * 1024 * 1024;
const BLACK: Types.Point3 = [0, 0, 0];
/** Software rendering takes long; nothing takes this long. */
const RENDER_LIMIT_MS = 15_000;
const ZOOM_LIMITS = [0.2, 40] as const;

export const hasWebGl2 = (): boolean => document.createElement("canvas").getContext("webgl2") !== null;

const prepare = (store: FrameStore): void => {
  init({ rendering: { webGlContextCount: 1 } } as Types.Cornerstone3DConfig);
  cache.setMaxCacheSize(CACHE_BYTES);
  metaData.addProvider(provide, 10);
  imageLoader.registerImageLoader("fovea", loaderFor(store) as Types.ImageLoaderFn);
};

export class GpuStage implements Stage {
  readonly #element: HTMLDivElement;
  readonly #store: FrameStore;
  readonly #engine: RenderingEngine;
  readonly #viewport: Types.IStackViewport;
  readonly #resizes: ResizeObserver;
  #frames: readonly FrameDescription[] = [];
  #index = 0;

  constructor(element: HTMLDivElement, store: FrameStore, onView: () => void) {
    prepare(store);
    this.#element = element;
    this.#store = store;
    this.#engine = new RenderingEngine(ENGINE);
    this.#engine.enableElement({
      viewportId: VIEWPORT,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: BLACK },
    });
    this.#viewport = this.#engine.getViewport(VIEWPORT) as Types.IStackViewport;
    this.#resizes = new ResizeObserver(() => this.#engine.resize(true, true));
    this.#resizes.observe(element);
    element.addEventListener(Enums.Events.IMAGE_RENDERED, onView);
  }

  async show(frames: readonly FrameDescription[], index: number): Promise<void> {
    const wanted = frames[index];
    if (!wanted) throw new Error("The case has no image");
    describe(frames);
    this.#frames = frames;
    this.#index = index;
    await this.#store.get(wanted);
    if (this.#frames !== frames) return;
    const rendered = this.#rendered(wanted.id);
    await this.#viewport.setStack(
      frames.map(({ id }) => id),
      index,
    );
    this.reset();
    await rendered;
  }

  async goTo(index: number): Promise<void> {
    const frames = this.#frames;
    const bounded = Math.min(frames.length - 1, Math.max(0, index));
    const wanted = frames[bounded];
    if (!wanted || bounded === this.#index) return;
    this.#index = bounded;
    await this.#store.get(wanted, 0);
    if (this.#frames !== frames || this.#index !== bounded) return;
    await this.#viewport.setImageIdIndex(bounded);
  }

  setWindow(window: Window): void {
    const { lowest, highest } = rangeOf(window);
    this.#viewport.setProperties({ voiRange: { lower: lowest, upper: highest } });
    this.#viewport.render();
  }

  zoomBy(factor: number, around?: ScreenPoint): void {
    const [least, most] = ZOOM_LIMITS;
    const zoom = Math.min(most, Math.max(least, this.#viewport.getZoom() * factor));
    const place: Types.Point2 = around ? [...around] : this.#middle();
    const world = this.#viewport.canvasToWorld(place);
    this.#viewport.setZoom(zoom);
    const moved = this.#viewport.worldToCanvas(world);
    this.panBy([place[0] - moved[0], place[1] - moved[1]]);
  }

  panBy([x, y]: ScreenPoint): void {
    const [panX, panY] = this.#viewport.getPan();
    this.#viewport.setPan([panX + x, panY + y]);
    this.#viewport.render();
  }

  invert(): void {
    this.#viewport.setProperties({ invert: !this.#viewport.getProperties().invert });
    this.#viewport.render();
  }

  /** One window serves a whole series: that of the frame it was reset on. */
  reset(): void {
    const image = this.#shown();
    const frame = descriptionOf(image?.imageId ?? "");
    if (!image || !frame) return;
    const window = { center: Number(image.windowCenter), width: Number(image.windowWidth) };
    this.#viewport.setProperties({ invert: isInverted(frame.attributes) });
    this.#viewport.resetCamera();
    this.setWindow(window);
  }

  view(): View | undefined {
    const image = this.#shown();
    const { voiRange, invert } = this.#viewport.getProperties();
    if (!image || !voiRange) return undefined;
    return {
      frameId: image.imageId,
      index: this.#frames.findIndex(({ id }) => id === image.imageId),
      count: this.#frames.length,
      window: windowFromRange({ lowest: voiRange.lower, highest: voiRange.upper }),
      zoom: this.#viewport.getZoom(),
      isInverted: invert === true,
    };
  }

  forget(frameIds: readonly string[]): void {
    for (const id of frameIds) {
      if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    }
    undescribe(frameIds);
  }

  #shown(): Types.IImage | undefined {
    return this.#viewport.getCornerstoneImage() as Types.IImage | undefined;
  }

  #middle(): Types.Point2 {
    return [this.#element.clientWidth / 2, this.#element.clientHeight / 2];
  }

  /** Settles when pixels of this very frame were drawn: the event alone also comes for the image before. */
  #rendered(frameId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(limit);
        this.#element.removeEventListener(Enums.Events.IMAGE_RENDERED, check);
      };
      const check = (): void => {
        if (this.#shown()?.imageId !== frameId) return;
        stop();
        resolve();
      };
      const limit = setTimeout(() => {
        stop();
        reject(new Error("The image was not drawn"));
      }, RENDER_LIMIT_MS);
      this.#element.addEventListener(Enums.Events.IMAGE_RENDERED, check);
    });
  }
}
