/** The stage alone on a page: what browser tests and benchmarks of the viewer drive, on a real server's pixels. */

import { type FrameDescription, framesOf, type Imaged } from "../src/images/frame";
import { type FetchFrame, FrameStore } from "../src/images/store";
import { newStage } from "../src/viewer/new";

const fetchFrame: FetchFrame = async ({ caseId, sopInstanceUid, frame }, signal) => {
  const response = await fetch(`/api/v1/cases/${caseId}/instances/${sopInstanceUid}/frames/${frame}`, {
    signal,
  });
  if (!response.ok) throw new Error(`${response.status} for frame ${frame}`);
  return response.arrayBuffer();
};

const element = document.querySelector<HTMLDivElement>(".canvas");
if (!element) throw new Error("The page has no place for the image");
const store = new FrameStore(fetchFrame);
const { stage, isPlain } = newStage(element, store, () => undefined);
let frames: readonly FrameDescription[] = [];

/** Fetch all other frames too, from the opening one outwards. */
const prefetch = (index: number): void => {
  frames.forEach((frame, nth) => void store.prefetch([frame], 1 + Math.abs(nth - index)));
};

const bench = {
  stage,
  store,
  isPlain,
  frames: () => frames,
  framesOf,
  async open(view: Imaged, index: number): Promise<void> {
    frames = framesOf(view);
    const shown = stage.show(frames, index);
    prefetch(index);
    await shown;
  },
  async close(caseIds: readonly string[]): Promise<void> {
    stage.forget(store.keepOnly(new Set(caseIds)));
  },
};

export type Bench = typeof bench;

Object.assign(window, { bench });
