/** What the reading room knows: one immutable value, from which everything on screen follows. */

import type { Answers, CaseView, LeasedCase, PastReading, Progress, Protocol, Question } from "../api/types";
import type { ConnectionState } from "./connection";
import type { DraftState } from "./drafts";

/** The case on screen: a leased one, or the reader's last reading opened again. */
export type Current =
  | { readonly kind: "case"; readonly leased: LeasedCase }
  | { readonly kind: "past"; readonly past: PastReading };

/** An answer that the server did not take because the case went to somebody else. */
export interface Lost {
  readonly caseId: string;
  readonly number: number;
  /** What was answered, in the words of the choices; empty where nothing was. */
  readonly answer: string;
}

export type Phase =
  | "loading" // the first work list is on its way
  | "reading"
  | "waiting" // all that was at hand is answered; more may come
  | "empty" // nothing is left
  | "error"; // cannot go on without the reader

export type ImageState = "loading" | "shown" | "failed";

export interface Notice {
  readonly text: string;
  readonly tone: "plain" | "warn" | "bad";
}

export type Dialog = "none" | "keys" | "skip";

export interface RoomState {
  readonly phase: Phase;
  readonly current: Current | null;
  /** Grows whenever an image must be brought on screen. */
  readonly showing: number;
  readonly answers: Answers;
  /** Index of the question that digits answer. */
  readonly activeQuestion: number;
  readonly ahead: readonly LeasedCase[];
  readonly progress: Progress | null;
  /** Cases that wait for anybody, and those that this reader holds. */
  readonly left: number;
  readonly connection: ConnectionState;
  /** Answers that are not acknowledged yet. */
  readonly pending: number;
  readonly hasSaved: boolean;
  readonly draft: DraftState;
  readonly image: ImageState;
  readonly imageError: string;
  readonly error: string;
  readonly lost: Lost | null;
  readonly notice: Notice | null;
  readonly dialog: Dialog;
}

export const FIRST_STATE: RoomState = {
  phase: "loading",
  current: null,
  showing: 0,
  answers: {},
  activeQuestion: 0,
  ahead: [],
  progress: null,
  left: 0,
  connection: "online",
  pending: 0,
  hasSaved: false,
  draft: "clean",
  image: "loading",
  imageError: "",
  error: "",
  lost: null,
  notice: null,
  dialog: "none",
};

export const viewOf = (current: Current): CaseView =>
  current.kind === "case" ? current.leased.case : current.past.case;

export const protocolOf = (current: Current): Protocol =>
  current.kind === "case" ? current.leased.protocol : current.past.protocol;

export const questionsOf = (state: RoomState): readonly Question[] =>
  state.current ? protocolOf(state.current).questions : [];

/** The index of the first question without an answer; -1 where all have one. */
export const firstOpen = (questions: readonly Question[], answers: Answers): number =>
  questions.findIndex(({ key }) => answers[key] === undefined);

/** Answers in the words of the choices, for messages. */
export const inWords = (protocol: Protocol | undefined, answers: Answers): string =>
  Object.entries(answers)
    .map(([key, value]) => {
      const question = protocol?.questions.find((one) => one.key === key);
      return question?.choices.find((choice) => choice.value === value)?.label ?? value;
    })
    .join(", ");

/** Answers that a protocol still offers. */
export const stillValid = (protocol: Protocol, answers: Answers): Answers =>
  Object.fromEntries(
    Object.entries(answers).filter(([key, value]) =>
      protocol.questions.some(
        (one) => one.key === key && one.choices.some((choice) => choice.value === value),
      ),
    ),
  );
