/** What is written beside a region: its measures, and statistics of the chosen one. */

import { inWords, measuresOf, statisticsOf } from "../geometry/measure";
import { isArea } from "../geometry/outline";
import type { Point, RegionKind } from "../geometry/region";
import type { FrameDescription } from "../images/frame";
import type { FrameStore } from "../images/store";
import type { OnFrame } from "./on_frame";

export const measuredWords = (kind: RegionKind, points: readonly Point[], { sizeAt }: OnFrame): string => {
  const size = sizeAt(points);
  return inWords(measuresOf(kind, points, size), size);
};

export class RegionWords {
  readonly #store: FrameStore;
  /** Statistics of regions by their points: they take a moment. */
  readonly #known = new WeakMap<readonly Point[], string>();

  constructor(store: FrameStore) {
    this.#store = store;
  }

  /** Measures, and the mean of the values inside: of one region alone, all of them would cover the image. */
  ofChosen(kind: RegionKind, points: readonly Point[], on: OnFrame): string {
    const statistics = this.#known.get(points) ?? this.#statistics(kind, points, on.frame);
    this.#known.set(points, statistics);
    return [measuredWords(kind, points, on), statistics].filter((word) => word !== "").join(" · ");
  }

  #statistics(kind: RegionKind, points: readonly Point[], frame: FrameDescription): string {
    const held = this.#store.peek(frame.id);
    if (!held || !isArea(kind) || held.format.samplesPerPixel === 3) return "";
    const found = statisticsOf(kind, points, held.samples, held.format.columns, held.format.rows);
    return found ? `${found.mean.toFixed(1)} ± ${found.deviation.toFixed(1)}` : "";
  }
}
