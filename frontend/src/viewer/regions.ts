/** The regions of a case: which there are, which one is chosen, what is undone. No pixels, no events. */

import type { DrawnRegion, Point } from "../geometry/region";
import type { History } from "./history";
import type { RegionsChange } from "./stage";

/** Names all suggestions at once. */
export const ALL = "all";

export class Regions {
  readonly #history: History;
  readonly #frameOf: (region: DrawnRegion) => number;
  readonly #listeners: ((change: RegionsChange) => void)[] = [];
  #all: readonly DrawnRegion[] = [];
  #suggested: readonly DrawnRegion[] = [];
  selected = "";

  constructor(history: History, frameOf: (region: DrawnRegion) => number) {
    this.#history = history;
    this.#frameOf = frameOf;
  }

  get all(): readonly DrawnRegion[] {
    return this.#all;
  }

  /** Those not accepted yet. */
  get suggested(): readonly DrawnRegion[] {
    return this.#suggested.filter(({ region }) => !this.get(region.id));
  }

  get(id: string): DrawnRegion | undefined {
    return this.#all.find(({ region }) => region.id === id);
  }

  onChange(listener: (change: RegionsChange) => void): void {
    this.#listeners.push(listener);
  }

  /** As the answers have them: nothing to undo, nobody told. */
  set(regions: readonly DrawnRegion[]): void {
    this.#all = regions;
    if (!this.get(this.selected)) this.selected = "";
  }

  suggest(regions: readonly DrawnRegion[]): void {
    this.#suggested = regions;
  }

  clear(): void {
    this.#all = [];
    this.#suggested = [];
    this.selected = "";
  }

  add(drawn: DrawnRegion): void {
    this.#act(
      drawn,
      () => this.#put(drawn, "added"),
      () => this.#take(drawn.region.id),
    );
    this.selected = drawn.region.id;
  }

  remove(id: string): void {
    const drawn = this.get(id);
    if (drawn)
      this.#act(
        drawn,
        () => this.#take(id),
        () => this.#put(drawn, "added"),
      );
  }

  /** A suggestion becomes a region, or ALL that remain do: one act. */
  accept(id: string): void {
    const taken = this.suggested
      .filter(({ region }) => id === ALL || region.id === id)
      .map((drawn): DrawnRegion => ({ ...drawn, region: { ...drawn.region, origin: "suggestion" } }));
    const [first] = taken;
    if (!first) return;
    const redo = (): void => {
      for (const drawn of taken) this.#put(drawn, "added");
    };
    this.#act(first, redo, () => {
      for (const { region } of taken) this.#take(region.id);
    });
    this.selected = id === ALL ? "" : id;
  }

  /** While a drag goes on: shown, not told, not to be undone. */
  preview(id: string, points: readonly Point[]): void {
    this.#all = this.#all.map((drawn) => (drawn.region.id === id ? moved(drawn, points) : drawn));
  }

  /** A drag has ended. */
  change(before: DrawnRegion, points: readonly Point[]): void {
    const { id } = before.region;
    const edited = before.region.origin === "suggestion" ? "edited" : before.region.origin;
    const redo = (): void => this.#reshape(id, points, edited);
    this.#act(before, redo, () => this.#reshape(id, before.region.points, before.region.origin));
  }

  #act(drawn: DrawnRegion, redo: () => void, undo: () => void): void {
    redo();
    this.#history.add({ frame: this.#frameOf(drawn), undo, redo });
  }

  #put(drawn: DrawnRegion, how: RegionsChange["how"]): void {
    this.#all = [...this.#all.filter(({ region }) => region.id !== drawn.region.id), drawn];
    this.#tell(drawn.region.id, how);
  }

  #take(id: string): void {
    this.#all = this.#all.filter(({ region }) => region.id !== id);
    if (this.selected === id) this.selected = "";
    this.#tell(id, "removed");
  }

  /** Attributes that were answered meanwhile stay. */
  #reshape(id: string, points: readonly Point[], origin: DrawnRegion["region"]["origin"]): void {
    const drawn = this.get(id);
    if (!drawn) return;
    const changed = { ...drawn, region: { ...drawn.region, points, origin } };
    this.#all = this.#all.map((one) => (one === drawn ? changed : one));
    this.#tell(id, "changed");
  }

  #tell(id: string, how: RegionsChange["how"]): void {
    for (const listener of this.#listeners) listener({ regions: this.#all, id, how });
  }
}

const moved = (drawn: DrawnRegion, points: readonly Point[]): DrawnRegion => ({
  ...drawn,
  region: { ...drawn.region, points },
});
