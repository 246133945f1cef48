/** What the stage does with what is drawn: regions, segmentations, suggestions. */

import type { DrawnRegion } from "../geometry/region";
import type { Brushing } from "./brushing";
import type { RegionDrawing } from "./drawing";
import { type Hangings, spacingOf } from "./hangings";
import type { Masks } from "./masks";
import type { Regions } from "./regions";
import type { MaskStage, RegionStage, Stage } from "./stage";
import type { Toolbox } from "./toolbox";

export interface AnswerParts {
  readonly hangings: Hangings;
  readonly regions: Regions;
  readonly masks: Masks;
  readonly drawing: RegionDrawing;
  readonly brushing: Brushing;
  readonly tools: Toolbox;
  /** Bring a frame of the case on screen, whatever is there now. */
  readonly reveal: (frame: number) => Promise<void>;
  readonly frameOf: (drawn: DrawnRegion) => number;
  readonly redraw: () => void;
}

export const regionActs = ({
  regions,
  drawing,
  tools,
  reveal,
  frameOf,
  redraw,
}: AnswerParts): RegionStage => ({
  setActiveLabel: (target) => {
    drawing.target = target;
  },
  setRegions: (all) => {
    regions.set(all);
    redraw();
  },
  onRegions: (listener) => regions.onChange(listener),
  select: (regionId) => {
    const drawn = regions.get(regionId);
    regions.selected = regionId;
    if (drawn) void reveal(frameOf(drawn));
    redraw();
  },
  remove: (regionId) => regions.remove(regionId),
  moveCursor: (offset) => tools.moveCursor(offset),
  pressCursor: () => tools.pressCursor(),
  finishDrawing: () => drawing.finish(),
  cancelDrawing: () => drawing.cancel(),
});

export const maskActs = ({ hangings, masks, brushing, reveal, redraw }: AnswerParts): MaskStage => ({
  setMaskQuestion: (question, classes) => {
    masks.ask(question, classes);
    redraw();
  },
  setMask: (question, mask) => {
    masks.set(question, mask);
    redraw();
  },
  mask: (question) => masks.mask(question),
  onMask: (listener) => masks.onChange(listener),
  setClass: (value) => masks.choose(value),
  setClassStyle: (value, style) => {
    masks.setStyle(value, style);
    redraw();
  },
  classStyle: (value) => masks.style(value),
  setBrush: (brush) => {
    brushing.brush = { ...brushing.brush, ...brush };
    redraw();
  },
  brush: () => brushing.brush,
  copyToSlice: (step) => {
    const { main, frames } = hangings;
    const from = main ? hangings.frameOf(main) : -1;
    const to = from + step;
    if (from < 0 || to < 0 || to >= frames.length) return;
    masks.copy(from, to);
    void reveal(to);
  },
  removeIslands: () => masks.removeIslands(),
  fillBetween: () => {
    const [column, row] = spacingOf(hangings.frames, hangings.volume);
    return masks.fillBetween([row, column]);
  },
});

export const suggestionActs = ({
  regions,
  masks,
  redraw,
}: AnswerParts): Pick<Stage, "setSuggestions" | "acceptSuggestion"> => ({
  setSuggestions: ({ regions: suggested, mask }) => {
    regions.suggest(suggested);
    if (mask) masks.suggest(mask.question, mask.mask);
    else masks.suggestNothing();
    redraw();
  },
  acceptSuggestion: (id) => {
    if (id === "mask") masks.accept();
    else regions.accept(id);
  },
});
