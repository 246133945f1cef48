/** Which stage this browser can have. */

import type { FrameStore } from "../images/store";
import { GpuStage, hasWebGl2 } from "./gpu";
import { PlainStage } from "./plain";
import type { Stage } from "./stage";

export const newStage = (
  element: HTMLDivElement,
  store: FrameStore,
  onView: () => void,
): { readonly stage: Stage; readonly isPlain: boolean } =>
  hasWebGl2()
    ? { stage: new GpuStage(element, store, onView), isPlain: false }
    : { stage: new PlainStage(element, store, onView), isPlain: true };
