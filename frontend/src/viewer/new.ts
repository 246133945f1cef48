/** Which stage this browser can have. */

import type { FrameStore } from "../images/store";
import { Gpu, hasWebGl2 } from "./gpu";
import type { Stage } from "./stage";
import { newWorkbench } from "./workbench";

/** Without WebGL2 pictures are drawn on a plain canvas: slower, the same pixels, every tool. */
export const newStage = (
  element: HTMLDivElement,
  store: FrameStore,
  onView: () => void,
): { readonly stage: Stage; readonly isPlain: boolean } => {
  const gpu = hasWebGl2() ? new Gpu(store) : null;
  return { stage: newWorkbench(element, store, gpu, onView), isPlain: gpu === null };
};
