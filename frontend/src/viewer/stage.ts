/** What the reading room asks of a viewer, whatever draws the pixels. */

import type { FrameDescription } from "../images/frame";
import type { Window } from "../images/pixels";

/** What is on screen now. */
export interface View {
  readonly frameId: string;
  readonly index: number;
  readonly count: number;
  readonly window: Window;
  /** 1 = the whole image fits. */
  readonly zoom: number;
  readonly isInverted: boolean;
}

/** A place on the screen, CSS pixels from the stage's top left. */
export type ScreenPoint = readonly [number, number];

export interface Stage {
  /** Show a case's frames from one on; settles when that frame's pixels are on screen, rejects if they cannot be. */
  show(frames: readonly FrameDescription[], index: number): Promise<void>;
  goTo(index: number): Promise<void>;
  setWindow(window: Window): void;
  /** Make everything larger by a factor, around a place that stays where it is. */
  zoomBy(factor: number, around?: ScreenPoint): void;
  panBy(offset: ScreenPoint): void;
  invert(): void;
  /** The whole image, as it was first shown. */
  reset(): void;
  view(): View | undefined;
  /** Forget decoded images. */
  forget(frameIds: readonly string[]): void;
}
