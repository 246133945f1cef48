/** Fields of the protocol's form: each names its place, and shows the problems that the server finds there. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Row } from "./protocol_model";
import { textOf } from "./protocol_model";

export interface Problem {
  readonly at: string;
  readonly code: string;
  readonly message: string;
}

/** A row that is edited: where it stands in the protocol, and what a change of it does. */
export interface Edited {
  readonly row: Row;
  readonly at: string;
  readonly problems: readonly Problem[];
  readonly change: (row: Row) => void;
  readonly set: (field: string, value: unknown) => void;
}

export interface Look {
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly mono?: boolean;
  readonly wide?: boolean;
}

const id = (at: string): string => `p-${at.replace(/[^a-z0-9]/gi, "-")}`;

/** Whether the server found something at this very place or below it. */
export const isWrong = (at: string, problems: readonly Problem[]): boolean =>
  problems.some((one) => one.at === at || one.at.startsWith(`${at}.`));

export const typed = (event: Event): string =>
  (event.target as HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement).value;

const framed = (at: string, { label, hint, wide }: Look, control: unknown): TemplateResult => html`
  <div class="field ${wide ? "wide" : ""}">
    <label for=${id(at)}>${label}</label>
    ${control} ${hint ? html`<p class="hint">${hint}</p>` : nothing}
  </div>
`;

export const textField = (
  edited: Edited,
  field: string,
  look: Look,
  change: (words: string) => void = (words) => edited.set(field, words),
): TemplateResult => {
  const at = `${edited.at}.${field}`;
  return framed(
    at,
    look,
    html`<input
      class="input ${look.mono ? "mono" : ""}"
      id=${id(at)}
      type="text"
      autocomplete="off"
      placeholder=${look.placeholder ?? nothing}
      aria-invalid=${isWrong(at, edited.problems) ? "true" : "false"}
      .value=${live(textOf(edited.row, field))}
      @input=${(event: Event) => change(typed(event))}
    />`,
  );
};

const numberOrWords = (text: string): unknown => {
  const number = Number(text.replace(",", "."));
  return text.trim() === "" || Number.isNaN(number) ? text : number;
};

export const numberField = (edited: Edited, field: string, look: Look): TemplateResult => {
  const at = `${edited.at}.${field}`;
  return framed(
    at,
    look,
    html`<input
      class="input short"
      id=${id(at)}
      type="text"
      inputmode="decimal"
      autocomplete="off"
      placeholder=${look.placeholder ?? nothing}
      aria-invalid=${isWrong(at, edited.problems) ? "true" : "false"}
      .value=${textOf(edited.row, field)}
      @change=${(event: Event) => edited.set(field, numberOrWords(typed(event)))}
    />`,
  );
};

export interface Option {
  readonly value: string;
  readonly words: string;
}

export const selectField = (
  edited: Edited,
  field: string,
  look: Look,
  options: readonly Option[],
  change: (value: string) => void = (value) => edited.set(field, value),
): TemplateResult => {
  const at = `${edited.at}.${field}`;
  const chosen = textOf(edited.row, field);
  const known = options.some(({ value }) => value === chosen);
  const shown = known ? options : [{ value: chosen, words: chosen || "Choose" }, ...options];
  return framed(
    at,
    look,
    html`<select
      class="input"
      id=${id(at)}
      aria-invalid=${isWrong(at, edited.problems) ? "true" : "false"}
      .value=${live(chosen)}
      @change=${(event: Event) => change(typed(event))}
    >
      ${shown.map(({ value, words }) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`)}
    </select>`,
  );
};

export const tick = (label: string, isOn: boolean, change: (isOn: boolean) => void): TemplateResult => html`
  <label class="tick">
    <input
      type="checkbox"
      .checked=${live(isOn)}
      @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
    />
    <span>${label}</span>
  </label>
`;

export const small = (
  words: string,
  act: () => void,
  { isDisabled = false, title = words }: { isDisabled?: boolean; title?: string } = {},
): TemplateResult => html`
  <button
    class="button small quiet"
    type="button"
    aria-label=${title}
    title=${title}
    ?disabled=${isDisabled}
    @click=${act}
  >
    ${words}
  </button>
`;
