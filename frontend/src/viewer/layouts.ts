/** Which panes a layout has, and what hangs in each. */

import type { Camera } from "../geometry/camera";
import { gridOf, type PlaneName, volumeProblem } from "../geometry/volume";
import { type FrameDescription, planeOf } from "../images/frame";
import { textOf } from "../images/numbers";
import type { FrameStore } from "../images/store";
import { say } from "../words/say";
import { PlaneScene, VolumeSource } from "./planes";
import { commonSize, type Scene, StackScene } from "./scene";
import type { Companion, LayoutName } from "./stage";

export interface Hung {
  readonly store: FrameStore;
  readonly frames: readonly FrameDescription[];
  readonly companions: readonly Companion[];
}

/** In reading order: the right breast left, as two people face each other. */
const VIEWS = [
  { laterality: "R", view: "CC" },
  { laterality: "L", view: "CC" },
  { laterality: "R", view: "MLO" },
  { laterality: "L", view: "MLO" },
] as const;

const PLANES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];

export const lateralityOf = ({ attributes }: FrameDescription): string =>
  textOf(attributes, "ImageLaterality") ?? textOf(attributes, "Laterality") ?? "";

export const viewOf = ({ attributes }: FrameDescription): string => textOf(attributes, "ViewPosition") ?? "";

/** Chest walls meet in the middle: a right breast's rows run to the back, a left one's to the front. */
const turnOf = (frame: FrameDescription, laterality: string): Partial<Camera> => {
  const [along] = (frame.attributes.PatientOrientation as readonly unknown[] | undefined) ?? [];
  if (typeof along !== "string") return {};
  return { isFlippedHorizontally: !along.startsWith(laterality === "R" ? "P" : "A") };
};

const viewScene = (hung: Hung, { laterality, view }: (typeof VIEWS)[number]): Scene | undefined => {
  const isIt = (frame: FrameDescription): boolean =>
    lateralityOf(frame) === laterality && viewOf(frame) === view;
  const own = hung.frames.filter(isIt);
  const others = hung.companions
    .filter(({ isPrior }) => !isPrior)
    .flatMap(({ frames }) => frames.filter(isIt));
  const frames = own.length > 0 ? own : others.slice(0, 1);
  const [first] = frames;
  if (!first) return undefined;
  const options = {
    caption: `${laterality} ${view}`,
    isCase: own.length > 0,
    turn: turnOf(first, laterality),
    side: laterality === "R" ? 1 : -1,
  } as const;
  return new StackScene(hung.store, frames, options);
};

const newestPrior = ({ companions }: Hung): Companion | undefined =>
  companions.find(({ isPrior }) => isPrior);

export const volumeOf = ({ store, frames }: Hung): VolumeSource | undefined => {
  const planes = frames.map(planeOf).filter((plane) => plane !== undefined);
  const size = commonSize(frames);
  const grid = size && gridOf(planes, ...size);
  return grid && new VolumeSource(store, frames, grid);
};

/** Why a case cannot hang so, in words; "" where it can. */
export const layoutProblem = (layout: LayoutName, hung: Hung): string => {
  if (layout === "stack") return "";
  if (layout === "priors") return newestPrior(hung) ? "" : say("no_earlier_study");
  if (layout === "four-up") {
    const missing = VIEWS.filter((view) => !viewScene(hung, view));
    return missing.length === 0
      ? ""
      : say("no_such_view", { views: missing.map((one) => `${one.laterality} ${one.view}`).join(", ") });
  }
  if (!commonSize(hung.frames)) return say("images_differ");
  const problem = volumeProblem(hung.frames.map(planeOf));
  return problem && say(`volume_${problem}`);
};

export const scenesOf = (
  layout: LayoutName,
  hung: Hung,
  volume: VolumeSource | undefined,
): readonly Scene[] => {
  const caption = layout === "priors" ? say("current_study") : "";
  const own = new StackScene(hung.store, hung.frames, { isCase: true, caption });
  if (layout === "priors") {
    const prior = newestPrior(hung);
    const options = { isCase: false, caption: prior?.label ?? "" };
    return prior ? [own, new StackScene(hung.store, prior.frames, options)] : [own];
  }
  if (layout === "four-up")
    return VIEWS.map((view) => viewScene(hung, view)).filter((scene) => scene !== undefined);
  if (layout === "mpr" && volume) return PLANES.map((name) => new PlaneScene(volume, name));
  return [own];
};
