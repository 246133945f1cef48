/** Painting segmentations with the pointer. */

import { apply, inverse } from "../geometry/affine";
import { scaleOf } from "../geometry/camera";
import type { LabelEdit } from "../geometry/labels";
import { type Allowed, type BrushTip, filled, type Index3, stroke } from "../geometry/painting";
import type { Point } from "../geometry/region";
import type { Drag } from "./drag";
import type { Masks } from "./masks";
import type { Drawing, Mark } from "./overlay";
import type { Pane } from "./pane";
import { voxelAt } from "./scene";
import type { Brush, MaskTool } from "./stage";

export interface BrushHost {
  /** Place of a pane's picture among the case's slices, or along its axis; -1 where it is not the case's. */
  readonly placeOf: (pane: Pane) => number;
  /** Distances of neighbours along columns' index, rows' index, slices: mm, or pixels where no size is known. */
  readonly spacing: () => Index3;
  readonly hasVolume: () => boolean;
  readonly valueAt: (column: number, row: number, slice: number) => number | undefined;
  readonly changed: () => void;
}

const FIRST_BRUSH: Brush = { diameterMm: 10, lowest: -200, highest: 200 };

export class Brushing {
  readonly #masks: Masks;
  readonly #host: BrushHost;
  brush: Brush = FIRST_BRUSH;
  #outline: { readonly pane: Pane; readonly points: readonly Point[] } | null = null;

  constructor(masks: Masks, host: BrushHost) {
    this.#masks = masks;
    this.#host = host;
  }

  /** erases: with any tool, the active class is taken away instead. */
  press(pane: Pane, place: Point, tool: MaskTool, erases: boolean): Drag | null {
    const edit = this.#masks.label === 0 || this.#host.placeOf(pane) < 0 ? null : this.#masks.edit();
    if (!edit) return null;
    const label = erases || tool === "eraser" ? 0 : this.#masks.label;
    return tool === "scissors"
      ? this.#cutting(pane, place, edit, label)
      : this.#painting(pane, place, edit, { tool, label });
  }

  /** The brush's rim around the pointer. */
  rim(pane: Pane, place: Point, colour: string): Mark {
    const scale = pane.picture ? scaleOf(pane.camera, pane.picture.size, pane.size) : 1;
    const radius = (this.brush.diameterMm / 2) * scale;
    return { kind: "brush", at: place, radii: [radius, radius], colour };
  }

  /** The scissors' line. */
  drawings(pane: Pane): readonly Drawing[] {
    if (this.#outline?.pane !== pane) return [];
    const { points } = this.#outline;
    return [{ id: "", kind: "freehand", points, colour: "white", words: "", state: "sketch" }];
  }

  #voxel(pane: Pane, place: Point): Index3 {
    return voxelAt(pane.scene, pane.pixelAt(place), this.#host.placeOf(pane));
  }

  #painting(
    pane: Pane,
    from: Point,
    edit: LabelEdit,
    { tool, label }: { readonly tool: MaskTool; readonly label: number },
  ): Drag {
    const isSphere = tool === "sphere" && this.#host.hasVolume();
    const tip: BrushTip = {
      radiusMm: this.brush.diameterMm / 2,
      spacingMm: this.#host.spacing(),
      flat: isSphere ? null : pane.scene.axes.through,
    };
    const allowed = this.#allowed(tool, label);
    let last = this.#voxel(pane, from);
    const move = (place: Point): void => {
      const next = this.#voxel(pane, place);
      stroke(edit, [last, next], tip, label, allowed);
      last = next;
      this.#host.changed();
    };
    const end = (): void => {
      this.#masks.finish(edit);
      this.#host.changed();
    };
    move(from);
    return { move, end, cancel: () => this.#takeBack(edit) };
  }

  /** The eraser takes the active class alone; the threshold brush only values in its range. */
  #allowed(tool: MaskTool, label: number): Allowed {
    const { lowest, highest } = this.brush;
    const active = this.#masks.label;
    const labels = this.#masks.layer?.labels;
    if (label === 0) return (column, row, slice) => labels?.at(column, row, slice) === active;
    if (tool !== "threshold") return () => true;
    return (column, row, slice) => {
      const value = this.#host.valueAt(column, row, slice);
      return value !== undefined && value >= lowest && value <= highest;
    };
  }

  #cutting(pane: Pane, from: Point, edit: LabelEdit, label: number): Drag {
    const back = inverse(pane.matrix());
    const toFrame = pane.scene.fromFrame ? inverse(pane.scene.fromFrame) : null;
    let points: readonly Point[] = [apply(back, from)];
    const show = (): void => {
      this.#outline = { pane, points: toFrame ? points.map((point) => apply(toFrame, point)) : points };
      this.#host.changed();
    };
    const allowed = this.#allowed("scissors", label);
    return {
      move: (place) => {
        points = [...points, apply(back, place)];
        show();
      },
      end: () => {
        this.#outline = null;
        this.#fill(pane, points, edit, label, allowed);
        this.#masks.finish(edit);
        this.#host.changed();
      },
      cancel: () => {
        this.#outline = null;
        this.#host.changed();
      },
    };
  }

  #fill(pane: Pane, points: readonly Point[], edit: LabelEdit, label: number, allowed: Allowed): void {
    const { columns, rows } = pane.picture?.size ?? { columns: 0, rows: 0 };
    filled(points, columns, rows, (x, y) => {
      const [column, row, slice] = voxelAt(pane.scene, [x + 0.5, y + 0.5], this.#host.placeOf(pane));
      if (allowed(column, row, slice)) edit.set(column, row, slice, label);
    });
  }

  #takeBack(edit: LabelEdit): void {
    edit.labels.apply(edit.finish(), "before");
    this.#host.changed();
  }
}
