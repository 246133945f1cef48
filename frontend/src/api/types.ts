/** What the server says and hears, as the reading room uses it: names for the generated schema's parts. */

import type { Answers, Question, Settings } from "../protocol/types";
import type { components } from "./schema";

type Schemas = components["schemas"];

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** The same value, its answers and protocol by the browser's own names. */
type Named<T> = {
  readonly [Key in keyof T]: Key extends "answers" ? Answers : Key extends "protocol" ? Protocol : T[Key];
};

export interface Protocol {
  readonly version: number;
  readonly questions: readonly Question[];
  readonly settings: Settings;
}
/** DICOM attributes by keyword: numbers are numbers, several values are a list, absent is absent. */
export type Attributes = Readonly<Record<string, unknown>>;
export type InstanceView = Frozen<Schemas["InstanceView"]>;
export type CaseView = Frozen<Schemas["CaseView"]>;
export type HangingView = Frozen<Schemas["HangingView"]>;
export type Draft = Omit<Named<Frozen<Schemas["DraftView"]>>, "protocol_version"> & {
  readonly protocol_version?: number | null;
};
export type Why = Frozen<Schemas["WhyView"]>;
export type Suggestion = Frozen<Schemas["SuggestionView"]>;
export type DrawnSuggestion = Frozen<Schemas["DrawnSuggestionView"]>;
/** Before the reader answered that question, or after. */
export type When = "before_answer" | "after_answer";
/** When the suggestion was seen, and what was answered before. */
export interface Seen {
  /** Empty: the class suggestion was not seen. */
  readonly when: When | "";
  readonly first: Answers;
  /** When proposed masks and regions were seen, by question. */
  readonly drawn?: Readonly<Record<string, When>>;
  /** Questions whose proposed mask was taken. */
  readonly taken?: readonly string[];
}
export type LeasedCase = Omit<Named<Frozen<Schemas["LeasedCaseView"]>>, "draft"> & {
  readonly draft: Draft | null;
};
export type Progress = Frozen<Schemas["ProgressView"]>;
/** Why no case is given, and from which day on again. */
export type Halt = Frozen<Schemas["HaltView"]>;
export interface Workload {
  readonly cases: readonly LeasedCase[];
  readonly progress: Progress;
  readonly halt?: Halt | null;
  /** How far a new reader is with cases of known answer; null: these are the queue's cases. */
  readonly practice?: Practice | null;
}
export type Practice = Frozen<Schemas["PracticeView"]>;
/** What a reader is told after a case of known answer. */
export type Told = Omit<Named<Frozen<Schemas["ToldView"]>>, "reference"> & { readonly reference: Answers };
export type PastReading = Named<Frozen<Schemas["PastReadingView"]>>;
export type Submitted = Omit<Frozen<Schemas["SubmittedView"]>, "workload" | "told"> & {
  readonly workload: Workload;
  readonly told?: Told | null;
};
export interface Skipped {
  readonly workload: Workload;
}
export type Session = Frozen<Schemas["SessionView"]>;
export type NewDraft = Named<Frozen<Schemas["DraftBody"]>>;
export type NewReading = Omit<Named<Frozen<Schemas["ReadingBody"]>>, "suggestion"> & {
  readonly suggestion: Seen | null;
};
export type NewSkip = Frozen<Schemas["SkipBody"]>;
export type NewRevision = Named<Frozen<Schemas["RevisionBody"]>>;
export type SkipReason = NewSkip["reason"];
export type NewRemark = Frozen<Schemas["RemarkBody"]>;
export type RemarkKind = NewRemark["kind"];
export type FlagReason = Exclude<NonNullable<NewRemark["reason"]>, "">;
export type Remark = Frozen<Schemas["RemarkView"]>;
export type Remarks = Frozen<Schemas["RemarksView"]>;
export type Returned = Remarks["returned"][number];
export type Asked = Named<Frozen<Schemas["AskedView"]>>;
export type Today = Frozen<Schemas["TodayView"]>;
export type OwnReading = Frozen<Schemas["OwnReadingView"]>;
export type Preferences = Frozen<Schemas["PreferencesView"]>;
export type Side = Named<Frozen<Schemas["SideView"]>>;
export type Decided = Named<Frozen<Schemas["DecisionView"]>>;
export type Dispute = Omit<Named<Frozen<Schemas["DisputeView"]>>, "sides" | "decisions"> & {
  readonly sides: readonly Side[];
  readonly decisions: readonly Decided[];
};
export type SideAnswers = Named<Frozen<Schemas["SideAnswersView"]>>;
export type Standing = Frozen<Schemas["StandingView"]>;
export type ModelAnswer = Frozen<Schemas["ModelAnswerView"]>;
