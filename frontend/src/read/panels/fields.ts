/** Questions that are answered by typing: numbers with their unit, and words. */

import { html, nothing, type TemplateResult } from "lit";
import type { NumberQuestion, TextQuestion } from "../../protocol/types";
import { say } from "../../words/say";
import type { Asked } from "./choices";
import { entered, numberIn } from "./entered";

const DEFAULT_LENGTH = 2000;

const textIn = (event: Event): string => (event.target as HTMLInputElement | HTMLTextAreaElement).value;

const words = (text: string): string | undefined => (text === "" ? undefined : text);

/** What is allowed, beside the field. */
const range = ({ min, max }: NumberQuestion): string => {
  const [least, most] = [min ?? null, max ?? null];
  if (least !== null && most !== null) return `${least} – ${most}`;
  if (least !== null) return `≥ ${least}`;
  return most === null ? "" : `≤ ${most}`;
};

/** ↑ and ↓ step where the question has a step. */
const stepped = (question: NumberQuestion, asked: Asked) => (event: KeyboardEvent) => {
  const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!direction || !question.step) return;
  event.preventDefault();
  const value = (typeof asked.answer === "number" ? asked.answer : 0) + direction * question.step;
  asked.answered(asked.stop.path, Number(value.toPrecision(12)), "typing");
};

export const numberField = (question: NumberQuestion, asked: Asked): TemplateResult => html`
  <span class="field-row">
    <input
      class="input field-number"
      type="text"
      inputmode="decimal"
      autocomplete="off"
      aria-label=${question.prompt}
      aria-invalid=${asked.describedBy === "" ? "false" : "true"}
      aria-describedby=${asked.describedBy === "" ? nothing : asked.describedBy}
      ?disabled=${asked.isDisabled}
      ${entered(asked.answer, numberIn)}
      @input=${(event: Event) => asked.answered(asked.stop.path, numberIn(textIn(event)), "typing")}
      @keydown=${stepped(question, asked)}
    />
    <span class="field-unit">${question.unit ?? ""}</span>
    <span class="field-range">${range(question)}</span>
  </span>
`;

export const textField = (question: TextQuestion, asked: Asked): TemplateResult => {
  const most = question.max_length ?? DEFAULT_LENGTH;
  const length = typeof asked.answer === "string" ? [...asked.answer].length : 0;
  return html`
    <textarea
      class="input field-text"
      rows="2"
      aria-label=${question.prompt}
      aria-invalid=${asked.describedBy === "" ? "false" : "true"}
      aria-describedby=${asked.describedBy === "" ? nothing : asked.describedBy}
      ?disabled=${asked.isDisabled}
      ${entered(asked.answer, words)}
      @input=${(event: Event) => asked.answered(asked.stop.path, words(textIn(event)), "typing")}
    ></textarea>
    ${length > 0.8 * most ? html`<span class="field-range">${say("of_characters", { length, most })}</span>` : nothing}
  `;
};
