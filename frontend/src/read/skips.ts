/** Why a case is passed on, cannot be read by anybody, or is flagged; the values are the server's. */

import type { FlagReason, SkipReason } from "../api/types";
import type { WordKey } from "../words/say";

interface Reason<Value> {
  readonly value: Value;
  readonly label: WordKey;
}

export const SKIP_REASONS: readonly Reason<SkipReason>[] = [
  { value: "quality", label: "reason_quality" },
  { value: "wrong_examination", label: "reason_wrong_examination" },
  { value: "outside_expertise", label: "reason_outside_expertise" },
  { value: "burned_in_text", label: "reason_burned_in_text" },
  { value: "other", label: "reason_other" },
];

export const UNREADABLE_REASONS: readonly Reason<SkipReason>[] = [
  { value: "quality", label: "reason_quality" },
  { value: "incomplete", label: "reason_incomplete" },
  { value: "wrong_examination", label: "reason_wrong_examination" },
  { value: "burned_in_text", label: "reason_burned_in_text" },
  { value: "other", label: "reason_other" },
];

export const FLAG_REASONS: readonly Reason<FlagReason>[] = [
  { value: "important", label: "flag_important" },
  { value: "wrong_data", label: "flag_wrong_data" },
  { value: "burned_in_text", label: "reason_burned_in_text" },
  { value: "teaching", label: "flag_teaching" },
  { value: "unsure", label: "flag_unsure" },
  { value: "other", label: "reason_other" },
];
