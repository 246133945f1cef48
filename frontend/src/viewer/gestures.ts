/** Mouse, pen, touch and wheel on the stage. One drag does one thing; the keys can do all of it too. */

import type { Point } from "../geometry/region";
import type { Drag } from "./drag";
import type { Pane } from "./pane";
import type { ScreenPoint, Stage, ToolName, View } from "./stage";

export type Tool = ToolName;

/** Pixels of wheel travel that scroll one slice: a notch of a mouse wheel is more, a trackpad's step less. */
const WHEEL_PER_SLICE = 40;
const DRAG_PER_SLICE = 8;
const ZOOM_PER_PIXEL = 1.006;
/** Dragging over this many pixels changes the window by its own width. */
const WINDOW_DRAG = 300;
/** Less than this is a click. */
const CLICK_TRAVEL = 4;

/** One tool moved by so many pixels to the right and down: used by drags and by keys. Drawing tools move the cursor. */
export const adjust = (
  stage: Stage,
  tool: ToolName,
  [right, down]: ScreenPoint,
  around?: ScreenPoint,
): void => {
  const view = stage.view();
  if (!view) return;
  if (tool === "pan") stage.panBy([right, down]);
  else if (tool === "zoom") stage.zoomBy(ZOOM_PER_PIXEL ** -down, around);
  else if (tool === "scroll") void stage.goTo(view.index + Math.sign(down));
  else if (tool === "window") stage.setWindow(windowAfter(view, right, down));
  else stage.moveCursor([right, down]);
};

/** To the right: wider, less contrast. Down: darker, as the centre rises. */
const windowAfter = ({ window }: View, right: number, down: number) => {
  const step = window.width / WINDOW_DRAG;
  return { ...window, center: window.center + down * step, width: Math.max(1, window.width + right * step) };
};

/** A drag that moves the view: window, zoom, pan or scroll. */
export const adjusting = (stage: Stage, tool: ToolName, from: Point): Drag => {
  let last = from;
  let travelled = 0;
  const move = (place: Point): void => {
    const offset: Point = [place[0] - last[0], place[1] - last[1]];
    last = place;
    if (tool !== "scroll") {
      adjust(stage, tool, offset, from);
      return;
    }
    travelled += offset[1];
    const slices = Math.trunc(travelled / DRAG_PER_SLICE);
    travelled -= slices * DRAG_PER_SLICE;
    if (slices !== 0) void stage.goTo((stage.view()?.index ?? 0) + slices);
  };
  return { move, end: () => undefined, cancel: () => undefined };
};

export interface Pointed {
  readonly paneAt: (target: EventTarget | null) => Pane | null;
  readonly press: (pane: Pane, place: Point, event: PointerEvent) => Drag | null;
  readonly hover: (pane: Pane | null, place: Point) => void;
  readonly twice: (pane: Pane) => void;
  readonly scroll: (pane: Pane, slices: number) => void;
  readonly zoom: (pane: Pane, factor: number, around: Point) => void;
  readonly pan: (pane: Pane, offset: Point) => void;
}

const placeIn = ({ element }: Pane, { clientX, clientY }: MouseEvent): Point => {
  const { left, top } = element.getBoundingClientRect();
  return [clientX - left, clientY - top];
};

interface Held {
  readonly pane: Pane;
  readonly drag: Drag;
  readonly from: Point;
  hasMoved: boolean;
}

const middleOf = ([a, b]: readonly Point[]): Point =>
  a && b ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : (a ?? [0, 0]);

const spanOf = ([a, b]: readonly Point[]): number => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 1);

/** Follows pointers from press to release; two fingers zoom and pan. */
export class Gestures {
  readonly #pointed: Pointed;
  readonly #fingers = new Map<number, Point>();
  #held: Held | null = null;
  #travelled = 0;

  constructor(root: HTMLElement, pointed: Pointed) {
    this.#pointed = pointed;
    root.addEventListener("pointerdown", (event) => this.#down(root, event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("lostpointercapture", (event) => this.#up(event));
    root.addEventListener("pointerleave", () => pointed.hover(null, [0, 0]));
    root.addEventListener("dblclick", (event) => {
      const pane = pointed.paneAt(event.target);
      if (pane) pointed.twice(pane);
    });
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #down(root: HTMLElement, event: PointerEvent): void {
    const pane = this.#pointed.paneAt(event.target);
    if (!pane) return;
    event.preventDefault();
    const place = placeIn(pane, event);
    // Captured by the stage: panes may come and go under a drag.
    root.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.#fingers.set(event.pointerId, place);
    if (this.#fingers.size > 1) {
      this.#held?.drag.cancel();
      this.#held = { pane, drag: NOTHING, from: place, hasMoved: true };
      return;
    }
    const drag = this.#pointed.press(pane, place, event);
    this.#held = drag && { pane, drag, from: place, hasMoved: false };
  }

  #move(event: PointerEvent): void {
    const held = this.#held;
    if (!held) {
      const pane = this.#pointed.paneAt(event.target);
      this.#pointed.hover(pane, pane ? placeIn(pane, event) : [0, 0]);
      return;
    }
    const place = placeIn(held.pane, event);
    if (this.#fingers.size > 1) {
      this.#pinch(held.pane, event.pointerId, place);
      return;
    }
    const travel = Math.hypot(place[0] - held.from[0], place[1] - held.from[1]);
    held.hasMoved ||= travel >= CLICK_TRAVEL;
    if (held.hasMoved) held.drag.move(place);
    this.#pointed.hover(held.pane, place);
  }

  #pinch(pane: Pane, pointer: number, place: Point): void {
    const before = [...this.#fingers.values()];
    this.#fingers.set(pointer, place);
    const now = [...this.#fingers.values()];
    const [was, is] = [middleOf(before), middleOf(now)];
    this.#pointed.zoom(pane, spanOf(now) / Math.max(1, spanOf(before)), is);
    this.#pointed.pan(pane, [is[0] - was[0], is[1] - was[1]]);
  }

  #up(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    const held = this.#held;
    if (!held || this.#fingers.size > 0) return;
    this.#held = null;
    held.drag.end(!held.hasMoved);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const pane = this.#pointed.paneAt(event.target);
    if (!pane) return;
    if (pane.scene.count === 1 || event.ctrlKey) {
      this.#pointed.zoom(pane, ZOOM_PER_PIXEL ** (-event.deltaY / 4), placeIn(pane, event));
      return;
    }
    this.#travelled += event.deltaY;
    const slices = Math.trunc(this.#travelled / WHEEL_PER_SLICE);
    this.#travelled -= slices * WHEEL_PER_SLICE;
    if (slices !== 0) this.#pointed.scroll(pane, slices);
  }
}

const NOTHING: Drag = { move: () => undefined, end: () => undefined, cancel: () => undefined };
