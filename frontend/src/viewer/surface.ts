/** What puts one picture on the screen: the graphics card, or a plain canvas. */

import type { Camera, CanvasSize, FrameSize } from "../geometry/camera";
import type { DecodedFrame, Window } from "../images/pixels";

export interface Picture {
  readonly id: string;
  readonly frame: DecodedFrame;
  readonly size: FrameSize;
}

export interface Tone {
  readonly window: Window;
  readonly isInverted: boolean;
}

export interface Surface {
  /**
   * Put a picture in place of the one before; arrange is called when it is there and not drawn yet. Settles when its
   * pixels are on screen, or when another one was asked for meanwhile.
   * ids: all pictures of the stack that it belongs to.
   */
  show(picture: Picture, ids: readonly string[], arrange: () => void): Promise<void>;
  place(camera: Camera, size: FrameSize, canvas: CanvasSize): void;
  tone(tone: Tone): void;
  destroy(): void;
}

export type NewSurface = (element: HTMLDivElement) => Surface;
