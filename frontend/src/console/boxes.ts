/** Boxes over an image that is to be masked: pure. Edges in the image's pixels; right and bottom are excluded. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];
export type Point = readonly [x: number, y: number];
export type Size = readonly [columns: number, rows: number];

/** What is drawn, which box is chosen (-1: none), and what it was before, newest last. */
export interface Boxes {
  readonly size: Size;
  readonly boxes: readonly Box[];
  readonly chosen: number;
  readonly past: readonly (readonly Box[])[];
}

const LEAST = 1;

export function begun(size: Size, boxes: readonly Box[]): Boxes {
  return { size, boxes, chosen: -1, past: [] };
}

/** The steps of one key press: a hundredth of the shorter side, at least a pixel. */
export function stepOf([columns, rows]: Size): number {
  return Math.max(1, Math.round(Math.min(columns, rows) / 100));
}

/** A box between two points, whichever way it was drawn; nothing where it has no area. */
export function between([ax, ay]: Point, [bx, by]: Point, size: Size): Box | null {
  const box: Box = [
    clamped(Math.floor(Math.min(ax, bx)), 0, size[0]),
    clamped(Math.floor(Math.min(ay, by)), 0, size[1]),
    clamped(Math.ceil(Math.max(ax, bx)), 0, size[0]),
    clamped(Math.ceil(Math.max(ay, by)), 0, size[1]),
  ];
  return box[2] - box[0] >= LEAST && box[3] - box[1] >= LEAST ? box : null;
}

export function added(state: Boxes, box: Box): Boxes {
  return changed(state, [...state.boxes, box], state.boxes.length);
}

/** A new box in the middle, a fifth of the image wide. */
export function addedInTheMiddle(state: Boxes): Boxes {
  const [columns, rows] = state.size;
  const box = between([columns * 0.4, rows * 0.45], [columns * 0.6, rows * 0.55], state.size);
  return box ? added(state, box) : state;
}

/** The chosen box moved by so many pixels, held inside the image. */
export function moved(state: Boxes, across: number, down: number): Boxes {
  return withChosen(state, ([left, top, right, bottom]) => {
    const dx = clamped(across, -left, state.size[0] - right);
    const dy = clamped(down, -top, state.size[1] - bottom);
    return [left + dx, top + dy, right + dx, bottom + dy];
  });
}

/** The chosen box's right and bottom edges moved. */
export function resized(state: Boxes, across: number, down: number): Boxes {
  return withChosen(state, ([left, top, right, bottom]) => [
    left,
    top,
    clamped(right + across, left + LEAST, state.size[0]),
    clamped(bottom + down, top + LEAST, state.size[1]),
  ]);
}

export function removed(state: Boxes): Boxes {
  if (state.chosen < 0) return state;
  const rest = state.boxes.filter((_, place) => place !== state.chosen);
  return changed(state, rest, Math.min(state.chosen, rest.length - 1));
}

export function replaced(state: Boxes, boxes: readonly Box[]): Boxes {
  return changed(state, boxes, -1);
}

/** The next box chosen, or the one before; after the last comes none. */
export function chosenNext(state: Boxes, step: 1 | -1): Boxes {
  const places = state.boxes.length + 1;
  const place = (state.chosen + 1 + step + places) % places;
  return { ...state, chosen: place - 1 };
}

export function chosenAt(state: Boxes, place: number): Boxes {
  return { ...state, chosen: place };
}

export function undone(state: Boxes): Boxes {
  const before = state.past.at(-1);
  return before ? { ...state, boxes: before, chosen: -1, past: state.past.slice(0, -1) } : state;
}

function withChosen(state: Boxes, change: (box: Box) => Box): Boxes {
  const box = state.boxes[state.chosen];
  if (!box) return state;
  const made = change(box);
  return changed(
    state,
    state.boxes.map((one, place) => (place === state.chosen ? made : one)),
    state.chosen,
  );
}

function changed(state: Boxes, boxes: readonly Box[], chosen: number): Boxes {
  return { ...state, boxes, chosen, past: [...state.past, state.boxes] };
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
