/** The panes of the case on screen: how they are laid out, which one is used, what scrolls with what. */

import type { Index3 } from "../geometry/painting";
import { gridOf, type SlabMode } from "../geometry/volume";
import { type FrameDescription, planeOf } from "../images/frame";
import { hasVoiTable, type Window } from "../images/pixels";
import type { FrameStore } from "../images/store";
import { Crossing } from "./crossing";
import { type Hung, layoutProblem, scenesOf, volumeOf } from "./layouts";
import { type Link, linkedIndex } from "./linking";
import { Pane } from "./pane";
import { PlainSurface } from "./plain";
import { PlaneScene, type VolumeSource } from "./planes";
import { modalityOf, type Scene } from "./scene";
import type { Companion, Hanging, LayoutName } from "./stage";
import type { NewSurface, Tone } from "./surface";

/** Slices that come in are added to reformatted planes this often. */
const REFRESH_MS = 300;
/** Priorities in the store. */
const [SOON, BESIDE] = [0.5, 5];

export class Hangings {
  readonly #root: HTMLElement;
  readonly #store: FrameStore;
  readonly #newSurface: NewSurface;
  readonly #onChange: (pane: Pane) => void;
  #panes: readonly Pane[] = [];
  #active: Pane | null = null;
  #frames: readonly FrameDescription[] = [];
  #companions: readonly Companion[] = [];
  readonly #problems = new Map<LayoutName, string>();
  #volume: VolumeSource | undefined;
  #link: Link | null = null;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  layout: LayoutName = "stack";
  /** Of the planes of a volume, where there are any. */
  readonly crossing = new Crossing(
    () => this.#panes,
    (pane, index) => this.scrollTo(pane, index),
  );

  constructor(root: HTMLElement, store: FrameStore, newSurface: NewSurface, onChange: (pane: Pane) => void) {
    this.#root = root;
    this.#store = store;
    this.#newSurface = newSurface;
    this.#onChange = onChange;
    new ResizeObserver(() => this.#panes.forEach((pane) => void pane.place())).observe(root);
    store.onHeld(() => this.#loadedMore());
  }

  get panes(): readonly Pane[] {
    return this.#panes;
  }

  get frames(): readonly FrameDescription[] {
    return this.#frames;
  }

  get volume(): VolumeSource | undefined {
    return this.#volume;
  }

  /** The pane that keys and buttons act on. */
  get active(): Pane | null {
    return this.#active ?? this.#panes[0] ?? null;
  }

  /** The active pane where it shows a frame of the case, else the first that does. */
  get main(): Pane | null {
    const isMain = (pane: Pane): boolean => pane.scene.isCase && pane.scene.fromFrame !== null;
    const { active } = this;
    return active && isMain(active) ? active : (this.#panes.find(isMain) ?? null);
  }

  /** Which frame of the case a pane shows; -1 where it shows another series or no frame. */
  frameOf({ scene, index }: Pane): number {
    const frame = scene.isCase && scene.fromFrame ? scene.frames[index] : undefined;
    return frame ? this.#frames.indexOf(frame) : -1;
  }

  /** The frame of the case on screen, or the one nearest to where turned planes cross. */
  get index(): number {
    const { main } = this;
    return main ? this.frameOf(main) : this.crossing.slice;
  }

  activate(pane: Pane): void {
    this.#active = pane;
    for (const one of this.#panes)
      one.element.classList.toggle("active", one === pane && this.#panes.length > 1);
  }

  /** A case's frames, alone on the stage. Settles when the asked one is on screen. */
  async open(frames: readonly FrameDescription[], index: number, hanging?: Hanging): Promise<void> {
    if (hanging) this.#companions = hanging.companions;
    else if (this.#caseOf(frames) !== this.#caseOf(this.#frames)) this.#companions = [];
    this.#frames = frames;
    this.#problems.clear();
    this.#volume = volumeOf(this.#hung());
    const wanted = hanging?.layout ?? "stack";
    const layout = this.problem(wanted) ? "stack" : wanted;
    await this.#hang(layout, index, hanging?.window ? { window: hanging.window } : {});
  }

  /** Asked at every turn of the room, answered once a case. */
  problem(layout: LayoutName): string {
    const known = this.#problems.get(layout) ?? layoutProblem(layout, this.#hung());
    this.#problems.set(layout, known);
    return known;
  }

  /** raises: Error with the reason where the case cannot hang so. */
  async setLayout(layout: LayoutName): Promise<void> {
    const problem = this.problem(layout);
    if (problem) throw new Error(problem);
    if (layout === this.layout) return;
    const { main } = this;
    const isTabled = main?.picture ? hasVoiTable(main.picture.frame) : false;
    await this.#hang(
      layout,
      Math.max(0, this.index),
      layout === "four-up" || isTabled ? {} : (main?.tone ?? {}),
    );
  }

  setCompanions(companions: readonly Companion[]): void {
    this.#companions = companions;
    this.#problems.clear();
  }

  setSlab(millimetres: number, mode: SlabMode): void {
    if (!this.#volume) return;
    this.#volume.millimetres = millimetres;
    this.#volume.mode = mode;
    this.#drawPlanes();
  }

  /** Bring a frame of the case on screen, wherever it hangs. */
  async goTo(index: number): Promise<void> {
    const bounded = Math.min(this.#frames.length - 1, Math.max(0, index));
    const frame = this.#frames[bounded];
    const { main } = this;
    const pane = main && frame && main.scene.frames.includes(frame) ? main : this.#paneWith(frame);
    if (pane && frame) await this.scrollTo(pane, pane.scene.frames.indexOf(frame));
    else if (this.crossing.isTurned) await this.crossing.toSlice(bounded);
  }

  /** Scroll one pane; those linked to it follow. */
  async scrollTo(pane: Pane, index: number): Promise<void> {
    const bounded = Math.min(pane.scene.count - 1, Math.max(0, index));
    if (bounded === pane.index) return;
    const others = this.layout === "priors" ? this.#follow(pane, bounded) : [];
    await Promise.all([pane.goTo(bounded), ...others]);
    this.#panes.forEach(this.#onChange);
  }

  /** Windows of a case's panes are one; an earlier study of the same kind goes with them. */
  setWindow(window: Window): void {
    for (const pane of this.#sharing()) pane.setWindow(window);
  }

  invert(): void {
    for (const pane of this.#sharing()) pane.invert();
  }

  reset(): void {
    if (this.crossing.isTurned) void this.#hang("mpr", this.crossing.slice, {});
    else for (const pane of this.layout === "mpr" ? this.#panes : [this.active]) pane?.reset();
  }

  /** Planes along the acquisition's axes again. */
  async straighten(): Promise<void> {
    if (!this.crossing.isTurned) return;
    const index = this.crossing.slice;
    await this.#hang("mpr", index, this.active?.tone ?? {});
  }

  #hung(): Hung {
    return { store: this.#store, frames: this.#frames, companions: this.#companions };
  }

  #caseOf(frames: readonly FrameDescription[]): string {
    return frames[0]?.address.caseId ?? "";
  }

  async #hang(layout: LayoutName, index: number, tone: Partial<Tone>): Promise<void> {
    const frame = this.#frames[index];
    const scenes = scenesOf(layout, this.#hung(), this.#volume);
    this.#bringPanes(layout, scenes);
    for (const pane of this.#panes.filter(({ scene }) => scene.isCase)) pane.keep(tone);
    this.layout = layout;
    this.#active = null;
    const starts = this.#panes.map((pane) => this.#start(pane, frame));
    this.#link = { from: starts[0] ?? 0, to: starts[1] ?? 0 };
    this.#fetchAll();
    await Promise.all(this.#panes.map((pane, nth) => pane.goTo(starts[nth] ?? 0)));
    this.#panes.forEach(this.#onChange);
  }

  /** Planes need every slice soon; what hangs beside a case comes after its own images. */
  #fetchAll(): void {
    if (this.layout === "mpr") this.#store.prefetch(this.#frames, SOON);
    for (const { scene } of this.#panes) if (!scene.isCase) this.#store.prefetch(scene.frames, BESIDE);
  }

  /** A stack after a stack keeps its pane: making one takes time. */
  #bringPanes(layout: LayoutName, scenes: readonly Scene[]): void {
    const [scene] = scenes;
    const kept = this.layout === "stack" && layout === "stack" ? this.#panes[0] : undefined;
    if (kept && scene) kept.hang(scene);
    else this.#rebuild(layout, scenes);
  }

  #rebuild(layout: LayoutName, scenes: readonly Scene[]): void {
    for (const pane of this.#panes) pane.destroy();
    this.#root.dataset.layout = layout;
    this.#panes = scenes.map((scene) => {
      const newSurface =
        scene instanceof PlaneScene ? (on: HTMLDivElement) => new PlainSurface(on) : this.#newSurface;
      return new Pane(this.#root, scene, newSurface, this.#onChange);
    });
  }

  /** Each pane opens at the asked frame if it has it, at the same place if it is linked, else in its middle. */
  #start({ scene }: Pane, frame: FrameDescription | undefined): number {
    const at = frame && scene.fromFrame && scene.isCase ? scene.frames.indexOf(frame) : -1;
    if (at !== -1) return at;
    const middle = Math.floor((scene.count - 1) / 2);
    const isKnown = frame && planeOf(frame) && !scene.isCase;
    const link = { from: Math.floor((this.#frames.length - 1) / 2), to: middle };
    return isKnown ? linkedIndex(this.#frames, scene.frames, this.#frames.indexOf(frame), link) : middle;
  }

  #paneWith(frame: FrameDescription | undefined): Pane | undefined {
    return this.#panes.find(
      ({ scene }) => scene.isCase && scene.fromFrame && frame && scene.frames.includes(frame),
    );
  }

  #follow(pane: Pane, index: number): Promise<unknown>[] {
    const [first, second] = this.#panes;
    if (!first || !second || !this.#link) return [];
    const { from, to } = this.#link;
    const isFirst = pane === first;
    const other = isFirst ? second : first;
    const link = isFirst ? { from, to } : { from: to, to: from };
    return [other.goTo(linkedIndex(pane.scene.frames, other.scene.frames, index, link))];
  }

  #sharing(): readonly Pane[] {
    const { active } = this;
    if (!active) return [];
    if (this.layout === "mpr") return this.#panes;
    if (this.layout !== "priors") return [active];
    const modality = modalityOf(active.scene.frames);
    return this.#panes.filter(({ scene }) => modalityOf(scene.frames) === modality);
  }

  #loadedMore(): void {
    if (this.layout !== "mpr" || this.#refresh !== undefined) return;
    this.#refresh = setTimeout(() => {
      this.#refresh = undefined;
      this.#drawPlanes();
    }, REFRESH_MS);
  }

  #drawPlanes(): void {
    if (this.layout !== "mpr") return;
    for (const pane of this.#panes) void pane.goTo(pane.index);
  }
}

/** Size of one voxel: mm where known, else pixels with slices one apart. */
export const spacingOf = (frames: readonly FrameDescription[], volume: VolumeSource | undefined): Index3 => {
  if (volume) return volume.grid.spacingMm;
  const [first] = frames;
  const plane = first && planeOf(first);
  const grid = plane && gridOf([plane], 1, 1);
  return grid?.spacingMm ?? [1, 1, 1];
};
