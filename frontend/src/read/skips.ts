/** Why a case may be passed on; the values are the server's. */

export interface SkipReason {
  readonly value: string;
  readonly label: string;
}

export const SKIP_REASONS: readonly SkipReason[] = [
  { value: "quality", label: "Image quality too poor" },
  { value: "wrong_examination", label: "Not the examination asked about" },
  { value: "outside_expertise", label: "Outside my expertise" },
  { value: "burned_in_text", label: "Patient details visible" },
  { value: "other", label: "Other" },
];
