/** One picture on the stage: its surface, its camera and window, and what lies over it. */

import { type Affine, apply, composed, inverse } from "../geometry/affine";
import {
  type Camera,
  type CanvasSize,
  fitted,
  flipped,
  matrixOf,
  pannedBy,
  rotated,
  zoomedBy,
} from "../geometry/camera";
import type { Point } from "../geometry/region";
import { hasVoiTable, type Window } from "../images/pixels";
import type { Scene } from "./scene";
import type { NewSurface, Picture, Surface, Tone } from "./surface";

const SVG = "http://www.w3.org/2000/svg";

const made = (className: string, parent: Element): HTMLDivElement => {
  const element = document.createElement("div");
  element.className = className;
  parent.append(element);
  return element;
};

export class Pane {
  readonly element: HTMLDivElement;
  readonly svg = document.createElementNS(SVG, "svg");
  /** Segmentations, in the picture's own pixels. */
  readonly mask = document.createElement("canvas");
  index = 0;
  #scene: Scene;
  readonly #surface: Surface;
  readonly #onChange: (pane: Pane) => void;
  readonly #notes: HTMLDivElement;
  #picture: Picture | null = null;
  #camera: Camera | null = null;
  #tone: Tone | null = null;
  #kept: Partial<Tone> = {};
  #turn = 0;

  constructor(parent: Element, scene: Scene, newSurface: NewSurface, onChange: (pane: Pane) => void) {
    this.#scene = scene;
    this.#onChange = onChange;
    this.element = made("pane", parent);
    this.#surface = newSurface(made("surface", this.element));
    this.mask.className = "picture mask";
    this.svg.setAttribute("aria-hidden", "true");
    this.element.append(this.mask, this.svg);
    this.#notes = made("pane-notes", this.element);
  }

  get scene(): Scene {
    return this.#scene;
  }

  /** Show something else from now on; the picture before stays until goTo. */
  hang(scene: Scene): void {
    this.#scene = scene;
    this.#camera = null;
    this.#tone = null;
    this.#kept = {};
  }

  /** Show another plane of the same volume in its place, in the same window. */
  turnInto(scene: Scene): void {
    this.#scene = scene;
  }

  /** What the next picture is shown with instead of its own window. */
  keep(tone: Partial<Tone>): void {
    this.#kept = tone;
  }

  get picture(): Picture | null {
    return this.#picture;
  }

  get camera(): Camera {
    return this.#camera ?? fitted(this.#picture?.size ?? { columns: 1, rows: 1, spacing: [1, 1] });
  }

  get tone(): Tone | null {
    return this.#tone;
  }

  get size(): CanvasSize {
    return { width: Math.max(1, this.element.clientWidth), height: Math.max(1, this.element.clientHeight) };
  }

  /** From the picture's pixels (SCOORD) to CSS pixels. */
  matrix(): Affine {
    const size = this.#picture?.size ?? { columns: 1, rows: 1, spacing: [1, 1] as const };
    return matrixOf(this.camera, size, this.size);
  }

  /** From a frame's pixels to CSS pixels; null where this is no frame. */
  frameMatrix(): Affine | null {
    const { fromFrame } = this.scene;
    return fromFrame && composed(this.matrix(), fromFrame);
  }

  pixelAt(place: Point): Point {
    return apply(inverse(this.matrix()), place);
  }

  /** Bring a picture on screen; false where another one was asked for meanwhile. */
  async goTo(index: number): Promise<boolean> {
    this.#turn += 1;
    const turn = this.#turn;
    this.index = Math.min(this.scene.count - 1, Math.max(0, index));
    const picture = await this.scene.picture(this.index, 0);
    if (turn !== this.#turn) return false;
    await this.#surface.show(picture, this.scene.ids, () => this.#arrive(picture));
    return turn === this.#turn;
  }

  setWindow(window: Window): void {
    if (this.#tone) this.#setTone({ ...this.#tone, window });
  }

  invert(): void {
    if (this.#tone) this.#setTone({ ...this.#tone, isInverted: !this.#tone.isInverted });
  }

  zoomBy(factor: number, around?: Point): void {
    const { width, height } = this.size;
    if (!this.#picture) return;
    this.setCamera(
      zoomedBy(this.camera, factor, around ?? [width / 2, height / 2], this.#picture.size, this.size),
    );
  }

  panBy(offset: Point): void {
    if (this.#picture) this.setCamera(pannedBy(this.camera, offset, this.#picture.size, this.size));
  }

  rotate(): void {
    this.setCamera(rotated(this.camera));
  }

  flip(direction: "horizontal" | "vertical"): void {
    this.setCamera(flipped(this.camera, direction));
  }

  setCamera(camera: Camera): void {
    this.#camera = camera;
    this.place();
  }

  reset(): void {
    if (!this.#picture) return;
    this.#camera = this.scene.home(this.#picture.size, this.size);
    this.#setTone(this.scene.tone(this.#picture));
    this.place();
  }

  /** The pane or what it shows has changed its size or place. */
  place(): void {
    if (!this.#picture) return;
    this.#surface.place(this.camera, this.#picture.size, this.size);
    this.mask.style.transform = `matrix(${this.matrix().join()})`;
    this.#annotate();
    this.#onChange(this);
  }

  destroy(): void {
    this.#turn += 1;
    this.#surface.destroy();
    this.element.remove();
  }

  #arrive(picture: Picture): void {
    const before = this.#picture?.size;
    this.#picture = picture;
    const isOtherSize = before?.columns !== picture.size.columns || before.rows !== picture.size.rows;
    if (!this.#camera || isOtherSize) this.#camera = this.scene.home(picture.size, this.size);
    const kept = hasVoiTable(picture.frame) ? {} : this.#kept;
    this.#setTone(this.#tone ?? { ...this.scene.tone(picture), ...kept });
    this.place();
  }

  #setTone(tone: Tone): void {
    this.#tone = tone;
    this.#surface.tone(tone);
    this.#onChange(this);
  }

  /** The caption, and the patient's sides at the edges as the camera turns them. */
  #annotate(): void {
    const sides = this.scene.sides(this.index);
    const letters = sides ? onScreen([sides.right, sides.bottom, sides.left, sides.top], this.camera) : [];
    const words = [this.scene.caption, ...letters];
    const names = ["pane-caption", "pane-right", "pane-bottom", "pane-left", "pane-top"];
    this.#notes.replaceChildren(
      ...words.flatMap((word, nth) => {
        if (!word) return [];
        const note = document.createElement("span");
        note.className = names[nth] ?? "";
        note.textContent = word;
        return [note];
      }),
    );
  }
}

/** Right, bottom, left, top of the picture as they come to lie at the screen's right, bottom, left, top. */
const onScreen = (letters: readonly string[], camera: Camera): readonly string[] => {
  const turned = letters.map((_, nth) => letters[(nth - camera.quarterTurns + 4) % 4] ?? "");
  const [right = "", bottom = "", left = "", top = ""] = turned;
  const across = camera.isFlippedHorizontally ? [left, right] : [right, left];
  const down = camera.isFlippedVertically ? [top, bottom] : [bottom, top];
  return [across[0] ?? "", down[0] ?? "", across[1] ?? "", down[1] ?? ""];
};
