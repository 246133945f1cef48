/** Three planes that cross at one place: what a press there moves, how they are turned against each other. */

import { apply } from "../geometry/affine";
import { type Cut, combined, cross, dot, turnedCut, type Vector } from "../geometry/oblique";
import type { Point } from "../geometry/region";
import { ObliqueScene } from "./oblique_scene";
import type { Mark } from "./overlay";
import type { Pane } from "./pane";
import { HANDLE_REACH } from "./picking";
import type { CutScene } from "./planes";
import type { Scene } from "./scene";

/** Where the handle is on its line: a share of the pane's shorter side from the crossing. */
const HANDLE_AT = 0.32;

const isCut = (scene: Scene): scene is CutScene => "cut" in scene;

interface Plane {
  readonly pane: Pane;
  readonly scene: CutScene;
}

export class Crossing {
  readonly #panes: () => readonly Pane[];
  readonly #scroll: (pane: Pane, index: number) => Promise<void>;

  constructor(panes: () => readonly Pane[], scroll: (pane: Pane, index: number) => Promise<void>) {
    this.#panes = panes;
    this.#scroll = scroll;
  }

  get isTurned(): boolean {
    return this.#panes().some(({ scene }) => scene.isOblique);
  }

  /** The place that all planes go through: their normals are at right angles. mm along the grid's axes. */
  get centre(): Vector {
    return combined(
      ...this.#planes().map(({ pane, scene }) => [offset(pane, scene), scene.cut.normal] as const),
    );
  }

  /** The slice of the series that is nearest to the crossing. */
  get slice(): number {
    const [plane] = this.#planes();
    if (!plane) return 0;
    const { size, spacingMm } = plane.scene.source.grid;
    return Math.min(size[2] - 1, Math.max(0, Math.round(this.centre[2] / spacingMm[2])));
  }

  /** Bring the crossing under a place of one pane. */
  moveTo(pane: Pane, place: Point): void {
    const plane = this.#planeOf(pane);
    if (plane) void this.#move(plane.scene.toMm(pane.pixelAt(place), pane.index), pane);
  }

  /** Bring the crossing into a slice of the series. */
  async toSlice(index: number): Promise<void> {
    const [plane] = this.#planes();
    const [x, y] = this.centre;
    if (plane) await this.#move([x, y, index * plane.scene.source.grid.spacingMm[2]]);
  }

  /** Where the other planes cross a pane, as lines, and what turns them. */
  marks(pane: Pane): Mark[] {
    const plane = this.#planeOf(pane);
    if (!plane) return [];
    const at = this.#onScreen(plane);
    const lines = this.#others(pane).map(
      (other): Mark => ({ kind: "line", at, along: this.#along(plane, other) }),
    );
    return [...lines, { kind: "handle", at: this.#handle(plane) }];
  }

  isOnHandle(pane: Pane, [x, y]: Point): boolean {
    const plane = this.#planeOf(pane);
    if (!plane) return false;
    const handle = this.#handle(plane);
    return Math.hypot(handle[0] - x, handle[1] - y) <= HANDLE_REACH;
  }

  /** What turns the planes that cross a pane by an angle, clockwise as they are seen there; always from now on. */
  turning(pane: Pane): ((radians: number) => Promise<void>) | null {
    const plane = this.#planeOf(pane);
    if (!plane) return null;
    const centre = this.centre;
    const { isFlippedHorizontally, isFlippedVertically } = pane.camera;
    const sense = isFlippedHorizontally === isFlippedVertically ? 1 : -1;
    const axis = cross(plane.scene.cut.across, plane.scene.cut.down);
    const before = this.#others(pane).map((other) => [other, other.scene.cut] as const);
    return async (radians) => {
      const turned = before.map(([other, cut]) =>
        this.#hang(other, turnedCut(cut, axis, sense * radians), centre),
      );
      await Promise.all(turned);
    };
  }

  /** The angle at which a place is seen from the crossing. */
  angleAt(pane: Pane, [x, y]: Point): number {
    const plane = this.#planeOf(pane);
    const [cx, cy] = plane ? this.#onScreen(plane) : [0, 0];
    return Math.atan2(y - cy, x - cx);
  }

  async #hang({ pane, scene }: Plane, cut: Cut, centre: Vector): Promise<void> {
    const next = new ObliqueScene(scene, cut, centre);
    pane.turnInto(next);
    await pane.goTo(next.indexAt(centre));
  }

  async #move(place: Vector, but?: Pane): Promise<void> {
    const others = this.#planes().filter(({ pane }) => pane !== but);
    await Promise.all(others.map(({ pane, scene }) => this.#scroll(pane, scene.indexAt(place))));
  }

  #planes(): readonly Plane[] {
    return this.#panes().flatMap((pane) => (isCut(pane.scene) ? [{ pane, scene: pane.scene }] : []));
  }

  #planeOf(pane: Pane): Plane | undefined {
    return this.#planes().find((plane) => plane.pane === pane);
  }

  #others(pane: Pane): readonly Plane[] {
    return this.#planes().filter((plane) => plane.pane !== pane);
  }

  #onScreen({ pane, scene }: Plane, place: Vector = this.centre): Point {
    return apply(pane.matrix(), scene.toPixel(place));
  }

  /** On the screen, of length 1: towards where another plane's line goes. */
  #along(plane: Plane, other: Plane): Point {
    const { centre } = this;
    const direction = cross(plane.scene.cut.normal, other.scene.cut.normal);
    const [from, to] = [
      this.#onScreen(plane, centre),
      this.#onScreen(plane, combined([1, centre], [1, direction])),
    ];
    const [x, y] = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(x, y) || 1;
    return [x / length, y / length];
  }

  /** On the first line, on the side that is further right. */
  #handle(plane: Plane): Point {
    const [other] = this.#others(plane.pane);
    const [x, y] = this.#onScreen(plane);
    const [right, down] = other ? this.#along(plane, other) : [1, 0];
    const { width, height } = plane.pane.size;
    const far = HANDLE_AT * Math.min(width, height) * (right < 0 ? -1 : 1);
    return [x + far * right, y + far * down];
  }
}

/** How far along its normal a pane's plane is, mm. */
const offset = (pane: Pane, scene: CutScene): number => dot(scene.toMm([0, 0], pane.index), scene.cut.normal);
