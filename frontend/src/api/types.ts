/** What the server says and hears, as the reading room uses it: names for the generated schema's parts. */

import type { components } from "./schema";

type Schemas = components["schemas"];

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export type Choice = Frozen<Schemas["Choice"]>;
export type Question = Frozen<Schemas["Question"]>;
export type Protocol = Frozen<Schemas["ProtocolView"]>;
export type Answers = Readonly<Record<string, string>>;
/** DICOM attributes by keyword: numbers are numbers, several values are a list, absent is absent. */
export type Attributes = Readonly<Record<string, unknown>>;
export type InstanceView = Frozen<Schemas["InstanceView"]>;
export type CaseView = Frozen<Schemas["CaseView"]>;
export type Draft = Frozen<Schemas["DraftView"]>;
export type Why = Frozen<Schemas["WhyView"]>;
export type LeasedCase = Frozen<Schemas["LeasedCaseView"]>;
export type Progress = Frozen<Schemas["ProgressView"]>;
export type Workload = Frozen<Schemas["WorkloadView"]>;
export type PastReading = Frozen<Schemas["PastReadingView"]>;
export type Submitted = Frozen<Schemas["SubmittedView"]>;
export type Skipped = Frozen<Schemas["SkippedView"]>;
export type Session = Frozen<Schemas["SessionView"]>;
export type NewDraft = Frozen<Schemas["DraftBody"]>;
export type NewReading = Frozen<Schemas["ReadingBody"]>;
export type NewSkip = Frozen<Schemas["SkipBody"]>;
export type NewRevision = Frozen<Schemas["RevisionBody"]>;
export type SkipReason = NewSkip["reason"];
