/** Brings the images of the session's cases on screen, the next ones ready before they are asked for. */

import { type FrameDescription, framesOf, openingIndex } from "../images/frame";
import type { FrameStore } from "../images/store";
import type { Stage } from "../viewer/stage";
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

  constructor(session: ReadingSession, stage: Stage, store: FrameStore) {
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
      const frames = framesOf(viewOf(state.current));
      await this.#stage.show(frames, openingIndex(frames));
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
    ordered.forEach((frames, nth) => {
      this.#store.prefetch(frames.slice(0, 1), 1 + nth);
      this.#store.prefetch(frames.slice(1), CASE_STEP * (1 + nth));
    });
  }

  #keepUseful(): void {
    const { current, ahead } = this.#session.state;
    const currentId = current ? viewOf(current).id : "";
    const held = this.#session.desk.leased?.case.id ?? "";
    const useful = new Set([currentId, held, this.#lastCaseId, ...ahead.map((leased) => leased.case.id)]);
    this.#stage.forget(this.#store.keepOnly(useful));
    this.#lastCaseId = currentId;
  }
}
