/** What the server says of hanging, as the stage takes it. */

import type { HangingView } from "../api/types";
import { framesOf } from "../images/frame";
import { presetCalled } from "../images/presets";
import { lateralityOf, viewOf } from "./layouts";
import type { Companion, Hanging, LayoutName } from "./stage";

const LAYOUTS: readonly LayoutName[] = ["stack", "mpr", "priors", "four-up"];

const companionOf = (view: HangingView["companions"][number]): Companion => {
  const frames = framesOf({ id: view.case_id, instances: view.instances });
  const [first] = frames;
  return {
    seriesInstanceUid: view.series_instance_uid,
    label: view.label,
    isPrior: view.is_prior,
    laterality: first ? lateralityOf(first) : "",
    viewPosition: first ? viewOf(first) : "",
    frames,
  };
};

export const hangingOf = (view: HangingView, modality: string): Hanging => ({
  layout: LAYOUTS.find((name) => name === view.layout) ?? "stack",
  window: view.preset === null ? null : (presetCalled(modality, view.preset)?.window ?? null),
  play: view.play,
  companions: view.companions.map(companionOf).filter(({ frames }) => frames.length > 0),
});
