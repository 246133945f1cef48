/** What the reading room asks of a viewer, whatever draws the pixels. */

import type { Mask } from "../geometry/mask";
import type { DrawnRegion } from "../geometry/region";
import type { SlabMode } from "../geometry/volume";
import type { FrameDescription } from "../images/frame";
import type { Window } from "../images/pixels";

/** What the main button (and a pen, a finger) does. */
export const POINTER_TOOLS = ["window", "zoom", "pan", "scroll", "magnify", "probe"] as const;

/** Regions; "cobb" draws an angle of two lines. */
export const REGION_TOOLS = [
  "point",
  "line",
  "bidirectional",
  "angle",
  "cobb",
  "box",
  "ellipse",
  "polygon",
  "freehand",
] as const;

/** Segmentation. The threshold brush paints only where values lie in the brush's range; scissors fill what is drawn around. */
export const MASK_TOOLS = ["brush", "sphere", "eraser", "threshold", "scissors"] as const;

export type PointerTool = (typeof POINTER_TOOLS)[number];
export type RegionTool = (typeof REGION_TOOLS)[number];
export type MaskTool = (typeof MASK_TOOLS)[number];
export type ToolName = PointerTool | RegionTool | MaskTool;

/** priors: the case and an earlier study side by side. four-up: the four views of a mammography. */
export type LayoutName = "stack" | "mpr" | "priors" | "four-up";

/** What is on screen now. */
export interface View {
  readonly frameId: string;
  readonly index: number;
  readonly count: number;
  /** Frames of the case whose pixels are here. */
  readonly loaded: number;
  readonly window: Window;
  /** 1 = the whole image fits. */
  readonly zoom: number;
  readonly isInverted: boolean;
  /** Degrees clockwise: 0, 90, 180, 270. */
  readonly rotation: number;
  readonly isFlippedHorizontally: boolean;
  readonly isFlippedVertically: boolean;
  readonly isColour: boolean;
  /** A VOI LUT stands between: the window is of its output, and no window of the modality fits. */
  readonly isTabled: boolean;
  readonly layout: LayoutName;
  /** Layouts that this case can have; why another cannot be had is said by layoutProblem. */
  readonly layouts: readonly LayoutName[];
  /** Planes were turned away from the acquisition's axes. */
  readonly isTurned: boolean;
  readonly slab: { readonly millimetres: number; readonly mode: SlabMode };
  /** null: one frame, or frames that are not a film. */
  readonly cine: { readonly isPlaying: boolean; readonly framesPerSecond: number } | null;
  readonly tool: ToolName;
  /** Whether lengths here are in mm of the patient, only inside calibrated regions, at the detector, or in pixels. */
  readonly lengths: "patient" | "region" | "detector" | "pixels";
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Region that is chosen, "" for none. */
  readonly selected: string;
  /** A region is half drawn. */
  readonly isDrawing: boolean;
}

/** A place on the screen, CSS pixels from the stage's top left. */
export type ScreenPoint = readonly [number, number];

/** One class of a segmentation question. */
export interface MaskClass {
  readonly value: string;
  readonly label: string;
  /** CSS colour. */
  readonly colour: string;
}

export interface MaskClassStyle {
  readonly isLocked: boolean;
  readonly isVisible: boolean;
  /** 0 – 1. */
  readonly opacity: number;
}

export interface Brush {
  readonly diameterMm: number;
  /** Modality values that the threshold brush takes, both included. */
  readonly lowest: number;
  readonly highest: number;
}

/** What a model proposes: drawn dashed, never edited, an answer only once accepted. */
export interface Suggestions {
  readonly regions: readonly DrawnRegion[];
  readonly mask: { readonly question: string; readonly mask: Mask } | null;
}

export interface RegionsChange {
  /** All regions of the case as they are now. */
  readonly regions: readonly DrawnRegion[];
  readonly id: string;
  readonly how: "added" | "changed" | "removed";
}

/** Other series that can be hung beside the case's own. */
export interface Companion {
  readonly seriesInstanceUid: string;
  /** As a caption, such as "2019-03-02" or "R CC". */
  readonly label: string;
  readonly isPrior: boolean;
  readonly laterality: string;
  readonly viewPosition: string;
  readonly frames: readonly FrameDescription[];
}

/** How a case is first shown; a layout that it cannot have is a stack. */
export interface Hanging {
  readonly layout: LayoutName;
  /** null: the image's own. */
  readonly window: Window | null;
  /** A film starts by itself. */
  readonly play: boolean;
  readonly companions: readonly Companion[];
}

/** Drawing regions: all that works without WebGL2 too. Coordinates are SCOORD (geometry/region.ts). */
export interface RegionStage {
  /** What the next region answers; the tool stays as it is. null: nothing may be drawn. */
  setActiveLabel(
    target: { readonly question: string; readonly label: string; readonly colour: string } | null,
  ): void;
  /** All regions of the case, as the answers have them: after show() and after each change made elsewhere. */
  setRegions(regions: readonly DrawnRegion[]): void;
  /** Told after each finished act: a drag is one. */
  onRegions(listener: (change: RegionsChange) => void): void;
  /** Choose a region and go to its frame. */
  select(regionId: string): void;
  remove(regionId: string): void;
  /** Drawing by keys: a cross that moves by screen pixels; press does what a click there would. */
  moveCursor(offset: ScreenPoint): void;
  pressCursor(): void;
  /** Close the polygon that is half drawn. */
  finishDrawing(): void;
  /** Give up what is half drawn, else let go of the chosen region. Returns whether there was either. */
  cancelDrawing(): boolean;
}

/** Segmentation; one question at a time is painted. */
export interface MaskStage {
  /** The question that is painted and its classes; show() forgets it. */
  setMaskQuestion(question: string, classes: readonly MaskClass[]): void;
  /** null: nothing is painted yet. */
  setMask(question: string, mask: Mask | null): void;
  mask(question: string): Mask | null;
  /** Told after each stroke; encoding waits until mask() is asked. */
  onMask(listener: (question: string) => void): void;
  setClass(value: string): void;
  setClassStyle(value: string, style: Partial<MaskClassStyle>): void;
  classStyle(value: string): MaskClassStyle;
  setBrush(brush: Partial<Brush>): void;
  brush(): Brush;
  /** Paint the active class of this slice on the next one (1) or the one before (-1), and go there. */
  copyToSlice(step: 1 | -1): void;
  /** Keep only the largest connected part of the active class in 3D. Returns how many voxels went. */
  removeIslands(): number;
  /** Fill the slices between painted ones of the active class, by shape. Returns how many slices were filled. */
  fillBetween(): number;
}

export interface Stage extends RegionStage, MaskStage {
  /**
   * Show a case's frames from one on; settles when that frame's pixels are on screen, rejects if they cannot be.
   * Another case: regions, masks, suggestions and what can be undone are forgotten at once (set them after this call).
   */
  show(frames: readonly FrameDescription[], index: number, hanging?: Hanging): Promise<void>;
  goTo(index: number): Promise<void>;
  setWindow(window: Window): void;
  /** Make everything larger by a factor, around a place that stays where it is. */
  zoomBy(factor: number, around?: ScreenPoint): void;
  panBy(offset: ScreenPoint): void;
  invert(): void;
  /** By 90° clockwise. */
  rotate(): void;
  flip(direction: "horizontal" | "vertical"): void;
  /** The whole image, as it was first shown. */
  reset(): void;
  view(): View | undefined;
  /** Forget decoded images. */
  forget(frameIds: readonly string[]): void;

  use(tool: ToolName): void;
  /** Undo or redo the last act on this case: goes to its slice first. Settles when it is on screen. */
  undo(): Promise<void>;
  redo(): Promise<void>;

  setLayout(layout: LayoutName): Promise<void>;
  /** Why this case cannot have the layout, in words; "" where it can. */
  layoutProblem(layout: LayoutName): string;
  /** Turn the planes that cross the active one, clockwise as they are seen there; reset() puts them back. */
  turnPlanes(degrees: number): Promise<void>;
  setSlab(millimetres: number, mode: SlabMode): void;
  setCompanions(companions: readonly Companion[]): void;
  play(framesPerSecond?: number): void;
  pause(): void;

  setSuggestions(suggestions: Suggestions): void;
  /** Make a suggested region (by id) or the suggested mask ("mask") an answer: its origin stays "suggestion" until edited. */
  acceptSuggestion(id: string): void;
}
