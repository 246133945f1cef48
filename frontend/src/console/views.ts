/** Two ways to write the same: a form, and its JSON beside. */

import { html, type TemplateResult } from "lit";

export type View = "form" | "json";

/** Buttons that change between them. isFormClosed: what stands in JSON cannot be shown as a form. */
export const viewButtons = (
  shown: View,
  isFormClosed: boolean,
  choose: (view: View) => void,
): TemplateResult => {
  const button = (view: View, words: string) => html`
    <button
      class="button small"
      type="button"
      aria-pressed=${shown === view ? "true" : "false"}
      ?disabled=${isFormClosed && view === "form"}
      @click=${() => choose(view)}
    >
      ${words}
    </button>
  `;
  return html`<div class="segmented" role="group" aria-label="Show">${button("form", "Form")} ${button("json", "JSON")}</div>`;
};
