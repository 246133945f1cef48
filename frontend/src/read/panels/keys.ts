/** The help page of the keys, which is also where they are changed. */

import { html, nothing, type TemplateResult } from "lit";
import { language, say } from "../../words/say";
import { type Binding, shownKeys } from "../keys";
import { dialog } from "./frame";
import { keycap, type Screen } from "./screen";

const changeButton = ({ act, what, isFixed }: Binding, { forms, fill }: Screen) => {
  if (isFixed) return nothing;
  const isWaiting = forms.capturing === act;
  return html`
    <button
      class="button quiet small"
      type="button"
      aria-label=${say("change_key_of", { what: say(what) })}
      @click=${() => fill({ capturing: isWaiting ? "" : act, refused: "" })}
    >
      ${isWaiting ? say("press_a_key") : say("change")}
    </button>
  `;
};

const row = (binding: Binding, screen: Screen) => {
  const { forms, state } = screen;
  const isWaiting = forms.capturing === binding.act;
  return html`
    <tr class=${isWaiting ? "capturing" : ""}>
      <th scope="row">${shownKeys(binding).map(keycap)}<span class="visually-hidden">${shownKeys(binding).join(" ")}</span></th>
      <td>
        ${say(binding.what)} ${state.keys[binding.act] ? html`<span class="optional">${say("own_key")}</span>` : nothing}
        ${isWaiting && forms.refused !== "" ? html`<p class="problem" role="alert">${forms.refused}</p>` : nothing}
      </td>
      <td>${changeButton(binding, screen)}</td>
    </tr>
  `;
};

const group = (name: Binding["group"], screen: Screen) => html`
  <table class="keys">
    <caption>${say(name)}</caption>
    <tbody>
      ${screen.bindings.filter((binding) => binding.group === name).map((binding) => row(binding, screen))}
    </tbody>
  </table>
`;

const languages = ({ session }: Screen) => {
  const choose = async (event: Event) => {
    const chosen = (event.target as HTMLSelectElement).value === "zh-hans" ? "zh-hans" : "en";
    if (await session.flow.changeLanguage(chosen)) window.location.reload();
  };
  return html`
    <label class="language">
      <span>${say("language")}</span>
      <select class="input" @change=${choose}>
        <option value="en" lang="en" ?selected=${language() === "en"}>English</option>
        <option value="zh-hans" lang="zh-Hans" ?selected=${language() === "zh-hans"}>简体中文</option>
      </select>
    </label>
  `;
};

const reset = ({ session, state }: Screen) =>
  Object.keys(state.keys).length > 0
    ? html`<button class="button small" type="button" @click=${() => void session.flow.changeKeys({})}>
        ${say("reset_keys")}
      </button>`
    : nothing;

export const keysDialog = (screen: Screen): TemplateResult =>
  dialog(
    screen,
    "keys",
    say("keys"),
    html`
      <div class="key-columns">
        ${group("group_reading", screen)} ${group("group_image", screen)} ${group("group_drawing", screen)}
      </div>
      <div class="row keys-foot">${languages(screen)} ${reset(screen)}</div>
      <p class="dialog-foot">${say("mouse_words")} <kbd>Esc</kbd> ${say("closes")}</p>
    `,
    true,
  );
