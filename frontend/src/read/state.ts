/** What the reading room knows: one immutable value, from which everything on screen follows. */

import type {
  Asked,
  CaseView,
  DrawnSuggestion,
  Halt,
  LeasedCase,
  PastReading,
  Practice,
  Progress,
  Protocol,
  RemarkKind,
  Remarks,
  Seen,
  Suggestion,
  Today,
  Told,
  When,
} from "../api/types";
import { askedOf } from "../protocol/conditions";
import { type Problem, type ProblemCode, problemsOf } from "../protocol/problems";
import { type Answer, type Answers, choicesOf, isPlain, type Question } from "../protocol/types";
import { say, type WordKey } from "../words/say";
import type { ConnectionState } from "./connection";
import type { DraftState } from "./drafts";
import { type KeyChanges, NO_CHANGES } from "./keys";
import { type Spot, type Stop, stopsOf } from "./stops";

/** The case on screen: a leased one, an own reading opened again, or one that a colleague asks about. */
export type Current =
  | { readonly kind: "case"; readonly leased: LeasedCase }
  | { readonly kind: "past"; readonly past: PastReading }
  | { readonly kind: "asked"; readonly asked: Asked };

/** An answer that the server did not take because the case went to somebody else. */
export interface Lost {
  readonly caseId: string;
  readonly number: number;
  /** What was answered, in the words of the choices; empty where nothing was. */
  readonly answer: string;
}

/** What is told after a case of known answer: it lies over the next one until the reader goes on. */
export interface Feedback {
  readonly caseId: string;
  readonly number: number;
  readonly protocol: Protocol | null;
  readonly told: Told;
}

export type Phase =
  | "loading" // the first work list is on its way
  | "reading"
  | "keeping" // the last at hand is answered, and not on the disk yet
  | "waiting" // all that was at hand is answered; more may come
  | "empty" // nothing is left
  | "error"; // cannot go on without the reader

export type ImageState = "loading" | "shown" | "failed";

export interface Notice {
  readonly text: string;
  readonly tone: "plain" | "warn" | "bad";
}

export type Dialog = "none" | "keys" | "skip" | "unreadable" | "remark" | "today" | "asked";

/** A reading that was sent by one key alone: it can be taken back while this is shown. */
export interface Undo {
  readonly number: number;
  readonly answer: string;
}

export interface RoomState {
  readonly phase: Phase;
  readonly current: Current | null;
  /** Grows whenever an image must be brought on screen. */
  readonly showing: number;
  /** All that was entered, also to questions that are not asked any more: it comes back when they are. */
  readonly answers: Answers;
  /** Path of the stop that digits answer. */
  readonly active: string;
  /** Grows whenever the keyboard's focus must follow the active stop. */
  readonly focusing: number;
  readonly spot: Spot;
  /** Enter was pressed and there was something to mend: problems are shown until there is none. */
  readonly isChecked: boolean;
  /** When the suggestion was first on screen; null: not yet. */
  readonly seen: Seen | null;
  /** When each proposed drawing was first on screen, by question. */
  readonly drawnSeen: Readonly<Record<string, When>>;
  /** Questions whose proposed mask was taken. */
  readonly taken: readonly string[];
  /** Own answers that gave way to newer ones of another window. */
  readonly rival: Answers | null;
  readonly undo: Undo | null;
  readonly ahead: readonly LeasedCase[];
  readonly progress: Progress | null;
  /** Why no case is given though some may wait. */
  readonly halt: Halt | null;
  /** How far a new reader is with cases of known answer. */
  readonly practice: Practice | null;
  readonly feedback: Feedback | null;
  /** Cases that wait for anybody, and those that this reader holds. */
  readonly left: number;
  readonly today: Today | null;
  readonly remarks: Remarks | null;
  readonly remarkKind: RemarkKind;
  readonly keys: KeyChanges;
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
  active: "",
  focusing: 0,
  spot: { region: "", image: "" },
  isChecked: false,
  seen: null,
  drawnSeen: {},
  taken: [],
  rival: null,
  undo: null,
  ahead: [],
  progress: null,
  halt: null,
  practice: null,
  feedback: null,
  left: 0,
  today: null,
  remarks: null,
  remarkKind: "comment",
  keys: NO_CHANGES,
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

export const viewOf = (current: Current): CaseView => {
  if (current.kind === "case") return current.leased.case;
  return current.kind === "past" ? current.past.case : current.asked.case;
};

export const protocolOf = (current: Current): Protocol => {
  if (current.kind === "case") return current.leased.protocol;
  return current.kind === "past" ? current.past.protocol : current.asked.protocol;
};

/** All that the protocol could ask; of a colleague's case nothing is. */
export const questionsOf = ({ current }: RoomState): readonly Question[] =>
  current && current.kind !== "asked" ? protocolOf(current).questions : [];

export const askedIn = (state: RoomState): readonly Question[] => askedOf(questionsOf(state), state.answers);

export const stopsIn = (state: RoomState): readonly Stop[] =>
  stopsOf(questionsOf(state), state.answers, state.spot);

export const activeStop = (state: RoomState): Stop | undefined =>
  stopsIn(state).find(({ path }) => path === state.active);

/** What may be shown of the model's suggestion now; null: nothing. */
export const suggestionShown = ({ current, seen }: RoomState): Suggestion | null =>
  current?.kind === "case" && seen && current.leased.suggestion.probabilities
    ? current.leased.suggestion
    : null;

/** What may be shown now of what the model would draw. */
export const drawnShown = ({ current, drawnSeen }: RoomState): readonly DrawnSuggestion[] =>
  current?.kind === "case"
    ? current.leased.suggestion.drawn.filter(({ question }) => question in drawnSeen)
    : [];

const ofChoices = (question: Question, answer: Answer): string => {
  const values: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  const labels = choicesOf(question).filter(({ value }) => values.includes(value));
  return labels.map(({ label }) => label).join(", ");
};

/** An answer to one question in words; empty where it has none, as of what is drawn. */
export const oneInWords = (question: Question | undefined, answer: Answer): string => {
  if (!question || question.scope === "image") return "";
  if (question.kind === "number" || question.kind === "text") return String(answer);
  return isPlain(question) ? ofChoices(question, answer) : "";
};

/** Answers in the words of the choices, for messages. */
export const inWords = (protocol: Protocol | undefined, answers: Answers): string =>
  Object.entries(answers)
    .map(([key, answer]) =>
      oneInWords(
        protocol?.questions.find((one) => one.key === key),
        answer,
      ),
    )
    .filter((words) => words !== "")
    .join(", ");

/** In a test only its end is told. */
export const isWorthTelling = ({ phase, has_passed }: Told): boolean =>
  phase === "practice" || typeof has_passed === "boolean";

/** What the reader may mend while answering; anything else does not fit the protocol any more. */
const MENDABLE: ReadonlySet<ProblemCode> = new Set([
  "missing",
  "too_few",
  "too_many",
  "below_min",
  "above_max",
  "not_a_number",
  "too_long",
]);

/** Answers that a protocol still offers. */
export const stillValid = (protocol: Protocol, answers: Answers): Answers =>
  Object.fromEntries(
    Object.entries(answers).filter(([key, answer]) => {
      const question = protocol.questions.find((one) => one.key === key);
      const problems = question ? problemsOf([{ ...question, when: null }], { [key]: answer }) : null;
      return problems?.every(({ code }) => MENDABLE.has(code)) ?? false;
    }),
  );

/** A problem in words, for beside its question. */
export const problemWords = ({ code }: Problem, question: Question | undefined): string => {
  const {
    min = "",
    max = "",
    max_length = "",
  } = (question ?? {}) as Partial<Record<"min" | "max" | "max_length", number | null>>;
  return say(`problem_${code}` satisfies WordKey, {
    min: min ?? "",
    max: max ?? "",
    length: max_length ?? "",
  });
};
