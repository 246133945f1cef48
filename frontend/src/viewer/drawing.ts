/** Drawing and changing regions with the pointer. A drag draws; clicks one after another do too. */

import { type Affine, apply, inverse } from "../geometry/affine";
import { inWords, measuresOf, type PixelSize, statisticsOf } from "../geometry/measure";
import { distanceToPath, isArea, pathsOf, simplified } from "../geometry/outline";
import type { DrawnRegion, Point, Region, RegionKind } from "../geometry/region";
import {
  followed,
  handlesOf,
  isComplete,
  isTooSmall,
  movedBy,
  pinned,
  pointsOf,
  type Sketch,
  settled,
  started,
  withHandleAt,
  within,
} from "../geometry/shaping";
import { type FrameDescription, pixelFormatOf, pixelSizeOf } from "../images/frame";
import type { FrameStore } from "../images/store";
import type { Drag } from "./drag";
import type { Drawing } from "./overlay";
import type { Pane } from "./pane";
import type { Regions } from "./regions";
import type { RegionTool } from "./stage";

/** CSS pixels: half of what a finger or a tremor needs (WCAG 2.5.8 asks for 24 across). */
const HANDLE_REACH = 12;
const LINE_REACH = 8;
const FREEHAND_TOLERANCE = 0.4;
const SMALLEST = 0.5;

export interface Target {
  readonly question: string;
  readonly label: string;
  readonly colour: string;
}

interface OnFrame {
  readonly frame: FrameDescription;
  readonly matrix: Affine;
  readonly size: PixelSize;
  /** From the screen to the frame, never beyond its edge. */
  readonly placeOf: (place: Point) => Point;
}

interface Hit {
  readonly drawn: DrawnRegion;
  /** -1: its line rather than a handle. */
  readonly handle: number;
}

const kindOf = (tool: RegionTool): RegionKind => (tool === "cobb" ? "angle" : tool);

/** The frame under a pane's pixels; undefined where nothing may be drawn. */
export const frameOn = (pane: Pane): OnFrame | undefined => {
  const matrix = pane.frameMatrix();
  const frame = pane.scene.frames[pane.index];
  if (!pane.scene.isCase || !matrix || !frame) return undefined;
  const { rows, columns } = pixelFormatOf(frame.attributes);
  const back = inverse(matrix);
  return {
    frame,
    matrix,
    size: pixelSizeOf(frame),
    placeOf: (place) => within(apply(back, place), columns, rows),
  };
};

const isOn = ({ region }: DrawnRegion, { address }: FrameDescription): boolean =>
  region.image === address.sopInstanceUid && region.frame === address.frame;

export class RegionDrawing {
  target: Target | null = null;
  readonly #regions: Regions;
  readonly #store: FrameStore;
  readonly #newId: () => string;
  readonly #changed: () => void;
  #sketch: { readonly frame: FrameDescription; readonly sketch: Sketch } | null = null;
  /** Statistics of regions by their points: they take a moment. */
  readonly #words = new WeakMap<readonly Point[], string>();

  constructor(regions: Regions, store: FrameStore, newId: () => string, changed: () => void) {
    this.#regions = regions;
    this.#store = store;
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
      const handle = this.#handleAt(drawn, on.matrix, place);
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

  #handleAt({ kind, region }: DrawnRegion, matrix: Affine, place: Point): number | null {
    const far = (point: Point): number => {
      const [x, y] = apply(matrix, point);
      return Math.hypot(x - place[0], y - place[1]);
    };
    const distances = handlesOf(kind, region.points).map(far);
    const nearest = Math.min(Number.POSITIVE_INFINITY, ...distances);
    if (nearest <= HANDLE_REACH) return distances.indexOf(nearest);
    const lines = pathsOf(kind, region.points).map((path) => ({
      ...path,
      points: path.points.map((point) => apply(matrix, point)),
    }));
    return lines.some((path) => distanceToPath(place, path) <= LINE_REACH) ? -1 : null;
  }

  #changing({ placeOf, size }: OnFrame, { drawn, handle }: Hit, from: Point): Drag {
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
            : withHandleAt(drawn.kind, points, handle, to, size);
        this.#regions.preview(id, now);
        this.#changed();
      },
      end: (isClick) => {
        this.#regions.preview(id, points);
        if (!isClick) this.#regions.change(drawn, settled(drawn.kind, now, size));
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
    const size = pixelSizeOf(frame);
    const points = this.#finalPoints(sketch, size);
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

  #finalPoints(sketch: Sketch, size: PixelSize): readonly Point[] {
    if (sketch.kind === "polygon") return withoutRepeats(sketch.fixed);
    if (sketch.kind === "freehand") return simplified(sketch.fixed, FREEHAND_TOLERANCE);
    return settled(sketch.kind, pointsOf(sketch, size), size);
  }

  #drawn({ kind, colour, region }: DrawnRegion, on: OnFrame, state: Drawing["state"]): Drawing {
    return {
      id: region.id,
      kind,
      colour,
      points: region.points,
      state,
      words: this.#wordsFor(kind, region.points, on, state),
    };
  }

  #sketched(on: OnFrame): Drawing[] {
    const current = this.#sketch;
    if (!current || current.frame.id !== on.frame.id) return [];
    const { kind } = current.sketch;
    const points = pointsOf(current.sketch, on.size);
    const words = inWords(measuresOf(kind, points, on.size), on.size);
    return [{ id: "", kind, colour: this.target?.colour ?? "white", points, words, state: "sketch" }];
  }

  /** Statistics for the chosen region alone: all of them would cover the image. */
  #wordsFor(kind: RegionKind, points: readonly Point[], on: OnFrame, state: Drawing["state"]): string {
    const measures = inWords(measuresOf(kind, points, on.size), on.size);
    if (state !== "selected") return measures;
    const statistics = this.#words.get(points) ?? this.#statistics(kind, points, on.frame);
    this.#words.set(points, statistics);
    return [measures, statistics].filter((word) => word !== "").join(" · ");
  }

  #statistics(kind: RegionKind, points: readonly Point[], frame: FrameDescription): string {
    const held = this.#store.peek(frame.id);
    if (!held || !isArea(kind) || held.format.samplesPerPixel === 3) return "";
    const found = statisticsOf(kind, points, held.samples, held.format.columns, held.format.rows);
    return found ? `${found.mean.toFixed(1)} ± ${found.deviation.toFixed(1)}` : "";
  }
}

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
