/** Why a case may be passed on; the values are the server's. */

import type { SkipReason } from "../api/types";

export const SKIP_REASONS: readonly { readonly value: SkipReason; readonly label: string }[] = [
  { value: "quality", label: "Image quality too poor" },
  { value: "wrong_examination", label: "Not the examination asked about" },
  { value: "outside_expertise", label: "Outside my expertise" },
  { value: "burned_in_text", label: "Patient details visible" },
  { value: "other", label: "Other" },
];
