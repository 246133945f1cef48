/** What the room is told of the stage. */

import { type FrameDescription, framesPerSecondOf, lengthsOn } from "../images/frame";
import { hasVoiTable } from "../images/pixels";
import type { FrameStore } from "../images/store";
import type { Cine } from "./cine";
import type { Hangings } from "./hangings";
import type { History } from "./history";
import type { Pane } from "./pane";
import type { LayoutName, ToolName, View } from "./stage";

const LAYOUTS: readonly LayoutName[] = ["stack", "mpr", "priors", "four-up"];

export interface Viewed {
  readonly hangings: Hangings;
  readonly store: FrameStore;
  readonly cine: Cine;
  readonly tool: ToolName;
  readonly history: History;
  readonly selected: string;
  readonly isDrawing: boolean;
}

/** The active pane's camera and window, and the case's frame that is on screen; undefined where nothing is yet. */
export const viewOf = (viewed: Viewed): View | undefined => {
  const { hangings, history } = viewed;
  const { active, main } = hangings;
  const frame = hangings.frames[hangings.index];
  const seen = active && seenOf(active);
  if (!seen || !frame) return undefined;
  return {
    ...seen,
    ...caseOf(viewed, main, frame),
    slab: { millimetres: hangings.volume?.millimetres ?? 0, mode: hangings.volume?.mode ?? "mean" },
    tool: viewed.tool,
    canUndo: history.canUndo,
    canRedo: history.canRedo,
    selected: viewed.selected,
    isDrawing: viewed.isDrawing,
  };
};

const seenOf = ({ camera, tone, picture }: Pane) =>
  picture && tone
    ? {
        window: tone.window,
        zoom: camera.zoom,
        isInverted: tone.isInverted,
        rotation: 90 * camera.quarterTurns,
        isFlippedHorizontally: camera.isFlippedHorizontally,
        isFlippedVertically: camera.isFlippedVertically,
        isColour: picture.frame.format.samplesPerPixel === 3,
        isTabled: hasVoiTable(picture.frame),
      }
    : undefined;

const caseOf = ({ hangings, store, cine }: Viewed, main: Pane | null, frame: FrameDescription) => {
  const { frames, layout } = hangings;
  const isFilm = framesPerSecondOf(frames) !== null;
  const shown = main?.picture?.id ?? "";
  return {
    frameId: shown.startsWith("fovea:") ? shown : frame.id,
    index: hangings.index,
    count: frames.length,
    loaded: frames.filter(({ id }) => store.holds(id)).length,
    layout,
    isTurned: hangings.crossing.isTurned,
    layouts: LAYOUTS.filter((name) => hangings.problem(name) === ""),
    cine: isFilm ? { isPlaying: cine.isPlaying, framesPerSecond: cine.framesPerSecond } : null,
    lengths: lengthsOn(frame),
  };
};
