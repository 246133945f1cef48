/** Fields of one hanging rule: what a case must be, and how it is hung. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { presetsOf } from "../images/presets";
import type { HangingFacts } from "./hanging";
import { conditionOf, type ListField, put, withCondition, withWords, wordsOf } from "./hanging_model";
import { tick, typed } from "./protocol_fields";
import { type Row, textOf } from "./protocol_model";

const LAYOUTS = [
  ["stack", "One stack"],
  ["mpr", "Three planes"],
  ["priors", "Beside the study before"],
  ["four-up", "Four mammography views"],
] as const;
const SIDES = [
  ["L", "Left"],
  ["R", "Right"],
  ["B", "Both"],
  ["U", "Unpaired"],
] as const;

type Change = (rule: Row) => void;

interface Shown {
  readonly id: string;
  readonly rule: Row;
  readonly change: Change;
}

const field = (id: string, label: string, control: unknown, hint = "") => html`
  <div class="field"><label for=${id}>${label}</label>${control}${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}</div>
`;

/** A list between commas, with the codes that are known as help. */
const listField = (
  { id, rule, change }: Shown,
  name: ListField,
  [label, hint]: readonly [string, string],
  known: readonly string[] = [],
) => {
  const own = `${id}-${name}`;
  return field(
    own,
    label,
    html`<input class="input" id=${own} type="text" autocomplete="off" placeholder="any" aria-describedby="${own}-hint"
        list=${known.length > 0 ? `${own}-known` : nothing}
        .value=${live(wordsOf(rule, name))} @change=${(event: Event) => change(withWords(rule, name, typed(event)))} />
      ${known.length > 0 ? html`<datalist id="${own}-known">${known.map((one) => html`<option value=${one}></option>`)}</datalist>` : nothing}`,
    hint,
  );
};

const selectField = (
  id: string,
  label: string,
  options: readonly (readonly [string, string])[],
  chosen: string,
  change: (value: string) => void,
) => {
  const isKnown = options.some(([value]) => value === chosen);
  const shown = isKnown ? options : [[chosen, chosen || "Choose"] as const, ...options];
  return field(
    id,
    label,
    html`<select class="input" id=${id} .value=${live(chosen)} @change=${(event: Event) => change(typed(event))}>
      ${shown.map(([value, words]) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`)}
    </select>`,
  );
};

const sides = ({ rule, change }: Shown): TemplateResult => {
  const chosen = conditionOf(rule, "laterality");
  const held = Array.isArray(chosen) ? chosen : [];
  const turned = (side: string, isOn: boolean): void => {
    const wanted = SIDES.map(([value]) => value).filter((one) => (one === side ? isOn : held.includes(one)));
    change(withCondition(rule, "laterality", wanted.length > 0 ? wanted : undefined));
  };
  return html`<div class="field" role="group" aria-label="Side"><span class="label">Side</span>
    <div class="ticks">${SIDES.map(([value, words]) => tick(words, held.includes(value), (isOn) => turned(value, isOn)))}</div>
    <p class="hint">None ticked: any.</p></div>`;
};

const prior = ({ id, rule, change }: Shown): TemplateResult => {
  const chosen = conditionOf(rule, "has_prior");
  const values: Readonly<Record<string, boolean | undefined>> = { yes: true, no: false };
  const options = [
    ["", "not asked"],
    ["yes", "there is one"],
    ["no", "there is none"],
  ] as const;
  const now = chosen === true ? "yes" : chosen === false ? "no" : "";
  return selectField(`${id}-prior`, "Earlier study", options, now, (value) =>
    change(withCondition(rule, "has_prior", values[value])),
  );
};

const least = ({ id, rule, change }: Shown): TemplateResult => {
  const value = conditionOf(rule, "frames_at_least");
  const set = (text: string): void => {
    const number = Number(text);
    const wanted = text.trim() === "" ? undefined : Number.isInteger(number) ? number : text;
    change(withCondition(rule, "frames_at_least", wanted));
  };
  return field(
    `${id}-least`,
    "Images, at least",
    html`<input class="input" id="${id}-least" type="text" inputmode="numeric" autocomplete="off" placeholder="any"
      .value=${live(value === undefined ? "" : String(value))} @change=${(event: Event) => set(typed(event))} />`,
  );
};

/** Windows mean the same on every scanner in some modalities alone. */
const preset = ({ id, rule, change }: Shown): TemplateResult => {
  const modality = conditionOf(rule, "modality");
  const asked = Array.isArray(modality) ? modality.map(String) : ["CT"];
  const names = [...new Set(asked.flatMap((one) => presetsOf(one).map(({ name }) => name)))];
  const options = [
    ["", "as stored"] as const,
    ...names.filter((name) => name !== "As stored").map((name) => [name, name] as const),
  ];
  const now = textOf(rule, "preset") === "As stored" ? "" : textOf(rule, "preset");
  return selectField(`${id}-preset`, "Window", options, now, (value) =>
    change(put(rule, "preset", value || undefined)),
  );
};

/** id: begins the names of the fields. */
export const ruleFields = (id: string, rule: Row, facts: HangingFacts, change: Change): TemplateResult => {
  const shown = { id, rule, change };
  return html`
    <div class="question-fields">
      ${field(
        `${id}-name`,
        "Name",
        html`<input class="input" id="${id}-name" type="text" autocomplete="off" maxlength="64"
          .value=${live(textOf(rule, "name"))} @input=${(event: Event) => change({ ...rule, name: typed(event) })} />`,
      )}
      ${selectField(`${id}-layout`, "Hung as", LAYOUTS, textOf(rule, "layout"), (value) => change(put(rule, "layout", value)))}
      ${preset(shown)}
      <div class="field"><span class="label">Film</span><div class="ticks">${tick("Starts by itself", rule.play === true, (isOn) => change(put(rule, "play", isOn || undefined)))}</div></div>
      ${listField(shown, "modality", ["Modality", "One of these, as CT, MR."], facts.modalities)}
      ${listField(shown, "body_part", ["Body part", "One of these, as CHEST."], facts.bodyParts)}
      ${listField(shown, "description", ["Description has", "All of these words, as T2, AXIAL."], facts.words)}
      ${sides(shown)}
      ${prior(shown)} ${least(shown)}
      ${listField(shown, "view", ["View", "One of these, as PA, MLO."])}
      ${listField(shown, "views", ["Study has views", "All of these, as R CC, L CC."])}
    </div>
  `;
};
