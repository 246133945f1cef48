/** Drawing and changing regions with the pointer. A drag draws; clicks one after another do too. */

import { type Affine, apply } from "../geometry/affine";
import { simplified } from "../geometry/outline";
import type { DrawnRegion, Point, Region, RegionKind } from "../geometry/region";
import {
  followed,
  isComplete,
  isTooSmall,
  movedBy,
  pinned,
  pointsOf,
  type Sketch,
  settled,
  started,
  withHandleAt,
} from "../geometry/shaping";
import { type FrameDescription, pixelSizeAt } from "../images/frame";
import type { FrameStore } from "../images/store";
import type { Drag } from "./drag";
import { frameOn, isOn, type OnFrame } from "./on_frame";
import type { Drawing } from "./overlay";
import type { Pane } from "./pane";
import { grabbed, HANDLE_REACH } from "./picking";
import { measuredWords, RegionWords } from "./region_words";
import type { Regions } from "./regions";
import type { RegionTool } from "./stage";

const FREEHAND_TOLERANCE = 0.4;
const SMALLEST = 0.5;

export interface Target {
  readonly question: string;
  readonly label: string;
  readonly colour: string;
}

interface Hit {
  readonly drawn: DrawnRegion;
  /** -1: its line rather than a handle. */
  readonly handle: number;
}

const kindOf = (tool: RegionTool): RegionKind => (tool === "cobb" ? "angle" : tool);

export class RegionDrawing {
  target: Target | null = null;
  readonly #regions: Regions;
  readonly #words: RegionWords;
  readonly #newId: () => string;
  readonly #changed: () => void;
  #sketch: { readonly frame: FrameDescription; readonly sketch: Sketch } | null = null;

  constructor(regions: Regions, store: FrameStore, newId: () => string, changed: () => void) {
    this.#regions = regions;
    this.#words = new RegionWords(store);
    this.#newId = newId;
    this.#changed = changed;
  }

  get isDrawing(): boolean {
    return this.#sketch !== null;
  }

  press(pane: Pane, place: Point, tool: RegionTool): Drag | null {
    const on = frameOn(pane);
    if (!on) return null;
    if (this.#sketch && this.#sketch.frame.id !== on.frame.id) this.#sketch = null;
    if (!this.#sketch) {
      const hit = this.hit(pane, place);
      if (hit) return this.#changing(on, hit, place);
    }
    return this.target ? this.#drawing(on, place, tool) : null;
  }

  /** What is under a place, the chosen region first. */
  hit(pane: Pane, place: Point): Hit | null {
    const on = frameOn(pane);
    if (!on) return null;
    const here = this.#regions.all.filter((drawn) => isOn(drawn, on.frame));
    const ordered = here.sort((a, b) => this.#rank(b) - this.#rank(a));
    for (const drawn of ordered) {
      const handle = grabbed(drawn, on.matrix, place);
      if (handle !== null) return { drawn, handle };
    }
    return null;
  }

  /** The loose end follows a pointer that is not pressed. */
  hover(pane: Pane, place: Point): void {
    const on = frameOn(pane);
    const current = this.#sketch;
    if (!current || current.frame.id !== on?.frame.id || current.sketch.kind === "freehand") return;
    this.#sketch = { ...current, sketch: followed(current.sketch, on.placeOf(place)) };
    this.#changed();
  }

  /** Close a polygon; what has too few places is given up. */
  finish(): void {
    if (this.#sketch) this.#complete(this.#sketch.frame, this.#sketch.sketch);
  }

  cancel(): boolean {
    const had = this.#sketch !== null || this.#regions.selected !== "";
    if (this.#sketch) this.#sketch = null;
    else this.#regions.selected = "";
    this.#changed();
    return had;
  }

  /** All that is to be drawn over a pane. */
  drawings(pane: Pane): readonly Drawing[] {
    const on = frameOn(pane);
    if (!on) return [];
    const here = (drawn: DrawnRegion): boolean => isOn(drawn, on.frame);
    const suggested = this.#regions.suggested
      .filter(here)
      .map((drawn) => this.#drawn(drawn, on, "suggestion"));
    const regions = this.#regions.all
      .filter(here)
      .map((drawn) => this.#drawn(drawn, on, this.#rank(drawn) ? "selected" : "region"));
    return [...suggested, ...regions, ...this.#sketched(on)];
  }

  #rank({ region }: DrawnRegion): number {
    return region.id === this.#regions.selected ? 1 : 0;
  }

  #changing({ placeOf, sizeAt }: OnFrame, { drawn, handle }: Hit, from: Point): Drag {
    const { id, points } = drawn.region;
    const start = placeOf(from);
    let now = points;
    this.#regions.selected = id;
    this.#changed();
    return {
      move: (place) => {
        const to = placeOf(place);
        now =
          handle === -1
            ? movedBy(points, [to[0] - start[0], to[1] - start[1]])
            : withHandleAt(drawn.kind, points, handle, to, sizeAt(points));
        this.#regions.preview(id, now);
        this.#changed();
      },
      end: (isClick) => {
        this.#regions.preview(id, points);
        if (!isClick) this.#regions.change(drawn, settled(drawn.kind, now, sizeAt(now)));
        this.#changed();
      },
      cancel: () => {
        this.#regions.preview(id, points);
        this.#changed();
      },
    };
  }

  #drawing({ frame, matrix, placeOf }: OnFrame, from: Point, tool: RegionTool): Drag {
    const before = this.#sketch;
    const isFirst = before === null;
    this.#put(frame, this.#pressed(before?.sketch ?? null, placeOf(from), tool));
    return {
      move: (place) => {
        if (this.#sketch) this.#put(frame, followed(this.#sketch.sketch, placeOf(place)));
      },
      end: (isClick) => this.#released(frame, matrix, isClick, isFirst),
      cancel: () => {
        this.#sketch = before;
        this.#changed();
      },
    };
  }

  /** A Cobb angle's second line starts where it is pressed. */
  #pressed(sketch: Sketch | null, place: Point, tool: RegionTool): Sketch {
    if (!sketch) return started(kindOf(tool), tool === "cobb", place);
    const moved = followed(sketch, place);
    return sketch.isCobb && sketch.fixed.length === 2 ? pinned(moved) : moved;
  }

  #released(frame: FrameDescription, matrix: Affine, isClick: boolean, isFirst: boolean): void {
    const current = this.#sketch?.sketch;
    if (!current) return;
    const startsLine = isFirst || (current.isCobb && current.fixed.length === 3);
    const isOnePlace = current.kind === "point" || current.kind === "freehand";
    if (isOnePlace || closes(current, matrix)) this.#complete(frame, current);
    else if (!(isClick && startsLine)) this.#pin(frame, current);
    this.#changed();
  }

  #pin(frame: FrameDescription, sketch: Sketch): void {
    const next = pinned(sketch);
    if (isComplete(next)) this.#complete(frame, next);
    else this.#put(frame, next);
  }

  #put(frame: FrameDescription, sketch: Sketch): void {
    this.#sketch = { frame, sketch };
    this.#changed();
  }

  #complete(frame: FrameDescription, sketch: Sketch): void {
    const { target } = this;
    const points = finalPoints(frame, sketch);
    this.#sketch = null;
    if (target && !isTooSmall(sketch.kind, points, SMALLEST)) {
      const region: Region = {
        id: this.#newId(),
        label: target.label,
        image: frame.address.sopInstanceUid,
        frame: frame.address.frame,
        points,
        attributes: {},
        origin: "reader",
      };
      this.#regions.add({ question: target.question, kind: sketch.kind, colour: target.colour, region });
    }
    this.#changed();
  }

  #drawn({ kind, colour, region }: DrawnRegion, on: OnFrame, state: Drawing["state"]): Drawing {
    const { id, points } = region;
    return { id, kind, colour, points, state, words: this.#wordsOf(kind, points, on, state) };
  }

  /** What is measured; of a suggestion nothing, since it is no measurement of anybody's yet. */
  #wordsOf(kind: RegionKind, points: readonly Point[], on: OnFrame, state: Drawing["state"]): string {
    if (state === "suggestion") return "";
    return state === "selected" ? this.#words.ofChosen(kind, points, on) : measuredWords(kind, points, on);
  }

  #sketched(on: OnFrame): Drawing[] {
    const current = this.#sketch;
    if (!current || current.frame.id !== on.frame.id) return [];
    const { kind } = current.sketch;
    const points = sketchedPoints(on.frame, current.sketch);
    const words = measuredWords(kind, points, on);
    return [{ id: "", kind, colour: this.target?.colour ?? "white", points, words, state: "sketch" }];
  }
}

const sketchedPoints = (frame: FrameDescription, sketch: Sketch): readonly Point[] =>
  pointsOf(sketch, pixelSizeAt(frame, [...sketch.fixed, sketch.loose]));

const finalPoints = (frame: FrameDescription, sketch: Sketch): readonly Point[] => {
  if (sketch.kind === "polygon") return withoutRepeats(sketch.fixed);
  if (sketch.kind === "freehand") return simplified(sketch.fixed, FREEHAND_TOLERANCE);
  const points = sketchedPoints(frame, sketch);
  return settled(sketch.kind, points, pixelSizeAt(frame, points));
};

/** A polygon closes where its last place is on its first. */
const closes = ({ kind, fixed, loose }: Sketch, matrix: Affine): boolean => {
  const [first] = fixed;
  if (kind !== "polygon" || !first || fixed.length < 3) return false;
  const [a, b] = [apply(matrix, first), apply(matrix, loose)];
  return Math.hypot(a[0] - b[0], a[1] - b[1]) <= HANDLE_REACH;
};

/** A double click leaves its place twice. */
const withoutRepeats = (points: readonly Point[]): readonly Point[] =>
  points.filter((point, nth) => {
    const before = points[nth - 1];
    return !before || Math.hypot(point[0] - before[0], point[1] - before[1]) > SMALLEST;
  });
