/** Settings of a protocol: how readers go on, and when they see the model's suggestion. */

import { html, nothing, type TemplateResult } from "lit";
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

/** From where on readers differ; any two choices that are not the same do. */
const limits = (edited: Edited): readonly TemplateResult[] => [
  shareField(edited, "number_tolerance", {
    label: "Numbers may differ by",
    hint: "Of the larger one; lengths and angles of regions too.",
    usual: 10,
    most: 100,
  }),
  shareField(edited, "least_dice", {
    label: "Masks agree from a Dice of",
    hint: "Of each class.",
    usual: 70,
    most: 100,
  }),
  shareField(edited, "least_overlap", {
    label: "Regions are the same from an overlap of",
    hint: "Intersection over union of the boxes around them.",
    usual: 50,
    most: 100,
  }),
];

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
      ${shareField(edited, "doubted_share", {
        label: "Readings that go where a label is likely wrong",
        hint: "Of all readings, at most. A second reader, blind, gets the cases whose label the model and the readers' track record speak against most. Ten per cent is a good start.",
        usual: 0,
        most: 50,
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
          "Models learn how likely each choice is, where several readers left doubt, and not the fused choice alone",
          edited.row.soft_labels === true,
          (isOn) => edited.set("soft_labels", isOn ? true : undefined),
        )}
      </div>
      <div class="wide">
        ${tick(
          "Fuse the masks and boxes of several readers too (STAPLE, weighted boxes)",
          edited.row.fuse_drawings === true,
          (isOn) => edited.set("fuse_drawings", isOn ? true : undefined),
        )}
      </div>
      <div class="wide">
        ${tick(
          "An adjudicator decides where readers differ; whom, you choose under People",
          edited.row.adjudicated === true,
          (isOn) => edited.set("adjudicated", isOn ? true : undefined),
        )}
      </div>
      ${edited.row.adjudicated === true ? limits(edited) : nothing}
      ${shareField(edited, "repeat_share", {
        label: "Own cases that a reader gets again",
        hint: "Drawn at random, and not told. They measure how readers agree with themselves.",
        usual: 0,
        most: 20,
      })}
      ${numberField(edited, "repeat_days", { label: "After how many days", hint: "Long enough to have forgotten the case.", placeholder: "30" })}
      ${numberField(edited, "practice_cases", { label: "Practice cases of a new reader", hint: "Gold cases that come first, with the reference shown after each answer. Readers › Gold cases.", placeholder: "0" })}
      ${numberField(edited, "qualification_cases", { label: "Cases of the qualification test", hint: "Gold cases without the reference. Readings count once the test is passed.", placeholder: "0" })}
      ${shareField(edited, "qualification_pass", {
        label: "Of the test, right at least",
        hint: "Who does not pass reads on: the readings are kept, and count after another attempt that ML staff grant.",
        usual: 80,
        most: 100,
      })}
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
