/** Mouse, pen, touch and wheel on the stage. One drag does one thing; the keys can do all of it too. */

import type { ScreenPoint, Stage, View } from "./stage";

export type Tool = "window" | "pan" | "zoom";

/** Pixels of wheel travel that scroll one slice: a notch of a mouse wheel is more, a trackpad's step less. */
const WHEEL_PER_SLICE = 40;
const ZOOM_PER_PIXEL = 1.006;
/** Dragging over this many pixels changes the window by its own width. */
const WINDOW_DRAG = 300;
const MIDDLE_BUTTON = 1;
const RIGHT_BUTTON = 2;

/** One tool moved by so many pixels to the right and down: used by drags and by keys. */
export const adjust = (stage: Stage, tool: Tool, [right, down]: ScreenPoint, around?: ScreenPoint): void => {
  const view = stage.view();
  if (!view) return;
  if (tool === "pan") stage.panBy([right, down]);
  else if (tool === "zoom") stage.zoomBy(ZOOM_PER_PIXEL ** -down, around);
  else stage.setWindow(windowAfter(view, right, down));
};

/** To the right: wider, less contrast. Down: darker, as the centre rises. */
const windowAfter = ({ window }: View, right: number, down: number) => {
  const step = window.width / WINDOW_DRAG;
  return { center: window.center + down * step, width: Math.max(1, window.width + right * step) };
};

const toolOf = (event: PointerEvent, chosen: Tool): Tool => {
  if (event.button === MIDDLE_BUTTON) return "pan";
  return event.button === RIGHT_BUTTON ? "zoom" : chosen;
};

const placeIn = (element: HTMLElement, event: MouseEvent): ScreenPoint => {
  const { left, top } = element.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};

/** Bind the gestures; tool names what the main button does. */
export const bindGestures = (element: HTMLElement, stage: Stage, tool: () => Tool): void => {
  let travelled = 0;

  const startDrag = (event: PointerEvent): void => {
    const dragged = toolOf(event, tool());
    const start = placeIn(element, event);
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      adjust(stage, dragged, [moved.movementX, moved.movementY], start);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("lostpointercapture", () => element.removeEventListener("pointermove", move), {
      once: true,
    });
  };

  const turnWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const view = stage.view();
    if (!view) return;
    if (view.count === 1 || event.ctrlKey) {
      stage.zoomBy(ZOOM_PER_PIXEL ** (-event.deltaY / 4), placeIn(element, event));
      return;
    }
    travelled += event.deltaY;
    const slices = Math.trunc(travelled / WHEEL_PER_SLICE);
    travelled -= slices * WHEEL_PER_SLICE;
    if (slices !== 0) void stage.goTo(view.index + slices);
  };

  element.addEventListener("pointerdown", startDrag);
  element.addEventListener("wheel", turnWheel, { passive: false });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
};
