/** Brings the images of the session's cases on screen, the next ones ready before they are asked for. */

import type { CaseView, HangingView } from "../api/types";
import { type FrameDescription, framesOf, openingIndex } from "../images/frame";
import type { FrameStore } from "../images/store";
import { hangingOf } from "../viewer/hang";
import type { Hanging, Stage } from "../viewer/stage";
import type { ReadingSession } from "./session";
import { type RoomState, viewOf } from "./state";

/** Cases in the order of their urgency are this far apart; within one, slices by distance from the opening one. */
const CASE_STEP = 10_000;

/** From the opening image outwards. */
const outwards = (frames: readonly FrameDescription[]): FrameDescription[] => {
  const middle = openingIndex(frames);
  const distance = (frame: FrameDescription): number => Math.abs(frames.indexOf(frame) - middle);
  return [...frames].sort((a, b) => distance(a) - distance(b));
};

export class Presenter {
  readonly #session: ReadingSession;
  readonly #stage: Stage;
  readonly #store: FrameStore;
  #shown = 0;
  #ahead: readonly unknown[] = [];
  /** Of the case before: Z wants it again. */
  #lastCaseId = "";
  readonly #askHanging: (caseId: string) => Promise<HangingView>;
  /** By case: on its way, or here. */
  readonly #hangings = new Map<string, Hanging | Promise<void>>();

  constructor(
    session: ReadingSession,
    stage: Stage,
    store: FrameStore,
    askHanging: (caseId: string) => Promise<HangingView>,
  ) {
    this.#askHanging = askHanging;
    this.#session = session;
    this.#stage = stage;
    this.#store = store;
    session.subscribe(() => this.#follow());
  }

  #follow(): void {
    const { state } = this.#session;
    if (state.showing !== this.#shown) {
      this.#shown = state.showing;
      void this.#show(state);
    } else if (state.image === "shown" && state.ahead !== this.#ahead) {
      this.#prefetch();
    }
  }

  async #show(state: RoomState): Promise<void> {
    if (!state.current) return;
    try {
      const view = viewOf(state.current);
      const frames = framesOf(view);
      const index = openingIndex(frames);
      this.#store.prefetch(frames.slice(index, index + 1), 0);
      const hanging = await this.#hanging(view);
      if (this.#session.state.showing !== state.showing) return;
      await this.#stage.show(frames, index, hanging);
      await this.#session.kept();
      this.#session.desk.imageShown(state.showing);
    } catch (error) {
      this.#session.imageFailed(state.showing, error);
    }
    this.#keepUseful();
    this.#prefetch();
  }

  /** The case on screen first, then the two ahead; of a series the opening image first. */
  #prefetch(): void {
    const { current, ahead } = this.#session.state;
    this.#ahead = ahead;
    const views = [...(current ? [viewOf(current)] : []), ...ahead.map((leased) => leased.case)];
    const ordered = views.map((view) => outwards(framesOf(view)));
    for (const view of views) void this.#hanging(view);
    ordered.forEach((frames, nth) => {
      this.#store.prefetch(frames.slice(0, 1), 1 + nth);
      this.#store.prefetch(frames.slice(1), CASE_STEP * (1 + nth));
    });
  }

  #keepUseful(): void {
    const { current, ahead } = this.#session.state;
    const currentId = current ? viewOf(current).id : "";
    const held = this.#session.desk.leased?.case.id ?? "";
    const cases = new Set([currentId, held, this.#lastCaseId, ...ahead.map((leased) => leased.case.id)]);
    for (const id of this.#hangings.keys()) if (!cases.has(id)) this.#hangings.delete(id);
    const useful = new Set([...cases, ...this.#companionIds()]);
    this.#stage.forget(this.#store.keepOnly(useful));
    this.#lastCaseId = currentId;
  }

  /** Known for the cases ahead before they are opened; a case whose hanging cannot be had is a stack. */
  async #hanging({ id, modality }: CaseView): Promise<Hanging | undefined> {
    if (!this.#hangings.has(id)) {
      const asked = this.#askHanging(id)
        .then((view) => void this.#hangings.set(id, hangingOf(view, modality)))
        .catch(() => void this.#hangings.delete(id));
      this.#hangings.set(id, asked);
    }
    const known = this.#hangings.get(id);
    if (known instanceof Promise) await known;
    const found = this.#hangings.get(id);
    return found instanceof Promise ? undefined : found;
  }

  #companionIds(): string[] {
    const known = [...this.#hangings.values()].filter((one) => !(one instanceof Promise)) as Hanging[];
    return known.flatMap(({ companions }) =>
      companions.flatMap(({ frames }) => frames[0]?.address.caseId ?? []),
    );
  }
}
