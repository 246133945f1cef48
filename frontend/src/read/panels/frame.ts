/** The frame of every dialog: a title, and Escape closes. */

import { html, type TemplateResult } from "lit";
import type { Screen } from "./screen";

export const dialog = (
  screen: Screen,
  id: string,
  title: string,
  content: unknown,
  isWide = false,
): TemplateResult => html`
  <dialog
    class="dialog ${isWide ? "wide" : ""}"
    aria-labelledby="${id}-title"
    @cancel=${(event: Event) => {
      event.preventDefault();
      screen.actions.escape();
    }}
  >
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </dialog>
`;
