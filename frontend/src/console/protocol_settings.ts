/** Settings of a protocol: how readers go on, and when they see the model's suggestion. */

import { html, type TemplateResult } from "lit";
import { type Edited, numberField, selectField, tick, typed } from "./protocol_fields";
import { textOf } from "./protocol_model";

const MODES = [
  { value: "after_answer", words: "after the reader's own first answer" },
  { value: "on_demand", words: "when the reader asks for it" },
  { value: "from_start", words: "from the start" },
  { value: "never", words: "never" },
];

const METHODS = [
  { value: "majority", words: "by majority" },
  { value: "one_coin", words: "each weighted by how often they are right" },
  { value: "dawid_skene", words: "each weighted by what they confuse (Dawid–Skene)" },
];

interface Share {
  readonly label: string;
  readonly hint: string;
  readonly usual: number;
  readonly most: number;
}

/** A fraction of the cases, entered in per cent; usual and most in per cent. */
const shareField = (edited: Edited, key: string, { label, hint, usual, most }: Share): TemplateResult => {
  const id = `p-${key.replace("_", "-")}`;
  const given = Number(textOf(edited.row, key) || String(usual / 100));
  const changed = (event: Event) => {
    const percent = Number(typed(event));
    edited.set(key, percent === usual ? undefined : Number((percent / 100).toFixed(4)));
  };
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <div class="row">
        <input class="input short" id=${id} type="number" min="0" max=${most} step="1" .value=${String(Number((given * 100).toFixed(2)))} @change=${changed} />
        <span class="soft">per cent</span>
      </div>
      <p class="hint">${hint}</p>
    </div>
  `;
};

export const settingsFields = (edited: Edited): TemplateResult => {
  const shown = { ...edited, row: { suggestions: "after_answer", fusion: "majority", ...edited.row } };
  return html`
    <div class="question-fields">
      ${selectField(
        shown,
        "suggestions",
        {
          label: "The model's suggestion is shown",
          hint: "What is seen before an answer sways it (anchoring).",
          wide: true,
        },
        MODES,
        (value) => edited.set("suggestions", value === "after_answer" ? undefined : value),
      )}
      ${shareField(edited, "control_share", {
        label: "Cases without a suggestion",
        hint: "Drawn at random. They measure what seeing suggestions does to the answers.",
        usual: 10,
        most: 50,
      })}
      ${numberField(edited, "daily_goal", { label: "Goal of the day", hint: "Cases a reader, shown as progress.", placeholder: "none" })}
      ${numberField(edited, "readers", { label: "Readers of each case", hint: "Each reads without the others' answers, and without a suggestion after the first.", placeholder: "1" })}
      ${shareField(edited, "second_share", {
        label: "Cases that one reader more reads",
        hint: "Drawn at random. They measure how readers agree.",
        usual: 0,
        most: 100,
      })}
      ${selectField(
        shown,
        "fusion",
        {
          label: "Several readers of a case are fused",
          hint: "What readers are worth is measured on the Agreement page.",
          wide: true,
        },
        METHODS,
        (value) => edited.set("fusion", value === "majority" ? undefined : value),
      )}
      <div class="wide">
        ${tick(
          "Fuse the masks and boxes of several readers too (STAPLE, weighted boxes)",
          edited.row.fuse_drawings === true,
          (isOn) => edited.set("fuse_drawings", isOn ? true : undefined),
        )}
      </div>
      <div class="wide">
        ${tick(
          "Go on to the next case by itself, after one key, where one question is asked",
          edited.row.auto_advance === true,
          (isOn) => edited.set("auto_advance", isOn ? true : undefined),
        )}
      </div>
    </div>
  `;
};
