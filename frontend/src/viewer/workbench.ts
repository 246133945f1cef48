/** The stage: panes, tools, regions, segmentations and what can be undone, put together. */

import type { DrawnRegion } from "../geometry/region";
import { type FrameDescription, frameIndexOf, framesPerSecondOf, imageKeyOf } from "../images/frame";
import type { FrameStore } from "../images/store";
import { type AnswerParts, maskActs, regionActs, suggestionActs } from "./answer_acts";
import { Brushing } from "./brushing";
import { Cine } from "./cine";
import { RegionDrawing } from "./drawing";
import { Gestures } from "./gestures";
import type { Gpu } from "./gpu";
import { Hangings, spacingOf } from "./hangings";
import { History } from "./history";
import { Masks } from "./masks";
import { describe, describeOnly } from "./metadata";
import { drawOverlay } from "./overlay";
import type { Pane } from "./pane";
import { PlainSurface } from "./plain";
import { Regions } from "./regions";
import { commonSize } from "./scene";
import type { Hanging, Stage, ToolName, View } from "./stage";
import { tint } from "./tinting";
import { Toolbox } from "./toolbox";
import { cameraActs, layoutActs, timeActs, type ViewParts } from "./view_acts";
import { viewOf } from "./viewing";

/** Neighbours of the frame on screen, in the order in which they will be wanted. */
const NEIGHBOURS = [1, -1, 2, -2, 3, -3, 4, -4] as const;

/** A reader who wants less motion starts films by hand. */
const isMotionUnwanted = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** All parts together, and what of the stage needs them all; the rest is in view_acts.ts and answer_acts.ts. */
class Workbench {
  readonly #root: HTMLElement;
  readonly #store: FrameStore;
  readonly #gpu: Gpu | null;
  readonly #onView: () => void;
  readonly #history = new History();
  readonly #regions = new Regions(this.#history, (drawn) => this.#frameIndex(drawn));
  readonly #masks = new Masks(this.#history);
  readonly #hangings: Hangings;
  readonly #drawing: RegionDrawing;
  readonly #brushing: Brushing;
  readonly #tools: Toolbox;
  readonly #cine: Cine;
  readonly stage: Stage;
  /** What of the segmentations is on each pane: painting them again costs milliseconds. */
  readonly #tinted = new WeakMap<Pane, string>();
  #redrawing = 0;

  constructor(root: HTMLElement, store: FrameStore, gpu: Gpu | null, onView: () => void) {
    this.#root = root;
    this.#store = store;
    this.#gpu = gpu;
    this.#onView = onView;
    const newSurface = (element: HTMLDivElement) => gpu?.surface(element) ?? new PlainSurface(element);
    const redraw = (): void => this.#redraw();
    this.#hangings = new Hangings(root, store, newSurface, redraw);
    this.#drawing = new RegionDrawing(this.#regions, store, () => crypto.randomUUID(), redraw);
    this.#brushing = new Brushing(this.#masks, this.#brushHost());
    this.#tools = new Toolbox({
      stage: () => this.stage,
      store,
      hangings: this.#hangings,
      regions: this.#regions,
      drawing: this.#drawing,
      masks: this.#masks,
      brushing: this.#brushing,
      redraw,
    });
    const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    this.#cine = new Cine(
      () => this.#nextFrame(),
      () => performance.now(),
      wait,
    );
    this.stage = this.#assembled();
    this.#regions.onChange(redraw);
    this.#masks.onChange(redraw);
    this.#bindGestures();
  }

  #assembled(): Stage {
    const parts = this.#parts();
    return {
      show: (frames, index, hanging) => this.#show(frames, index, hanging),
      goTo: (index) => this.#goTo(index),
      view: () => this.#view(),
      forget: (frameIds) => this.#gpu?.forget(frameIds),
      use: (tool) => this.#use(tool),
      ...cameraActs(parts),
      ...layoutActs(parts),
      ...timeActs(parts),
      ...regionActs(parts),
      ...maskActs(parts),
      ...suggestionActs(parts),
    };
  }

  async #show(frames: readonly FrameDescription[], index: number, hanging?: Hanging): Promise<void> {
    const before = this.#hangings.frames[0]?.address.caseId;
    // The case before may still be on its way to the screen.
    describeOnly([...this.#hangings.frames, ...frames]);
    for (const companion of hanging?.companions ?? []) describe(companion.frames);
    if (frames[0]?.address.caseId !== before) this.#forgetCase(frames);
    await this.#hangings.open(frames, index, hanging);
    if (hanging?.play && this.#hangings.frames === frames && !isMotionUnwanted()) this.stage.play();
  }

  async #goTo(index: number): Promise<void> {
    this.#prefetchAround(index);
    await this.#hangings.goTo(index);
  }

  #view(): View | undefined {
    return viewOf({
      hangings: this.#hangings,
      store: this.#store,
      cine: this.#cine,
      tool: this.#tools.tool,
      history: this.#history,
      selected: this.#regions.selected,
      isDrawing: this.#drawing.isDrawing,
    });
  }

  #use(tool: ToolName): void {
    this.#tools.use(tool);
    this.#root.dataset.tool = tool;
  }

  #forgetCase(frames: readonly FrameDescription[]): void {
    const size = commonSize(frames);
    const grid = size && { columns: size[0], rows: size[1], slices: frames.length };
    this.#cine.pause();
    this.#drawing.cancel();
    this.#drawing.target = null;
    this.#tools.forgetCursor();
    this.#regions.clear();
    this.#masks.open(grid ? { size: grid, images: frames.map(imageKeyOf) } : null);
    this.#history.clear();
    this.#cine.framesPerSecond = framesPerSecondOf(frames) ?? this.#cine.framesPerSecond;
  }

  #parts(): AnswerParts & ViewParts {
    return {
      hangings: this.#hangings,
      regions: this.#regions,
      masks: this.#masks,
      drawing: this.#drawing,
      brushing: this.#brushing,
      tools: this.#tools,
      history: this.#history,
      cine: this.#cine,
      onView: this.#onView,
      frameOf: (drawn) => this.#frameIndex(drawn),
      reveal: (frame) => this.#reveal(frame),
      redraw: () => this.#redraw(),
    };
  }

  /** Where planes were turned, no pane may show a frame: they are put back first. */
  async #reveal(frame: number): Promise<void> {
    if (!this.#hangings.main) await this.#hangings.straighten();
    await this.#goTo(frame);
  }

  #frameIndex({ region }: DrawnRegion): number {
    return frameIndexOf(this.#hangings.frames, region.image, region.frame);
  }

  #spacing() {
    return spacingOf(this.#hangings.frames, this.#hangings.volume);
  }

  #brushHost() {
    return {
      placeOf: (pane: Pane) => this.#placeOf(pane),
      spacing: () => this.#spacing(),
      hasVolume: () => this.#hangings.volume !== undefined && this.#hangings.problem("mpr") === "",
      valueAt: (column: number, row: number, slice: number) => this.#valueAt(column, row, slice),
      changed: () => {
        this.#masks.touch();
        this.#redraw();
      },
    };
  }

  /** The slice, or the plane along the grid's axes, that may be painted on; -1 where none may. */
  #placeOf(pane: Pane): number {
    return pane.scene.isOblique ? -1 : this.#planeOf(pane);
  }

  /** Which of the case's slices or planes is on a pane; -1 where none is. */
  #planeOf(pane: Pane): number {
    if (!pane.scene.isCase) return -1;
    return pane.scene.fromFrame ? this.#hangings.frameOf(pane) : pane.index;
  }

  #valueAt(column: number, row: number, slice: number): number | undefined {
    const frame = this.#hangings.frames[slice];
    const held = frame && this.#store.peek(frame.id);
    return held?.samples[row * held.format.columns + column];
  }

  #prefetchAround(index: number): void {
    const { frames } = this.#hangings;
    NEIGHBOURS.forEach((step, nth) => {
      const frame = frames[index + step];
      if (frame && !this.#store.holds(frame.id)) this.#store.prefetch([frame], 0.1 + nth / 100);
    });
  }

  async #nextFrame(): Promise<void> {
    const { main, frames } = this.#hangings;
    const next = main ? (this.#hangings.frameOf(main) + 1) % frames.length : 0;
    await this.#goTo(next);
  }

  #bindGestures(): void {
    const paneAt = (target: EventTarget | null): Pane | null => {
      const element = target instanceof Element ? target.closest(".pane") : null;
      return this.#hangings.panes.find((pane) => pane.element === element) ?? null;
    };
    new Gestures(this.#root, {
      paneAt,
      press: (pane, place, event) => this.#tools.press(pane, place, event),
      hover: (pane, place) => this.#tools.hover(pane, place),
      twice: () => this.#tools.twice(),
      scroll: (pane, slices) => void this.#hangings.scrollTo(pane, pane.index + slices),
      zoom: (pane, factor, around) => pane.zoomBy(factor, around),
      pan: (pane, offset) => pane.panBy(offset),
    });
  }

  /** Once an animation frame, however much has changed. */
  #redraw(): void {
    if (this.#redrawing !== 0) return;
    this.#redrawing = requestAnimationFrame(() => {
      this.#redrawing = 0;
      for (const pane of this.#hangings.panes) this.#drawOver(pane);
      this.#onView();
    });
  }

  #drawOver(pane: Pane): void {
    const plane = this.#planeOf(pane);
    const seen = `${this.#masks.version}/${plane}/${pane.picture?.id}`;
    if (this.#tinted.get(pane) !== seen) tint(pane, this.#masks, plane);
    this.#tinted.set(pane, seen);
    const drawings = [...this.#drawing.drawings(pane), ...this.#brushing.drawings(pane)];
    drawOverlay(pane, drawings, pane.frameMatrix(), this.#tools.marks(pane));
  }
}

export const newWorkbench = (
  root: HTMLElement,
  store: FrameStore,
  gpu: Gpu | null,
  onView: () => void,
): Stage => new Workbench(root, store, gpu, onView).stage;
