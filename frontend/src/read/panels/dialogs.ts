/** The two dialogs: why a case is skipped, and the keys. */

import { html, nothing, type TemplateResult } from "lit";
import { BINDINGS, type Binding, type RoomActions } from "../keys";
import { SKIP_REASONS } from "../skips";
import type { RoomState } from "../state";

const cancel = (actions: RoomActions) => (event: Event) => {
  event.preventDefault();
  actions.escape();
};

const skip = (actions: RoomActions) => html`
  <dialog class="dialog" aria-labelledby="skip-title" @cancel=${cancel(actions)}>
    <h2 id="skip-title">Skip this case: why?</h2>
    <div class="reasons">
      ${SKIP_REASONS.map(
        ({ label }, nth) => html`
          <button class="button reason" @click=${() => actions.skip(nth)}>
            <kbd aria-hidden="true">${nth + 1}</kbd> ${label}
          </button>
        `,
      )}
    </div>
    <p class="dialog-foot">It goes back to the queue for others. <kbd>Esc</kbd> keeps it.</p>
  </dialog>
`;

const row = ({ shown, what }: Binding) => html`
  <tr>
    <th scope="row">${shown.map((key) => (key === "…" ? html`<span>…</span>` : html`<kbd>${key}</kbd>`))}</th>
    <td>${what}</td>
  </tr>
`;

const group = (name: Binding["group"]) => html`
  <table class="keys">
    <caption>${name}</caption>
    <tbody>${BINDINGS.filter((binding) => binding.group === name).map(row)}</tbody>
  </table>
`;

const keys = (actions: RoomActions) => html`
  <dialog class="dialog wide" aria-labelledby="keys-title" @cancel=${cancel(actions)}>
    <h2 id="keys-title">Keys</h2>
    <div class="key-columns">${group("Reading")} ${group("Image")}</div>
    <p class="dialog-foot">
      Mouse: drag for the chosen tool, right drag magnifies, middle drag moves, wheel scrolls. <kbd>Esc</kbd> closes.
    </p>
  </dialog>
`;

export const dialogs = (state: RoomState, actions: RoomActions): TemplateResult | typeof nothing => {
  if (state.dialog === "skip") return skip(actions);
  return state.dialog === "keys" ? keys(actions) : nothing;
};
