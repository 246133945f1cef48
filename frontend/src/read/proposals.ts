/** What the model would draw, as the reader may see it: on the stage dashed, one region at a time to be judged. */

import type { DrawnSuggestion } from "../api/types";
import type { DrawnRegion, Region } from "../geometry/region";
import { isMask } from "../protocol/masks";
import { isRegion, regionsIn } from "../protocol/regions";
import { isRegionQuestion, type RegionQuestion } from "../protocol/types";
import { ALL } from "../viewer/regions";
import type { Stage, Suggestions } from "../viewer/stage";
import type { Drawing } from "./drawing";
import { colourIn } from "./palette";
import type { ReadingSession } from "./session";
import { activeStop, drawnShown, questionsOf } from "./state";

/** Of the region that the keys speak of. */
const CHOSEN = "#ffffff";
const MASK = "mask";

/** A region that is neither taken nor left out. */
export interface Candidate {
  readonly question: RegionQuestion;
  readonly region: Region;
  /** How sure the model is, 0 – 1. */
  readonly score: number;
}

const isFound = ({ answer }: DrawnSuggestion): boolean =>
  Array.isArray(answer) ? answer.length > 0 : isMask(answer);

export class Proposals {
  readonly #session: ReadingSession;
  readonly #stage: Stage;
  readonly #drawing: Drawing;
  readonly #changed: () => void;
  /** Ids of regions, and keys of questions whose mask was left out. */
  readonly #left = new Set<string>();
  #chosen = "";
  #showing = 0;
  #drawn = "";

  /** changed: what is chosen or left out, which no state tells. */
  constructor(session: ReadingSession, stage: Stage, drawing: Drawing, changed: () => void) {
    this.#session = session;
    this.#stage = stage;
    this.#drawing = drawing;
    this.#changed = changed;
    session.subscribe(() => this.#follow());
  }

  /** What is proposed for a question and may be seen; undefined where nothing is. */
  shown(key: string): DrawnSuggestion | undefined {
    return drawnShown(this.#session.state).find(({ question }) => question === key);
  }

  /** Regions that wait to be judged, the surest first. */
  get candidates(): readonly Candidate[] {
    const { state } = this.#session;
    return drawnShown(state).flatMap(({ question: key, answer, scores }) => {
      const question = questionsOf(state).find((one) => one.key === key);
      if (!question || !isRegionQuestion(question) || !Array.isArray(answer)) return [];
      const known = new Set(regionsIn(state.answers, key).map(({ id }) => id));
      return answer
        .filter((one): one is Region => isRegion(question.kind, one))
        .filter(({ id }) => !known.has(id) && !this.#left.has(id))
        .map((region) => ({ question, region, score: scores[region.id] ?? 0 }));
    });
  }

  /** The region that the keys speak of. */
  get candidate(): Candidate | undefined {
    const all = this.candidates;
    return all.find(({ region }) => region.id === this.#chosen) ?? all[0];
  }

  /** The proposed mask that waits to be judged. */
  get mask(): DrawnSuggestion | undefined {
    const { taken, answers } = this.#session.state;
    const isTaken = (key: string): boolean => taken.includes(key) && answers[key] !== undefined;
    return drawnShown(this.#session.state).find(
      (one) => isMask(one.answer) && !this.#left.has(one.question) && !isTaken(one.question),
    );
  }

  /** Whether a question's proposal holds anything. */
  isEmpty(key: string): boolean {
    const shown = this.shown(key);
    return shown !== undefined && !isFound(shown);
  }

  take(): void {
    if (!this.#session.desk.canAnswer()) return;
    const { candidate, mask } = this;
    if (mask && (!candidate || this.#isPainting())) this.#takeMask(mask);
    else if (candidate) this.#judge(candidate, () => this.#accept(candidate.region.id));
  }

  /** All that remain, as one act. */
  takeAll(): void {
    if (!this.#session.desk.canAnswer()) return;
    if (this.candidates.length > 0) this.#accept(ALL);
    else if (this.mask) this.#takeMask(this.mask);
  }

  leave(): void {
    const { candidate, mask } = this;
    if (mask && (!candidate || this.#isPainting())) this.#left.add(mask.question);
    else if (candidate) this.#judge(candidate, () => this.#left.add(candidate.region.id));
    this.#show();
  }

  next(): void {
    const all = this.candidates;
    const here = all.findIndex(({ region }) => region.id === this.candidate?.region.id);
    this.#choose(all[(here + 1) % Math.max(1, all.length)]);
  }

  /** What was left out is proposed again. */
  bringBack(): void {
    this.#left.clear();
    this.#show();
  }

  #isPainting(): boolean {
    return activeStop(this.#session.state)?.question.kind === "segmentation";
  }

  /** In the colour of its label: white is only for what is being judged. */
  #accept(id: string): void {
    this.#stage.setSuggestions(this.#suggestions(""));
    this.#stage.acceptSuggestion(id);
  }

  #takeMask({ question }: DrawnSuggestion): void {
    this.#stage.acceptSuggestion(MASK);
    this.#drawing.flush();
    this.#session.desk.seeing.took(question);
  }

  /** Judge one region, and go on to the one after it. */
  #judge({ region }: Candidate, act: () => void): void {
    const all = this.candidates;
    const here = all.findIndex((one) => one.region.id === region.id);
    const after = all[here + 1] ?? all[here - 1];
    act();
    this.#choose(after);
  }

  #choose(candidate: Candidate | undefined): void {
    this.#chosen = candidate?.region.id ?? "";
    this.#show();
    if (!candidate) return;
    const { image, frame } = candidate.region;
    const place = this.#drawing.placeOf(image, frame ?? 1) - 1;
    if (place >= 0) void this.#stage.goTo(place);
  }

  #follow(): void {
    const { state } = this.#session;
    if (state.showing !== this.#showing) {
      this.#showing = state.showing;
      this.#left.clear();
      this.#chosen = "";
      this.#drawn = "";
    }
    if (state.image === "shown") this.#show();
  }

  /** Put on the stage what is proposed now, where that has changed. */
  #show(): void {
    const { candidate, mask } = this;
    const ids = this.candidates.map(({ region }) => region.id);
    const now = [candidate?.region.id ?? "", mask?.question ?? "", ...ids].join();
    if (now === this.#drawn) return;
    this.#drawn = now;
    this.#stage.setSuggestions(this.#suggestions());
    this.#changed();
  }

  #suggestions(chosen = this.candidate?.region.id ?? ""): Suggestions {
    const questions = questionsOf(this.#session.state);
    const { mask } = this;
    const drawn = ({ question, region }: Candidate): DrawnRegion => ({
      question: question.key,
      kind: question.kind,
      colour: region.id === chosen ? CHOSEN : colourIn(questions, question.key, region.label),
      region: { ...region, frame: region.frame ?? 1, attributes: region.attributes ?? {} },
    });
    return {
      regions: this.candidates.map(drawn),
      mask: mask && isMask(mask.answer) ? { question: mask.question, mask: mask.answer } : null,
    };
  }
}
