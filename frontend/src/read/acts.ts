/** What keys and buttons do: the session's part, and the image's. */

import { presetsOf } from "../images/presets";
import { choicesOf } from "../protocol/types";
import { adjust } from "../viewer/gestures";
import type { Stage } from "../viewer/stage";
import { say } from "../words/say";
import type { Drawing } from "./drawing";
import type { RoomActions } from "./keys";
import type { Forms } from "./panels/screen";
import type { Proposals } from "./proposals";
import type { ReadingSession } from "./session";
import { FLAG_REASONS, SKIP_REASONS, UNREADABLE_REASONS } from "./skips";
import { activeStop, viewOf } from "./state";
import { changeTheme } from "./theme";

/** The image's side, once there is one. */
export interface Bench {
  readonly stage: Stage;
  readonly drawing: Drawing;
  readonly proposals: Proposals;
}

export interface ActParts {
  readonly session: ReadingSession;
  readonly bench: () => Bench | null;
  readonly forms: () => Forms;
}

/** Digits answer; where something is drawn they choose what is drawn next. */
const choose = ({ session, bench }: ActParts, nth: number): void => {
  const question = activeStop(session.state)?.question;
  const choice = question && choicesOf(question)[nth];
  const isDrawn = question && ("labels" in question || "classes" in question);
  if (isDrawn && choice) bench()?.drawing.choose(question, choice.value);
  else session.desk.choose(nth);
};

/** A polygon that is half drawn is closed first; a dialog's form is sent. */
const confirm = ({ session, bench, forms }: ActParts): void => {
  const { state } = session;
  const { stage, drawing } = bench() ?? {};
  if (state.dialog === "remark") session.flow.remark("", forms().comment, addressee(session, forms()));
  else if (stage?.view()?.isDrawing) stage.finishDrawing();
  else if (state.current?.kind === "asked") void session.reply(forms().comment);
  else {
    drawing?.flush();
    session.confirm();
  }
};

const addressee = ({ state }: ReadingSession, { to }: Forms): string =>
  to === "" ? (state.remarks?.colleagues[0]?.id ?? "") : to;

/** Give up what is half done: a dialog, a region, a visit to another case. */
const giveUp = ({ session, bench }: ActParts): void => {
  const isOver =
    session.state.dialog !== "none" || session.state.lost !== null || session.state.feedback !== null;
  if (isOver || !bench()?.stage.cancelDrawing()) session.escape();
};

/** A reason in the dialog that is open. */
const pick = ({ session, forms }: ActParts, nth: number): void => {
  const { dialog, remarkKind } = session.state;
  const { comment } = forms();
  const skipped = { skip: SKIP_REASONS, unreadable: UNREADABLE_REASONS }[dialog as string]?.[nth];
  if (skipped) session.skip(skipped.value, comment.trim());
  const flagged = dialog === "remark" && remarkKind === "flag" ? FLAG_REASONS[nth] : undefined;
  if (flagged) session.flow.remark(flagged.value, comment, "");
};

const preset = ({ session, bench }: ActParts, nth: number): void => {
  const { current } = session.state;
  const { stage } = bench() ?? {};
  const wanted = current ? presetsOf(viewOf(current).modality)[nth] : undefined;
  if (wanted?.window && stage?.view()?.isTabled) session.tell(say("no_preset"));
  else if (wanted?.window) stage?.setWindow(wanted.window);
  else if (wanted) stage?.reset();
};

const nextLayout = ({ session, bench }: ActParts): void => {
  const { stage } = bench() ?? {};
  const view = stage?.view();
  if (!stage || !view) return;
  const next = view.layouts[(view.layouts.indexOf(view.layout) + 1) % view.layouts.length];
  if (next && next !== view.layout) void stage.setLayout(next);
  else session.tell(stage.layoutProblem("mpr"));
};

/** A point at the cross where something is drawn; else a film plays or stops. */
const press = ({ bench }: ActParts): void => {
  const { stage, drawing } = bench() ?? {};
  const cine = stage?.view()?.cine;
  if (drawing?.isDrawing) stage?.pressCursor();
  else if (cine) (cine.isPlaying ? stage?.pause : stage?.play)?.call(stage);
};

const scroll = ({ bench }: ActParts, slices: number): void => {
  const { stage } = bench() ?? {};
  const view = stage?.view();
  if (view) void stage?.goTo(Math.min(view.count - 1, Math.max(0, view.index + slices)));
};

const sessionActs = (parts: ActParts) => {
  const { session } = parts;
  return {
    choose: (nth: number) => choose(parts, nth),
    turn: (step: 1 | -1) => session.desk.turn(step),
    confirm: () => confirm(parts),
    back: () => void session.back(),
    escape: () => giveUp(parts),
    open: (dialog) => session.openDialog(dialog),
    pick: (nth: number) => pick(parts, nth),
    remark: (kind) => session.flow.openRemark(kind),
    suggest: () => {
      parts.bench()?.proposals.bringBack();
      session.desk.seeing.ask();
    },
    takeSuggestion: () => parts.bench()?.proposals.take(),
    takeAll: () => parts.bench()?.proposals.takeAll(),
    leaveSuggestion: () => parts.bench()?.proposals.leave(),
    nextSuggestion: () => parts.bench()?.proposals.next(),
    takeBack: () => session.desk.takeBack(),
    changeTheme,
  } satisfies Partial<RoomActions>;
};

const drawingActs = ({ bench }: ActParts) =>
  ({
    use: (tool) => bench()?.drawing.use(tool),
    draw: () => bench()?.drawing.draw(),
    removeRegion: () => bench()?.drawing.remove(),
    nextRegion: () => bench()?.drawing.selectNext(),
    erase: () => bench()?.drawing.erase(),
    brush: (factor: number) => bench()?.drawing.resize(factor),
    undo: () => void bench()?.stage.undo(),
    redo: () => void bench()?.stage.redo(),
  }) satisfies Partial<RoomActions>;

const imageActs = (parts: ActParts) => {
  const { bench } = parts;
  return {
    adjust: (right: number, down: number) => {
      const { stage } = bench() ?? {};
      if (stage) adjust(stage, stage.view()?.tool ?? "window", [right, down]);
    },
    press: () => press(parts),
    zoom: (factor: number) => bench()?.stage.zoomBy(factor),
    scroll: (slices: number) => scroll(parts, slices),
    preset: (nth: number) => preset(parts, nth),
    rotate: () => bench()?.stage.rotate(),
    flip: (direction) => bench()?.stage.flip(direction),
    invert: () => bench()?.stage.invert(),
    fit: () => bench()?.stage.reset(),
    layout: () => nextLayout(parts),
    turnPlanes: (degrees: number) => void bench()?.stage.turnPlanes(degrees),
  } satisfies Partial<RoomActions>;
};

export const actsOf = (parts: ActParts): RoomActions => ({
  ...sessionActs(parts),
  ...drawingActs(parts),
  ...imageActs(parts),
});
