/** What the stage does with how a case is looked at: camera, window, layout, film. */

import { framesPerSecondOf } from "../images/frame";
import type { Cine } from "./cine";
import type { Hangings } from "./hangings";
import type { History } from "./history";
import { describe } from "./metadata";
import type { Stage } from "./stage";

export interface ViewParts {
  readonly hangings: Hangings;
  readonly history: History;
  readonly cine: Cine;
  readonly reveal: (frame: number) => Promise<void>;
  readonly redraw: () => void;
  readonly onView: () => void;
}

const RADIANS = Math.PI / 180;

export const cameraActs = ({ hangings }: ViewParts) =>
  ({
    setWindow: (window) => hangings.setWindow(window),
    zoomBy: (factor, around) => hangings.active?.zoomBy(factor, around),
    panBy: (offset) => hangings.active?.panBy(offset),
    invert: () => hangings.invert(),
    rotate: () => hangings.active?.rotate(),
    flip: (direction) => hangings.active?.flip(direction),
    reset: () => hangings.reset(),
  }) satisfies Partial<Stage>;

export const layoutActs = ({ hangings, cine, onView }: ViewParts) =>
  ({
    setLayout: async (layout) => {
      cine.pause();
      await hangings.setLayout(layout);
    },
    layoutProblem: (layout) => hangings.problem(layout),
    turnPlanes: async (degrees) => {
      const { active, crossing } = hangings;
      await (active && crossing.turning(active)?.(degrees * RADIANS));
    },
    setSlab: (millimetres, mode) => hangings.setSlab(millimetres, mode),
    setCompanions: (companions) => {
      for (const { frames } of companions) describe(frames);
      hangings.setCompanions(companions);
      onView();
    },
  }) satisfies Partial<Stage>;

export const timeActs = ({ hangings, history, cine, reveal, redraw, onView }: ViewParts) =>
  ({
    undo: async () => {
      await history.undo(reveal);
      redraw();
    },
    redo: async () => {
      await history.redo(reveal);
      redraw();
    },
    play: (framesPerSecond) => {
      const stated = framesPerSecondOf(hangings.frames);
      if (stated !== null) cine.play(framesPerSecond ?? stated);
    },
    pause: () => {
      cine.pause();
      onView();
    },
  }) satisfies Partial<Stage>;
