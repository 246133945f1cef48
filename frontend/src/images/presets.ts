/** Windows that readers of a modality ask for: rows of a table, bound to the shifted digits in this order. */

import type { Window } from "./pixels";

export interface WindowPreset {
  readonly name: string;
  /** Centre and width in the modality's values; null is the image's own window. */
  readonly window: Window | null;
}

const of = (name: string, center: number, width: number): WindowPreset => ({
  name,
  window: { center, width },
});

const OWN: WindowPreset = { name: "As stored", window: null };

/** CT in Hounsfield units. Only CT's values mean the same on every scanner: others have their own window alone. */
const PRESETS: Readonly<Record<string, readonly WindowPreset[]>> = {
  CT: [
    OWN,
    of("Soft tissue", 40, 400),
    of("Lung", -600, 1500),
    of("Bone", 400, 1800),
    of("Brain", 40, 80),
    of("Mediastinum", 50, 350),
    of("Liver", 60, 160),
    of("Subdural", 75, 215),
    of("Angiography", 300, 600),
  ],
};

/** Presets of a modality, the image's own window first. */
export const presetsOf = (modality: string): readonly WindowPreset[] => PRESETS[modality] ?? [OWN];

export const presetCalled = (modality: string, name: string): WindowPreset | undefined =>
  presetsOf(modality).find((preset) => preset.name === name);
