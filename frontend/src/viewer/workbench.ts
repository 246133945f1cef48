/** The stage: panes, tools, regions, segmentations and what can be undone, put together. */

import type { Mask } from "../geometry/mask";
import type { DrawnRegion } from "../geometry/region";
import type { SlabMode } from "../geometry/volume";
import { type FrameDescription, frameIndexOf, framesPerSecondOf, imageKeyOf } from "../images/frame";
import type { Window } from "../images/pixels";
import type { FrameStore } from "../images/store";
import { Brushing } from "./brushing";
import { Cine } from "./cine";
import { RegionDrawing, type Target } from "./drawing";
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
import type {
  Brush,
  Companion,
  Hanging,
  LayoutName,
  MaskClass,
  MaskClassStyle,
  RegionsChange,
  ScreenPoint,
  Stage,
  Suggestions,
  ToolName,
  View,
} from "./stage";
import { tint } from "./tinting";
import { Toolbox } from "./toolbox";
import { viewOf } from "./viewing";

/** Neighbours of the frame on screen, in the order in which they will be wanted. */
const NEIGHBOURS = [1, -1, 2, -2, 3, -3, 4, -4] as const;

/** A reader who wants less motion starts films by hand. */
const isMotionUnwanted = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Workbench implements Stage {
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
      stage: this,
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
    this.#regions.onChange(redraw);
    this.#masks.onChange(redraw);
    this.#bindGestures();
  }

  async show(frames: readonly FrameDescription[], index: number, hanging?: Hanging): Promise<void> {
    const before = this.#hangings.frames[0]?.address.caseId;
    // The case before may still be on its way to the screen.
    describeOnly([...this.#hangings.frames, ...frames]);
    for (const companion of hanging?.companions ?? []) describe(companion.frames);
    if (frames[0]?.address.caseId !== before) this.#forgetCase(frames);
    await this.#hangings.open(frames, index, hanging);
    if (hanging?.play && this.#hangings.frames === frames && !isMotionUnwanted()) this.play();
  }

  async goTo(index: number): Promise<void> {
    this.#prefetchAround(index);
    await this.#hangings.goTo(index);
  }

  setWindow(window: Window): void {
    this.#hangings.setWindow(window);
  }

  zoomBy(factor: number, around?: ScreenPoint): void {
    this.#hangings.active?.zoomBy(factor, around);
  }

  panBy(offset: ScreenPoint): void {
    this.#hangings.active?.panBy(offset);
  }

  invert(): void {
    this.#hangings.invert();
  }

  rotate(): void {
    this.#hangings.active?.rotate();
  }

  flip(direction: "horizontal" | "vertical"): void {
    this.#hangings.active?.flip(direction);
  }

  reset(): void {
    this.#hangings.reset();
  }

  view(): View | undefined {
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

  forget(frameIds: readonly string[]): void {
    this.#gpu?.forget(frameIds);
  }

  use(tool: ToolName): void {
    this.#tools.use(tool);
    this.#root.dataset.tool = tool;
  }

  async undo(): Promise<void> {
    await this.#history.undo((frame) => this.goTo(frame));
    this.#redraw();
  }

  async redo(): Promise<void> {
    await this.#history.redo((frame) => this.goTo(frame));
    this.#redraw();
  }

  async setLayout(layout: LayoutName): Promise<void> {
    this.#cine.pause();
    await this.#hangings.setLayout(layout);
  }

  layoutProblem(layout: LayoutName): string {
    return this.#hangings.problem(layout);
  }

  setSlab(millimetres: number, mode: SlabMode): void {
    this.#hangings.setSlab(millimetres, mode);
  }

  setCompanions(companions: readonly Companion[]): void {
    for (const { frames } of companions) describe(frames);
    this.#hangings.setCompanions(companions);
    this.#onView();
  }

  play(framesPerSecond?: number): void {
    const stated = framesPerSecondOf(this.#hangings.frames);
    if (stated !== null) this.#cine.play(framesPerSecond ?? stated);
  }

  pause(): void {
    this.#cine.pause();
    this.#onView();
  }

  setActiveLabel(target: Target | null): void {
    this.#drawing.target = target;
  }

  setRegions(regions: readonly DrawnRegion[]): void {
    this.#regions.set(regions);
    this.#redraw();
  }

  onRegions(listener: (change: RegionsChange) => void): void {
    this.#regions.onChange(listener);
  }

  select(regionId: string): void {
    const drawn = this.#regions.get(regionId);
    this.#regions.selected = regionId;
    if (drawn) void this.goTo(this.#frameIndex(drawn));
    this.#redraw();
  }

  remove(regionId: string): void {
    this.#regions.remove(regionId);
  }

  moveCursor(offset: ScreenPoint): void {
    this.#tools.moveCursor(offset);
  }

  pressCursor(): void {
    this.#tools.pressCursor();
  }

  finishDrawing(): void {
    this.#drawing.finish();
  }

  cancelDrawing(): boolean {
    return this.#drawing.cancel();
  }

  setMaskQuestion(question: string, classes: readonly MaskClass[]): void {
    this.#masks.ask(question, classes);
    this.#redraw();
  }

  setMask(question: string, mask: Mask | null): void {
    this.#masks.set(question, mask);
    this.#redraw();
  }

  mask(question: string): Mask | null {
    return this.#masks.mask(question);
  }

  onMask(listener: (question: string) => void): void {
    this.#masks.onChange(listener);
  }

  setClass(value: string): void {
    this.#masks.choose(value);
  }

  setClassStyle(value: string, style: Partial<MaskClassStyle>): void {
    this.#masks.setStyle(value, style);
    this.#redraw();
  }

  classStyle(value: string): MaskClassStyle {
    return this.#masks.style(value);
  }

  setBrush(brush: Partial<Brush>): void {
    this.#brushing.brush = { ...this.#brushing.brush, ...brush };
    this.#redraw();
  }

  brush(): Brush {
    return this.#brushing.brush;
  }

  copyToSlice(step: 1 | -1): void {
    const { main, frames } = this.#hangings;
    const from = main ? this.#hangings.frameOf(main) : -1;
    const to = from + step;
    if (from < 0 || to < 0 || to >= frames.length) return;
    this.#masks.copy(from, to);
    void this.goTo(to);
  }

  removeIslands(): number {
    return this.#masks.removeIslands();
  }

  fillBetween(): number {
    const [column, row] = this.#spacing();
    return this.#masks.fillBetween([row, column]);
  }

  setSuggestions({ regions, mask }: Suggestions): void {
    this.#regions.suggest(regions);
    if (mask) this.#masks.suggest(mask.question, mask.mask);
    else this.#masks.suggestNothing();
    this.#redraw();
  }

  acceptSuggestion(id: string): void {
    if (id === "mask") this.#masks.accept();
    else this.#regions.accept(id);
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

  #placeOf(pane: Pane): number {
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
    await this.goTo(next);
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
    const seen = `${this.#masks.version}/${this.#placeOf(pane)}/${pane.picture?.id}`;
    if (this.#tinted.get(pane) !== seen) tint(pane, this.#masks, this.#placeOf(pane));
    this.#tinted.set(pane, seen);
    const drawings = [...this.#drawing.drawings(pane), ...this.#brushing.drawings(pane)];
    drawOverlay(pane, drawings, pane.frameMatrix(), this.#tools.marks(pane));
  }
}
