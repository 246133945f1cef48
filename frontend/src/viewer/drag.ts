/** What one press of the pointer starts. */

import type { Point } from "../geometry/region";

export interface Drag {
  /** place: CSS pixels in the pane. */
  move(place: Point): void;
  /** isClick: the pointer hardly moved. */
  end(isClick: boolean): void;
  /** Something else takes over, such as a second finger. */
  cancel(): void;
}

/** One that only follows. */
export const following = (move: (place: Point) => void, end: () => void = () => undefined): Drag => ({
  move,
  end,
  cancel: end,
});
