/** The form of one question: its controls by kind, the choices or labels, the attributes of regions. */

import { html, nothing, type TemplateResult } from "lit";
import { conditionFields } from "./protocol_condition";
import {
  type Edited,
  isWrong,
  numberField,
  type Option,
  selectField,
  small,
  textField,
  tick,
  typed,
} from "./protocol_fields";
import {
  asKind,
  isDrawn,
  isLimited,
  isPlainKind,
  KINDS,
  listOf,
  moved,
  newQuestion,
  PLAIN_KINDS,
  type Row,
  replaced,
  rowOf,
  rowsOf,
  textOf,
  withField,
  withLabel,
  without,
  withPrompt,
} from "./protocol_model";

/** What stands around a question: the others, those before it, and what readings may hold already. */
export interface Around {
  readonly questions: readonly Row[];
  readonly place: number;
  readonly saved: readonly Row[];
  readonly measures: Readonly<Record<string, readonly string[]>>;
}

const COLOURS = ["#4cc9f0", "#f9c74f", "#f3722c", "#90be6d", "#b392f0", "#ff8fab", "#43aa8b", "#d4a373"];
const FIRST_COLOUR = "#4cc9f0";

const editedAt = (outer: Edited, field: string, place: number, rows: readonly Row[]): Edited => {
  const row = rows[place] ?? {};
  const change = (changed: Row) => outer.set(field, replaced(rows, place, changed));
  return {
    row,
    at: `${outer.at}.${field}.${place}`,
    problems: outer.problems,
    change,
    set: (name, value) => change(withField(row, name, value)),
  };
};

const savedValues = (saved: Row | undefined, field: string): readonly unknown[] =>
  saved ? rowsOf(saved, field).map(({ value }) => value) : [];

const colourField = (entry: Edited): TemplateResult => html`
  <input
    type="color"
    aria-label="Colour of ${textOf(entry.row, "label")}"
    .value=${textOf(entry.row, "color") || FIRST_COLOUR}
    @input=${(event: Event) => entry.set("color", typed(event))}
  />
`;

const input = (
  entry: Edited,
  field: string,
  label: string,
  change: (words: string) => void,
): TemplateResult => html`
  <input
    class="input ${field === "value" ? "mono" : ""}"
    type="text"
    autocomplete="off"
    aria-label=${label}
    aria-invalid=${isWrong(`${entry.at}.${field}`, entry.problems) ? "true" : "false"}
    .value=${textOf(entry.row, field)}
    @input=${(event: Event) => change(typed(event))}
  />
`;

/** Choices, labels or classes: words that readers see, the value that is stored, the colour on the image. */
const entries = (edited: Edited, saved: Row | undefined): TemplateResult | typeof nothing => {
  const list = listOf(edited.row.kind);
  if (list === null) return nothing;
  const { field, one } = list;
  const rows = rowsOf(edited.row, field);
  const hasColour = field !== "choices";
  const kept = savedValues(saved, field);
  const set = (next: readonly Row[]) => edited.set(field, next);
  const added = () => {
    const entry = { value: "", label: "" };
    set([...rows, hasColour ? { ...entry, color: COLOURS[rows.length % COLOURS.length] } : entry]);
  };
  return html`
    <fieldset class="field wide">
      <legend>${field === "choices" ? "Choices" : field === "labels" ? "Labels of a region" : "Classes"}</legend>
      <ol class="entries ${hasColour ? "coloured" : ""}">
        ${rows.map((row, place) => {
          const entry = editedAt(edited, field, place, rows);
          const isFree = !kept.includes(row.value);
          return html`<li>
            ${hasColour ? colourField(entry) : html`<kbd aria-hidden="true">${place < 9 ? place + 1 : ""}</kbd>`}
            ${input(entry, "label", `Words of ${one} ${place + 1}`, (words) => entry.change(withLabel(row, words, isFree)))}
            ${input(entry, "value", `Stored value of ${one} ${place + 1}`, (words) => entry.set("value", words))}
            ${small("↑", () => set(moved(rows, place, -1)), { isDisabled: place === 0, title: `Move ${one} ${place + 1} up` })}
            ${small("↓", () => set(moved(rows, place, 1)), { isDisabled: place === rows.length - 1, title: `Move ${one} ${place + 1} down` })}
            ${small("×", () => set(without(rows, place)), { title: `Remove ${one} ${place + 1}` })}
          </li>`;
        })}
      </ol>
      ${small(`Add a ${one}`, added)}
    </fieldset>
  `;
};

const limits = (edited: Edited): TemplateResult | typeof nothing => {
  const { kind } = edited.row;
  if (!isLimited(kind)) return nothing;
  const what = kind === "multi" ? "choices" : "regions";
  if (kind !== "number")
    return html`${numberField(edited, "min", { label: `Fewest ${what}`, placeholder: "0" })}
    ${numberField(edited, "max", { label: `Most ${what}`, placeholder: "any" })}`;
  return html`
    ${textField(edited, "unit", { label: "Unit", placeholder: "mm" })}
    ${numberField(edited, "min", { label: "Least", placeholder: "any" })}
    ${numberField(edited, "max", { label: "Most", placeholder: "any" })}
    ${numberField(edited, "step", { label: "Step of the arrow keys", placeholder: "none" })}
  `;
};

const attributes = (edited: Edited, around: Around): TemplateResult | typeof nothing => {
  if (!isDrawn(edited.row.kind)) return nothing;
  const rows = rowsOf(edited.row, "attributes");
  const set = (next: readonly Row[]) => edited.set("attributes", next.length > 0 ? next : undefined);
  const saved = around.saved.find(({ key }) => key === edited.row.key);
  const inside = { ...around, questions: rows, saved: saved ? rowsOf(saved, "attributes") : [] };
  return html`
    <fieldset class="field wide">
      <legend>Asked of each region</legend>
      ${rows.map(
        (row, place) => html`
          <div class="attribute">
            ${questionFields(editedAt(edited, "attributes", place, rows), { ...inside, place }, PLAIN_KINDS)}
            <div class="row">
              ${small("↑", () => set(moved(rows, place, -1)), { isDisabled: place === 0, title: "Move this attribute up" })}
              ${small("↓", () => set(moved(rows, place, 1)), { isDisabled: place === rows.length - 1, title: "Move this attribute down" })}
              ${small("Remove this attribute", () => set(without(rows, place)), { title: `Remove attribute ${textOf(row, "prompt")}` })}
            </div>
          </div>
        `,
      )}
      ${small("Add an attribute", () => set([...rows, newQuestion("single", rows)]))}
    </fieldset>
  `;
};

const keyed = (questions: readonly Row[]): readonly Option[] =>
  questions.map((one) => ({ value: textOf(one, "key"), words: textOf(one, "prompt") || textOf(one, "key") }));

const withExtent = (questions: readonly Row[]): readonly Option[] =>
  questions.flatMap((one) => {
    const [key, prompt] = [textOf(one, "key"), textOf(one, "prompt")];
    if (one.kind === "box" || one.kind === "ellipse") return [{ value: key, words: prompt || key }];
    if (one.kind !== "segmentation") return [];
    return rowsOf(one, "classes").map((entry) => ({
      value: `${key}:${textOf(entry, "value")}`,
      words: `${prompt || key}: ${textOf(entry, "label")}`,
    }));
  });

const MEASURE_WORDS: Readonly<Record<string, string>> = {
  length_mm: "Length, mm",
  long_axis_mm: "Longest diameter, mm",
  short_axis_mm: "Diameter across, mm",
  angle_deg: "Angle, degrees",
  area_mm2: "Area, mm²",
  perimeter_mm: "Perimeter, mm",
};

const ratioFields = (formula: Edited, around: Around): TemplateResult => {
  const of = Array.isArray(formula.row.of) ? (formula.row.of as readonly unknown[]) : ["", ""];
  const options = withExtent(around.questions);
  const part = (place: number, label: string) => {
    const shown: Edited = { ...formula, at: `${formula.at}.of`, row: { [place]: of[place] } };
    return selectField(shown, String(place), { label }, options, (value) =>
      formula.set("of", replaced([of[0] ?? "", of[1] ?? ""], place, value)),
    );
  };
  return html`${part(0, "Extent across the rows of")} ${part(1, "divided by that of")}`;
};

const largestFields = (formula: Edited, around: Around): TemplateResult => {
  const drawn = around.questions.filter(({ kind }) => isDrawn(kind));
  const source = drawn.find(({ key }) => key === formula.row.of);
  const measures = around.measures[textOf(source ?? {}, "kind")] ?? [];
  const options = measures.map((value) => ({ value, words: MEASURE_WORDS[value] ?? value }));
  return html`
    ${selectField(formula, "of", { label: "Over the regions of" }, keyed(drawn))}
    ${selectField(formula, "measure", { label: "The largest" }, options)}
  `;
};

const OPERATIONS = [
  { value: "largest", words: "The largest measure of regions" },
  { value: "vertical_ratio", words: "Vertical ratio of two outlines" },
];

const formulaFields = (edited: Edited, around: Around): TemplateResult | typeof nothing => {
  if (edited.row.kind !== "computed") return nothing;
  const row = rowOf(edited.row, "formula") ?? {};
  const change = (changed: Row) => edited.set("formula", changed);
  const set = (field: string, value: unknown) => change({ ...row, [field]: value });
  const formula: Edited = { row, at: `${edited.at}.formula`, problems: edited.problems, change, set };
  const started = (op: string) =>
    change(op === "largest" ? { op, of: "", measure: "" } : { op, of: ["", ""] });
  return html`
    ${selectField(formula, "op", { label: "What is computed" }, OPERATIONS, started)}
    ${row.op === "vertical_ratio" ? ratioFields(formula, around) : largestFields(formula, around)}
    ${textField(edited, "unit", { label: "Unit", placeholder: "none" })}
  `;
};

const SCOPES = [
  { value: "case", words: "the whole case" },
  { value: "image", words: "each image" },
];

const scopeField = (edited: Edited, isAttribute: boolean): TemplateResult | typeof nothing => {
  if (isAttribute || !isPlainKind(edited.row.kind)) return nothing;
  const shown = { ...edited, row: { scope: "case", ...edited.row } };
  return selectField(shown, "scope", { label: "Asked of" }, SCOPES, (value) =>
    edited.set("scope", value === "image" ? value : undefined),
  );
};

/** All controls of a question, or of an attribute, whose kinds are fewer. */
export const questionFields = (edited: Edited, around: Around, kinds = KINDS): TemplateResult => {
  const { row } = edited;
  const isAttribute = kinds !== KINDS;
  const others = around.questions
    .filter((_, place) => place !== around.place)
    .map((one) => textOf(one, "key"));
  const saved = around.saved.find(({ key }) => key === row.key);
  const options = kinds.map(({ kind, words }) => ({ value: kind, words }));
  return html`
    <div class="question-fields">
      ${textField(edited, "prompt", { label: "What readers are asked", wide: true }, (words) => edited.change(withPrompt(row, words, !saved, others)))}
      ${selectField(edited, "kind", { label: "Kind of answer" }, options, (kind) => edited.change(asKind(row, kind)))}
      ${textField(edited, "key", { label: "Name in the data", mono: true })} ${scopeField(edited, isAttribute)}
      ${row.kind === "text" ? numberField(edited, "max_length", { label: "Most characters", placeholder: "2000" }) : nothing}
      ${limits(edited)} ${formulaFields(edited, around)} ${entries(edited, saved)} ${attributes(edited, around)}
      ${isAttribute ? nothing : textField(edited, "help", { label: "Help, under the question", wide: true })}
      ${isAttribute ? nothing : conditionFields(edited, around.questions.slice(0, around.place))}
      ${
        row.kind === "computed"
          ? nothing
          : html`<div class="wide">
              ${tick("An answer is required", row.required !== false, (isOn) => edited.set("required", isOn ? undefined : false))}
            </div>`
      }
    </div>
  `;
};
