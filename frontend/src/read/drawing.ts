/** Between the stage and the answers: what is drawn or painted becomes an answer, and answers are drawn again. */

import type { Region } from "../geometry/region";
import { type FrameDescription, frameIndexOf, framesOf, imageKeyOf } from "../images/frame";
import { regionsIn } from "../protocol/regions";
import {
  type Answer,
  choicesOf,
  isRegionQuestion,
  type Question,
  type RegionQuestion,
  type SegmentationQuestion,
} from "../protocol/types";
import {
  MASK_TOOLS,
  type PointerTool,
  REGION_TOOLS,
  type RegionsChange,
  type Stage,
  type ToolName,
} from "../viewer/stage";
import { drawnRegions, isDrawn, maskIn, painted } from "./drawn";
import { colourIn } from "./palette";
import type { ReadingSession } from "./session";
import { activeStop, questionsOf, viewOf } from "./state";

/** Encoding a mask waits for a pause between strokes, at most this long. */
const ENCODE_AFTER_MS = 300;

const isPainted = (question: Question): question is SegmentationQuestion => question.kind === "segmentation";

export class Drawing {
  readonly #session: ReadingSession;
  readonly #stage: Stage;
  readonly #changed: () => void;
  /** Answers as the stage has them, by question. */
  readonly #drawn = new Map<string, Answer | undefined>();
  /** Label or class that is drawn next, by question. */
  readonly #pens = new Map<string, string>();
  #frames: readonly FrameDescription[] = [];
  #showing = 0;
  #isReady = false;
  #armed = "";
  #painted = "";
  #selected = "";
  #pointer: PointerTool = "window";
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /** changed: the pens have changed, which no state tells. */
  constructor(session: ReadingSession, stage: Stage, changed: () => void) {
    this.#session = session;
    this.#stage = stage;
    this.#changed = changed;
    stage.onRegions((change) => this.#regionsChanged(change));
    stage.onMask((question) => this.#strokeMade(question));
    session.subscribe(() => this.#follow());
  }

  /** The frame on screen, for measures. */
  frame(image: string, frame: number): FrameDescription | undefined {
    return this.#frames[this.placeOf(image, frame) - 1];
  }

  /** Where a frame is among the case's, from 1. */
  placeOf(image: string, frame: number): number {
    return frameIndexOf(this.#frames, image, frame) + 1;
  }

  get imageCount(): number {
    return this.#frames.length;
  }

  /** What the next region or stroke of a question is. */
  penOf(question: Question): string {
    return this.#pens.get(question.key) ?? choicesOf(question)[0]?.value ?? "";
  }

  /** Choose the label or class that is drawn next; a chosen region of the question gets it. */
  choose(question: Question, value: string): void {
    this.#pens.set(question.key, value);
    this.#relabel(question, value);
    this.#arm(question);
    this.#changed();
  }

  /** The main button does this now; it is what it does again when nothing is to be drawn. */
  use(tool: ToolName): void {
    if (!DRAWING.has(tool)) this.#pointer = tool as PointerTool;
    this.#stage.use(tool);
    this.#changed();
  }

  /** Draw for the active question, or for the first that wants it. */
  draw(): void {
    const { state } = this.#session;
    const active = activeStop(state)?.question;
    const wanted = active && isDrawn(active) ? active : questionsOf(state).find(isDrawn);
    if (!wanted) return;
    this.#session.desk.activate(wanted.key);
    this.#arm(wanted);
    this.#changed();
  }

  /** Whether what the main button does now draws or paints. */
  get isDrawing(): boolean {
    return DRAWING.has(this.#stage.view()?.tool ?? "window");
  }

  /** The eraser, or the brush again; only where a mask is asked. */
  erase(): void {
    if (activeStop(this.#session.state)?.question.kind !== "segmentation") return;
    this.use(this.#stage.view()?.tool === "eraser" ? "brush" : "eraser");
  }

  resize(factor: number): void {
    this.#stage.setBrush({ diameterMm: Math.min(80, Math.max(1, this.#stage.brush().diameterMm * factor)) });
    this.#changed();
  }

  select(region: string): void {
    this.#stage.select(region);
    this.#session.desk.look({ ...this.#session.state.spot, region });
  }

  selectNext(): void {
    const drawn = questionsOf(this.#session.state).filter(isRegionQuestion);
    const all = drawn.flatMap(({ key }) => [...regionsIn(this.#session.state.answers, key)]);
    const here = all.findIndex(({ id }) => id === this.#session.state.spot.region);
    const next = all[(here + 1) % Math.max(1, all.length)];
    if (next) this.select(next.id);
  }

  remove(region = this.#session.state.spot.region): void {
    if (region !== "") this.#stage.remove(region);
  }

  /** The stage shows something else: another image, another region is chosen. */
  viewed(): void {
    const view = this.#stage.view();
    const frame = this.#frames.find(({ id }) => id === view?.frameId);
    if (!view || !frame) return;
    const { spot } = this.#session.state;
    const region = view.selected === this.#selected ? spot.region : view.selected;
    this.#selected = view.selected;
    this.#session.desk.look({ region, image: imageKeyOf(frame) });
  }

  /** Take over the last stroke before something is sent or the page goes away. */
  flush(): void {
    if (this.#waiting === undefined) return;
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#takeMask(this.#painted);
  }

  #follow(): void {
    const { state } = this.#session;
    if (state.showing !== this.#showing) {
      this.#showing = state.showing;
      this.#isReady = false;
      this.#armed = "";
      this.#selected = "";
      this.#drawn.clear();
      this.#frames = state.current ? framesOf(viewOf(state.current)) : [];
    }
    if (state.image !== "shown") return;
    if (!this.#isReady) this.#begin();
    this.#redraw();
    this.#armActive();
  }

  /** A case is on screen: its drawings come back. */
  #begin(): void {
    this.#isReady = true;
    const painted = questionsOf(this.#session.state).find(isPainted);
    if (painted) this.#paint(painted);
    this.#stage.use(this.#pointer);
    this.viewed();
  }

  /** Draw what was answered elsewhere: by a draft, another window, a panel. */
  #redraw(): void {
    const { answers } = this.#session.state;
    const drawable = questionsOf(this.#session.state).filter(isDrawn);
    const differing = drawable.filter(({ key }) => this.#drawn.get(key) !== answers[key]);
    for (const { key } of differing) this.#drawn.set(key, answers[key]);
    if (differing.some(isRegionQuestion))
      this.#stage.setRegions(drawnRegions(questionsOf(this.#session.state), answers));
    for (const question of differing.filter(isPainted)) {
      if (question.key === this.#painted)
        this.#stage.setMask(question.key, maskIn(this.#session.state.answers[question.key]));
    }
  }

  /** A question that is drawn takes the main button when the keyboard comes to it, and gives it back after. */
  #armActive(): void {
    const stop = activeStop(this.#session.state);
    const key = stop && stop.region === "" ? stop.question.key : (stop?.path.split("/")[0] ?? "");
    if (key === this.#armed) return;
    const question = questionsOf(this.#session.state).find((one) => one.key === key);
    const wasDrawing = this.#armed !== "" && this.isDrawing;
    this.#armed = key;
    if (question && isDrawn(question)) this.#arm(question);
    else this.#disarm(wasDrawing);
  }

  #colour(question: Question, value: string): string {
    return colourIn(questionsOf(this.#session.state), question.key, value);
  }

  #disarm(wasDrawing: boolean): void {
    this.#stage.setActiveLabel(null);
    if (wasDrawing) this.#stage.use(this.#pointer);
  }

  #arm(question: Question): void {
    if (isRegionQuestion(question)) this.#armRegion(question);
    else if (isPainted(question)) {
      if (question.key !== this.#painted) this.#paint(question);
      this.#stage.setClass(this.penOf(question));
      if (!PAINTING.has(this.#stage.view()?.tool ?? "window")) this.#stage.use("brush");
    }
  }

  #armRegion(question: RegionQuestion): void {
    const label = this.penOf(question);
    this.#stage.setActiveLabel({ question: question.key, label, colour: this.#colour(question, label) });
    this.#stage.use(question.kind);
  }

  #paint(question: SegmentationQuestion): void {
    this.#painted = question.key;
    const classes = question.classes.map(({ value, label }) => ({
      value,
      label,
      colour: this.#colour(question, value),
    }));
    this.#stage.setMaskQuestion(question.key, classes);
    this.#stage.setMask(question.key, maskIn(this.#session.state.answers[question.key]));
    this.#stage.setClass(this.penOf(question));
  }

  #relabel(question: Question, label: string): void {
    const { answers, spot } = this.#session.state;
    const regions = regionsIn(answers, question.key);
    if (!isRegionQuestion(question) || !regions.some(({ id }) => id === spot.region)) return;
    const relabelled = regions.map((region) => (region.id === spot.region ? renamed(region, label) : region));
    this.#session.desk.drawn(question.key, relabelled, spot.region);
  }

  #regionsChanged({ regions, id, how }: RegionsChange): void {
    const { answers } = this.#session.state;
    const changed = questionsOf(this.#session.state)
      .filter(isRegionQuestion)
      .filter(({ key }) => {
        const isThere = regions.some(({ question, region }) => question === key && region.id === id);
        return isThere || regionsIn(answers, key).some((region) => region.id === id);
      });
    for (const { key } of changed) {
      const mine = regions
        .filter(({ question }) => question === key)
        .map(({ region }) => this.#kept(key, region));
      const answer = mine.length > 0 ? mine : undefined;
      this.#drawn.set(key, answer);
      this.#session.desk.drawn(key, answer, how === "removed" ? "" : id);
    }
  }

  /** The stage knows where a region is; its attributes are the panel's. */
  #kept(key: string, region: Region): Region {
    const known = regionsIn(this.#session.state.answers, key).find(({ id }) => id === region.id);
    return known ? { ...region, attributes: known.attributes } : region;
  }

  #strokeMade(question: string): void {
    this.#painted = question;
    this.#waiting ??= setTimeout(() => this.flush(), ENCODE_AFTER_MS);
  }

  #takeMask(question: string): void {
    const mask = this.#stage.mask(question);
    const answer = mask ? painted(mask) : undefined;
    this.#drawn.set(question, answer);
    this.#session.desk.painted(question, answer);
  }
}

/** A suggestion with another label is the reader's work too. */
const renamed = (region: Region, label: string): Region => ({
  ...region,
  label,
  origin: region.origin === "suggestion" && region.label !== label ? "edited" : region.origin,
});

const PAINTING: ReadonlySet<ToolName> = new Set(MASK_TOOLS);
const DRAWING: ReadonlySet<ToolName> = new Set([...REGION_TOOLS, ...MASK_TOOLS]);
