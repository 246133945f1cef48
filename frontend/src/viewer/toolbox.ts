/** Which tool does what where: one press of the pointer goes to the right hands. */

import { apply } from "../geometry/affine";
import { distance } from "../geometry/measure";
import type { Point } from "../geometry/region";
import { textOf } from "../images/numbers";
import type { FrameStore } from "../images/store";
import type { Brushing } from "./brushing";
import { type Drag, following } from "./drag";
import type { RegionDrawing } from "./drawing";
import { adjusting } from "./gestures";
import type { Hangings } from "./hangings";
import { magnifying } from "./lens";
import type { Masks } from "./masks";
import type { Mark } from "./overlay";
import type { Pane } from "./pane";
import type { Regions } from "./regions";
import { MASK_TOOLS, type MaskTool, REGION_TOOLS, type RegionTool, type Stage, type ToolName } from "./stage";

const MIDDLE_BUTTON = 1;
const RIGHT_BUTTON = 2;

export const isRegionTool = (tool: ToolName): tool is RegionTool => REGION_TOOLS.some((one) => one === tool);
export const isMaskTool = (tool: ToolName): tool is MaskTool => MASK_TOOLS.some((one) => one === tool);

export interface ToolParts {
  readonly stage: () => Stage;
  readonly store: FrameStore;
  readonly hangings: Hangings;
  readonly regions: Regions;
  readonly drawing: RegionDrawing;
  readonly masks: Masks;
  readonly brushing: Brushing;
  readonly redraw: () => void;
}

export class Toolbox {
  tool: ToolName = "window";
  readonly #parts: ToolParts;
  #pointer: { readonly pane: Pane; readonly place: Point } | null = null;
  #cursor: { readonly pane: Pane; readonly place: Point } | null = null;
  #probed: { readonly pane: Pane; readonly place: Point } | null = null;

  /** In the picture's pixels. */
  #ruler: { readonly pane: Pane; readonly from: Point; readonly to: Point } | null = null;

  constructor(parts: ToolParts) {
    this.#parts = parts;
  }

  use(tool: ToolName): void {
    if (tool !== this.tool && this.#parts.drawing.isDrawing) this.#parts.drawing.cancel();
    this.tool = tool;
    this.#cursor = null;
    this.#ruler = null;
    this.#parts.redraw();
  }

  press(pane: Pane, place: Point, event: PointerEvent): Drag | null {
    const { stage, hangings } = this.#parts;
    hangings.activate(pane);
    this.#cursor = null;
    if (event.button === MIDDLE_BUTTON) return adjusting(stage(), "pan", place);
    if (event.button === RIGHT_BUTTON) return adjusting(stage(), "zoom", place);
    if (event.shiftKey && hangings.layout === "mpr") return this.#crossing(pane, place);
    if (hangings.crossing.isOnHandle(pane, place)) return this.#turning(pane, place);
    return this.#main(pane, place, event.ctrlKey || event.altKey);
  }

  hover(pane: Pane | null, place: Point): void {
    this.#pointer = pane && { pane, place };
    if (pane && isRegionTool(this.tool)) this.#parts.drawing.hover(pane, place);
    if (isMaskTool(this.tool)) this.#parts.redraw();
  }

  twice(): void {
    if (this.tool === "polygon") this.#parts.drawing.finish();
  }

  /** Drawing by keys starts in the middle of the active pane. */
  moveCursor([right, down]: Point): void {
    const pane = this.#parts.hangings.active;
    if (!pane) return;
    const { width, height } = pane.size;
    const [x, y] = this.#cursor?.pane === pane ? this.#cursor.place : [width / 2, height / 2];
    const place: Point = [Math.min(width, Math.max(0, x + right)), Math.min(height, Math.max(0, y + down))];
    this.#cursor = { pane, place };
    this.#parts.drawing.hover(pane, place);
    this.#parts.redraw();
  }

  pressCursor(): void {
    if (!this.#cursor) this.moveCursor([0, 0]);
    if (!this.#cursor) return;
    const { pane, place } = this.#cursor;
    this.#main(pane, place, false)?.end(true);
    this.#parts.redraw();
  }

  forgetCursor(): void {
    this.#cursor = null;
    this.#probed = null;
    this.#ruler = null;
  }

  /** Crosses, rims and notes over a pane. */
  marks(pane: Pane): readonly Mark[] {
    const marks = this.#parts.hangings.crossing.marks(pane);
    const at = this.#cursor ?? this.#pointer;
    if (at?.pane === pane && isMaskTool(this.tool) && this.tool !== "scissors") {
      marks.push(this.#parts.brushing.rim(pane, at.place, "#fff"));
    }
    if (this.#cursor?.pane === pane) marks.push({ kind: "cursor", at: this.#cursor.place });
    if (this.#probed?.pane === pane) {
      marks.push({ kind: "note", at: this.#probed.place, words: this.#probe(pane, this.#probed.place) });
    }
    return [...marks, ...this.#rulerOn(pane)];
  }

  #main(pane: Pane, place: Point, isOther: boolean): Drag | null {
    const { tool } = this;
    const { drawing, brushing, stage, regions, redraw } = this.#parts;
    if (tool === "line" && pane.scene.isCase && !pane.scene.fromFrame) return this.#ruling(pane, place);
    if (isRegionTool(tool)) return drawing.press(pane, place, tool);
    if (isMaskTool(tool)) return brushing.press(pane, place, tool, isOther);
    if (tool === "magnify") return magnifying(pane, place);
    if (tool === "probe") return this.#probing(pane, place);
    const drag = adjusting(stage(), tool, place);
    const choose = (isClick: boolean): void => {
      if (isClick) regions.selected = drawing.hit(pane, place)?.drawn.region.id ?? "";
      redraw();
    };
    return { ...drag, end: choose };
  }

  #crossing(pane: Pane, place: Point): Drag {
    const { hangings } = this.#parts;
    hangings.crossing.moveTo(pane, place);
    return following((to) => hangings.crossing.moveTo(pane, to));
  }

  /** The planes follow the handle around the crossing. */
  #turning(pane: Pane, from: Point): Drag | null {
    const { crossing } = this.#parts.hangings;
    const turn = crossing.turning(pane);
    const start = crossing.angleAt(pane, from);
    return turn && following((to) => void turn(crossing.angleAt(pane, to) - start));
  }

  /** A length on a plane that is no image of the series: shown in mm, no answer. */
  #ruling(pane: Pane, from: Point): Drag {
    const start = pane.pixelAt(from);
    const show = (place: Point): void => {
      this.#ruler = { pane, from: start, to: pane.pixelAt(place) };
      this.#parts.redraw();
    };
    return following(show);
  }

  #rulerOn(pane: Pane): readonly Mark[] {
    const { picture } = pane;
    if (this.#ruler?.pane !== pane || !picture) return [];
    const { from, to } = this.#ruler;
    const [row, column] = picture.size.spacing;
    const words = `${distance(from, to, { row, column, of: "patient" }).toFixed(1)} mm`;
    return [{ kind: "ruler", at: apply(pane.matrix(), from), to: apply(pane.matrix(), to), words }];
  }

  #probing(pane: Pane, from: Point): Drag {
    const show = (place: Point): void => {
      this.#probed = { pane, place };
      this.#parts.hangings.crossing.moveTo(pane, place);
      this.#parts.redraw();
    };
    show(from);
    return following(show);
  }

  /** The value under a place, with its unit and its pixel. */
  #probe(pane: Pane, place: Point): string {
    const { picture, scene, index } = pane;
    const [x, y] = pane.pixelAt(place).map(Math.floor);
    if (!picture || x === undefined || y === undefined) return "";
    const { columns, rows, samplesPerPixel } = picture.frame.format;
    if (x < 0 || y < 0 || x >= columns || y >= rows) return "";
    const at = (y * columns + x) * samplesPerPixel;
    const values = Array.from(
      picture.frame.samples.slice(at, at + samplesPerPixel),
      (value) => +value.toFixed(2),
    );
    const frame = scene.frames[Math.min(index, scene.frames.length - 1)];
    const unit = frame && samplesPerPixel === 1 ? unitOf(frame.attributes) : "";
    return `${values.join(", ")}${unit && ` ${unit}`} · ${x}, ${y}`;
  }
}

/** CT without a stated type is in Hounsfield units (PS3.3 C.11.1.1.2). */
const unitOf = (attributes: Readonly<Record<string, unknown>>): string => {
  const type = textOf(attributes, "RescaleType") ?? textOf(attributes, "Units");
  if (type === "US") return "";
  return type ?? (textOf(attributes, "Modality") === "CT" ? "HU" : "");
};
