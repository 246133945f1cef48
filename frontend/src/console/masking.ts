/** The boxes over a held image: drawn by mouse or keys, undone, and handed to the forms that mask them. */
import {
  added,
  addedInTheMiddle,
  type Box,
  type Boxes,
  begun,
  between,
  chosenAt,
  chosenNext,
  moved,
  type Point,
  removed,
  replaced,
  resized,
  stepOf,
  undone,
} from "./boxes";

const SVG = "http://www.w3.org/2000/svg";
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** What takes a key: true where it was meant for the boxes. */
export type Keys = (event: KeyboardEvent) => boolean;

/** Begin with the boxes that were proposed; nothing where the image cannot be masked. */
export function openMasking(): Keys {
  const ground = document.querySelector<HTMLElement>("[data-boxed]");
  const [columns, rows] = [Number(ground?.dataset.columns), Number(ground?.dataset.rows)];
  if (!ground || !columns || !rows) return () => false;
  const panels = Number(ground.dataset.panels) || 1;
  ground.style.setProperty("--ratio", String((columns * panels) / rows));
  if (ground.dataset.closed !== undefined) return () => false;
  const proposed = JSON.parse(ground.dataset.proposed ?? "[]") as Box[];
  return new Masking(ground, begun([columns, rows], proposed), proposed, panels).key;
}

class Masking {
  readonly #overlay = document.createElementNS(SVG, "svg");

  constructor(
    ground: HTMLElement,
    private state: Boxes,
    private readonly proposed: readonly Box[],
    private readonly panels: number,
  ) {
    const [columns, rows] = state.size;
    this.#overlay.setAttribute("viewBox", `0 0 ${columns * panels} ${rows}`);
    this.#overlay.setAttribute("preserveAspectRatio", "none");
    this.#overlay.addEventListener("pointerdown", (event) => this.#press(event));
    ground.append(this.#overlay);
    this.#show();
  }

  readonly key: Keys = (event) => {
    const next = this.#after(event);
    if (!next) return false;
    this.state = next;
    this.#show();
    return true;
  };

  #after(event: KeyboardEvent): Boxes | null {
    const arrow = ARROWS[event.key];
    if (arrow) return this.#pushed(arrow, event.shiftKey);
    switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
      case "n":
        return addedInTheMiddle(this.state);
      case "z":
        return undone(this.state);
      case "p":
        return replaced(this.state, this.proposed);
      case "Delete":
      case "Backspace":
        return this.state.chosen < 0 ? null : removed(this.state);
      case "Escape":
        return this.state.chosen < 0 ? null : chosenAt(this.state, -1);
      case "Tab":
        return this.#tabbed(event.shiftKey);
      default:
        return null;
    }
  }

  /** Arrows are the boxes' only while one is chosen: else they go through the files. */
  #pushed([across, down]: Point, isResizing: boolean): Boxes | null {
    if (this.state.chosen < 0) return null;
    const step = stepOf(this.state.size);
    const change = isResizing ? resized : moved;
    return change(this.state, across * step, down * step);
  }

  /** Tab goes through the boxes and then on through the page, so that no one is caught. */
  #tabbed(isBack: boolean): Boxes | null {
    if (this.state.boxes.length === 0 || document.activeElement !== document.body) return null;
    const next = chosenNext(this.state, isBack ? -1 : 1);
    return next.chosen < 0 ? null : next;
  }

  #press(event: PointerEvent): void {
    const start = this.#at(event);
    const place = this.state.boxes.findLastIndex((box) => isIn(start, box));
    event.preventDefault();
    this.#overlay.setPointerCapture(event.pointerId);
    const before = this.state;
    const drag = (now: PointerEvent) => {
      this.state = dragged(before, place, start, this.#at(now));
      this.#show();
    };
    this.#overlay.addEventListener("pointermove", drag);
    this.#overlay.addEventListener(
      "pointerup",
      () => this.#overlay.removeEventListener("pointermove", drag),
      {
        once: true,
      },
    );
    drag(event);
  }

  /** Where a pointer is, in the image's pixels, whichever of the pictures side by side it is over. */
  #at(event: PointerEvent): Point {
    const frame = this.#overlay.getBoundingClientRect();
    const [columns, rows] = this.state.size;
    const across = ((event.clientX - frame.left) / frame.width) * columns * this.panels;
    const down = ((event.clientY - frame.top) / frame.height) * rows;
    return [across % columns, Math.min(Math.max(down, 0), rows)];
  }

  #show(): void {
    const [columns] = this.state.size;
    const shapes = Array.from({ length: this.panels }, (_, panel) =>
      this.state.boxes.map((box, place) => shape(box, panel * columns, place === this.state.chosen)),
    );
    this.#overlay.replaceChildren(...shapes.flat());
    this.#handOver();
  }

  #handOver(): void {
    const { boxes, chosen } = this.state;
    const words = boxes.length === 1 ? "1 box" : `${boxes.length} boxes`;
    for (const form of document.querySelectorAll<HTMLFormElement>("[data-boxes-form]")) {
      form.hidden = boxes.length === 0;
      const masks = form.querySelector<HTMLInputElement>('[name="masks"]');
      if (masks) masks.value = JSON.stringify(boxes);
      const count = form.querySelector('[data-part="count"]');
      if (count) count.textContent = words;
    }
    const told = document.querySelector('[data-part="told"]');
    if (told && boxes.length > 0)
      told.textContent = chosen < 0 ? `${words}.` : `${words}; box ${chosen + 1} is chosen.`;
  }
}

/** What a drag makes of the boxes: it moves the one that it began on (place), or draws a new one (place -1). */
function dragged(before: Boxes, place: number, start: Point, end: Point): Boxes {
  if (place >= 0) {
    const [across, down] = [Math.round(end[0] - start[0]), Math.round(end[1] - start[1])];
    const chosen = chosenAt(before, place);
    return across || down ? moved(chosen, across, down) : chosen;
  }
  const box = between(start, end, before.size);
  return box && isLarge(box, before) ? added(before, box) : chosenAt(before, -1);
}

function shape([left, top, right, bottom]: Box, offset: number, isChosen: boolean): SVGRectElement {
  const made = document.createElementNS(SVG, "rect");
  made.setAttribute("x", String(left + offset));
  made.setAttribute("y", String(top));
  made.setAttribute("width", String(right - left));
  made.setAttribute("height", String(bottom - top));
  made.setAttribute("class", isChosen ? "box chosen" : "box");
  return made;
}

function isIn([x, y]: Point, [left, top, right, bottom]: Box): boolean {
  return x >= left && x < right && y >= top && y < bottom;
}

/** Whether a drawn box is meant: a click with a slip of the hand is none. */
function isLarge([left, top, right, bottom]: Box, { size }: Boxes): boolean {
  const least = Math.max(2, stepOf(size) / 2);
  return right - left >= least && bottom - top >= least;
}
