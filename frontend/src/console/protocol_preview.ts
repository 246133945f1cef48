/** How a reader will be asked: the questions in order, which can be answered here to see what each answer opens. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { askedOf } from "../protocol/conditions";
import type { Answer, Answers, Question } from "../protocol/types";
import { typed } from "./protocol_fields";
import { isDrawn, listOf, type ProtocolDocument, type Row, rowsOf, textOf, wordsOf } from "./protocol_model";

type Told = (key: string, answer: Answer | undefined) => void;

/** A stand-in for what would be drawn: the preview has no image. */
const DRAWN: Answer = ["drawn"];

const turned = (answer: Answer | undefined, value: string, isOn: boolean): Answer => {
  const rest = (Array.isArray(answer) ? (answer as readonly string[]) : []).filter((one) => one !== value);
  return isOn ? [...rest, value] : rest;
};

const choices = (row: Row, answer: Answer | undefined, told: Told): readonly TemplateResult[] => {
  const key = textOf(row, "key");
  const isMulti = row.kind === "multi";
  return rowsOf(row, "choices").map((choice, nth) => {
    const value = textOf(choice, "value");
    const isOn = isMulti ? Array.isArray(answer) && answer.some((one) => one === value) : answer === value;
    const changed = (event: Event) => {
      const isChecked = (event.target as HTMLInputElement).checked;
      told(key, isMulti ? turned(answer, value, isChecked) : value);
    };
    return html`<label class="preview-answer">
      <input type=${isMulti ? "checkbox" : "radio"} name="preview-${key}" .checked=${live(isOn)} @change=${changed} />
      <span>${textOf(choice, "label")}</span>${nth < 9 ? html`<kbd aria-hidden="true">${nth + 1}</kbd>` : nothing}
    </label>`;
  });
};

const limitWords = (row: Row): string => {
  const [least, most] = [textOf(row, "min"), textOf(row, "max")];
  if (least !== "" && most !== "") return `${least} – ${most}`;
  if (least !== "") return `at least ${least}`;
  return most === "" ? "" : `at most ${most}`;
};

const numberField = (row: Row, told: Told): TemplateResult => {
  const changed = (event: Event) => {
    const text = typed(event);
    told(textOf(row, "key"), text === "" ? undefined : Number(text));
  };
  return html`<div class="row">
    <input class="input short" type="number" aria-label=${textOf(row, "prompt")} step=${textOf(row, "step") || "any"} @input=${changed} />
    <span class="soft">${textOf(row, "unit")}</span><span class="faint">${limitWords(row)}</span>
  </div>`;
};

const textField = (row: Row, told: Told): TemplateResult => html`
  <textarea
    class="input"
    rows="2"
    aria-label=${textOf(row, "prompt")}
    @input=${(event: Event) => told(textOf(row, "key"), typed(event) || undefined)}
  ></textarea>
`;

/** Labels or classes as they look on the image, what each region is asked, and a tick in place of drawing. */
const drawnField = (row: Row, answer: Answer | undefined, told: Told): TemplateResult => {
  const entries = rowsOf(row, listOf(row.kind)?.field ?? "labels");
  const attributes = rowsOf(row, "attributes");
  const changed = (event: Event) =>
    told(textOf(row, "key"), (event.target as HTMLInputElement).checked ? DRAWN : undefined);
  return html`
    <ul class="preview-labels">
      ${entries.map((one) => html`<li><i style="background:${textOf(one, "color") || "#4cc9f0"}"></i>${textOf(one, "label")}</li>`)}
    </ul>
    ${attributes.map((one) => html`<p class="faint">${textOf(one, "prompt")}${one.required === false ? " (optional)" : ""}</p>`)}
    <p class="faint">${[wordsOf(row.kind), limitWords(row)].filter(Boolean).join(", ")}</p>
    <label class="tick"><input type="checkbox" .checked=${live(answer !== undefined)} @change=${changed} /><span>As if drawn</span></label>
  `;
};

const body = (row: Row, answer: Answer | undefined, told: Told): unknown => {
  if (row.kind === "computed") return html`<output class="faint">computed from the answers</output>`;
  if (row.kind === "number") return numberField(row, told);
  if (row.kind === "text") return textField(row, told);
  return isDrawn(row.kind) || row.kind === "segmentation"
    ? drawnField(row, answer, told)
    : choices(row, answer, told);
};

const one = (row: Row, answer: Answer | undefined, told: Told): TemplateResult => {
  const isOptional = row.required === false && row.kind !== "computed";
  return html`
    <fieldset class="preview-question">
      <legend>
        ${textOf(row, "prompt")}
        ${isOptional ? html`<span class="faint">optional</span>` : nothing}
        ${row.scope === "image" ? html`<span class="faint">of each image</span>` : nothing}
      </legend>
      ${row.help ? html`<p class="faint">${textOf(row, "help")}</p>` : nothing} ${body(row, answer, told)}
    </fieldset>
  `;
};

/** Answers as conditions see them: of each image, the answer is that of a first image. */
const asAnswered = (protocol: ProtocolDocument, answers: Answers): Answers => {
  const byImage = protocol.questions.filter(({ scope }) => scope === "image").map(({ key }) => key);
  const entries = Object.entries(answers).map(([key, answer]) => [
    key,
    byImage.includes(key) ? { "1": answer } : answer,
  ]);
  return Object.fromEntries(entries) as Answers;
};

export const preview = (protocol: ProtocolDocument, answers: Answers, told: Told): TemplateResult => {
  const questions = protocol.questions as unknown as readonly Question[];
  const asked = askedOf(questions, asAnswered(protocol, answers)).map(({ key }) => key);
  const shown = protocol.questions.filter((row) => asked.some((key) => key === row.key));
  const hidden = protocol.questions.length - shown.length;
  return html`
    <div class="preview-questions">${shown.map((row) => one(row, answers[textOf(row, "key")], told))}</div>
    ${hidden > 0 ? html`<p class="faint">${hidden} more where the answers ask for ${hidden === 1 ? "it" : "them"}: try.</p>` : nothing}
  `;
};
