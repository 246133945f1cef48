/** What a protocol can ask and how it is answered: the twin of the server's rules (annotation/projects/protocols.py). */

import type { Mask } from "../geometry/mask";
import { REGION_KINDS, type Region, type RegionKind } from "../geometry/region";

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly color?: string | null;
}

export type Condition =
  | { readonly question: string; readonly is: AnswerValue }
  | { readonly question: string; readonly in: readonly AnswerValue[] }
  | { readonly question: string; readonly answered: true }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export type AnswerValue = string | number;

interface Common {
  readonly key: string;
  readonly prompt: string;
  /** Absent means true. */
  readonly required?: boolean;
  readonly help?: string;
  readonly when?: Condition | null;
  /** Absent means the whole case. */
  readonly scope?: "case" | "image";
}

export interface ChoiceQuestion extends Common {
  readonly kind: "single" | "ordinal";
  readonly choices: readonly Choice[];
}

export interface MultiQuestion extends Common {
  readonly kind: "multi";
  readonly choices: readonly Choice[];
  readonly min?: number | null;
  readonly max?: number | null;
}

export interface NumberQuestion extends Common {
  readonly kind: "number";
  readonly unit?: string;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly step?: number | null;
}

export interface TextQuestion extends Common {
  readonly kind: "text";
  readonly max_length?: number | null;
}

/** What can be asked of a case, of an image and of a region alike. */
export type PlainQuestion = ChoiceQuestion | MultiQuestion | NumberQuestion | TextQuestion;

export interface RegionQuestion extends Common {
  readonly kind: RegionKind;
  readonly labels: readonly Choice[];
  readonly attributes?: readonly PlainQuestion[];
  readonly min?: number | null;
  readonly max?: number | null;
}

export interface SegmentationQuestion extends Common {
  readonly kind: "segmentation";
  readonly classes: readonly Choice[];
}

export type Formula =
  | { readonly op: "vertical_ratio"; readonly of: readonly string[] }
  | { readonly op: "largest"; readonly of: string; readonly measure: string };

/** Never answered by the reader: the server computes it, the browser shows it live. */
export interface ComputedQuestion extends Common {
  readonly kind: "computed";
  readonly formula: Formula;
  readonly unit?: string;
}

export type Question = PlainQuestion | RegionQuestion | SegmentationQuestion | ComputedQuestion;

export type PlainAnswer = string | number | readonly string[];

/** By image: "<SOP Instance UID>" or "<SOP Instance UID>#<frame>". */
export type ImageAnswers = Readonly<Record<string, PlainAnswer>>;

export type Answer = PlainAnswer | readonly Region[] | Mask | ImageAnswers;

export type Answers = Readonly<Record<string, Answer>>;

export type SuggestionMode = "never" | "on_demand" | "after_answer" | "from_start";

export type FusionMethod = "majority" | "one_coin" | "dawid_skene";

export interface Settings {
  readonly auto_advance?: boolean;
  readonly suggestions?: SuggestionMode;
  readonly control_share?: number;
  readonly daily_goal?: number | null;
  readonly readers?: number;
  readonly second_share?: number;
  readonly doubted_share?: number;
  readonly fusion?: FusionMethod;
  readonly soft_labels?: boolean;
  readonly fuse_drawings?: boolean;
  readonly adjudicated?: boolean;
  readonly number_tolerance?: number;
  readonly least_dice?: number;
  readonly least_overlap?: number;
  readonly repeat_share?: number;
  readonly repeat_days?: number;
  readonly practice_cases?: number;
  readonly qualification_cases?: number;
  readonly qualification_pass?: number;
}

export const isChoice = (question: Question): question is ChoiceQuestion =>
  question.kind === "single" || question.kind === "ordinal";

export const isRegionQuestion = (question: Question): question is RegionQuestion =>
  REGION_KINDS.some((kind) => kind === question.kind);

export const isPlain = (question: Question): question is PlainQuestion =>
  isChoice(question) || question.kind === "multi" || question.kind === "number" || question.kind === "text";

export const isRequired = (question: Question): boolean =>
  question.kind !== "computed" && (question.required ?? true);

/** What digits choose among: answers, labels of regions, classes of a mask. */
export const choicesOf = (question: Question): readonly Choice[] => {
  if (isRegionQuestion(question)) return question.labels;
  if (question.kind === "segmentation") return question.classes;
  return isChoice(question) || question.kind === "multi" ? question.choices : [];
};
