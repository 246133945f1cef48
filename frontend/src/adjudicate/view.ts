/** The adjudication room's panel: what differs, side by side, and the acts. */

import { html, nothing, type TemplateResult } from "lit";
import type { Decided } from "../api/types";
import { choicesOf, type Question } from "../protocol/types";
import { say } from "../words/say";
import { diceOf } from "./comparing";
import { isOpen, isWhole, type Judging, type JudgingState, lettersIn, MODEL, questionsIn } from "./judging";
import { classOf, colourOf, isPainted, masksOf } from "./picture";
import { saidIn } from "./said";

/** What the page gives and does. */
export interface Acts {
  readonly edit: () => void;
  readonly slide: (index: number) => void;
}

export interface Place {
  readonly index: number;
  readonly count: number;
}

const swatch = (name: string): TemplateResult =>
  html`<i class="judged-swatch" style="background:${colourOf(name)}" aria-hidden="true"></i>`;

const nameOf = (name: string): string =>
  name === MODEL ? say("judge_model") : say("judge_reader", { name });

const sideButton = (judging: Judging, question: Question, name: string, nth: number): TemplateResult => {
  const { state } = judging;
  const isPicked = state.picks[question.key] === name;
  const side = state.dispute?.sides.find(({ letter }) => letter === name);
  const value = isPainted(question) ? classOf(state, question) : "";
  return html`
    <button
      class="judged-side"
      type="button"
      aria-pressed=${isPicked ? "true" : "false"}
      ?disabled=${!isOpen(state)}
      @click=${() => judging.pick(name, question.key)}
    >
      <span class="judged-name">${swatch(name)} ${nameOf(name)} <kbd aria-hidden="true">${nth + 1}</kbd></span>
      <strong>${side ? saidIn(question, side.answers, value) : ""}</strong>
    </button>
  `;
};

const modelLine = ({ model, visible }: JudgingState, question: Question): TemplateResult | typeof nothing => {
  if (!model || !visible.has(MODEL)) return nothing;
  const chances = model.question === question.key ? Object.entries(model.probabilities ?? {}) : [];
  const words = chances
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([value, share]) => {
      const label = choicesOf(question).find((choice) => choice.value === value)?.label ?? value;
      return `${label} ${Math.round(share * 100)} %`;
    });
  const isDrawn = question.key in model.drawn;
  const told =
    words.length > 0 ? words.join(", ") : isDrawn ? say("judge_model_drawn") : say("judge_model_silent");
  return html`<p class="judged-model">${swatch(MODEL)} ${say("judge_model")}: ${told}</p>`;
};

/** Which class of a mask is compared, and how well the first two agree on it. */
const compared = (judging: Judging, question: Question): TemplateResult | typeof nothing => {
  const { state } = judging;
  if (!isPainted(question)) return nothing;
  const masks = masksOf(state, question.key);
  const [one = "", other = ""] = lettersIn(state);
  const value = classOf(state, question);
  const dice = diceOf(masks.get(one) ?? null, masks.get(other) ?? null, value);
  const chosen = (event: Event) => judging.compare(question.key, (event.target as HTMLSelectElement).value);
  return html`
    <p class="judged-classes">
      ${
        question.classes.length > 1
          ? html`<label>${say("judge_class")}
            <select class="input" @change=${chosen}>
              ${question.classes.map((one) => html`<option value=${one.value} ?selected=${one.value === value}>${one.label}</option>`)}
            </select></label>`
          : nothing
      }
      <span class="faint">${dice === null ? say("judge_dice_none") : say("judge_dice", { one, other, dice: dice.toFixed(2) })}</span>
    </p>
  `;
};

const card = (judging: Judging, question: Question): TemplateResult => {
  const { state } = judging;
  const isActive = question.key === state.active;
  return html`
    <section
      class="card judged-question${isActive ? " active" : ""}"
      aria-labelledby="judged-${question.key}"
      @focusin=${() => judging.activate(question.key)}
      @pointerdown=${() => judging.activate(question.key)}
    >
      <h2 id="judged-${question.key}">${question.prompt}</h2>
      ${compared(judging, question)}
      <div class="judged-sides">
        ${lettersIn(state).map((name, nth) => sideButton(judging, question, name, nth))}
      </div>
      ${modelLine(state, question)}
    </section>
  `;
};

const layerButtons = (judging: Judging): TemplateResult => {
  const { state } = judging;
  const names = [...lettersIn(state), ...(state.model ? [MODEL] : [])];
  return html`
    <div class="row judged-layers" role="group" aria-label=${say("judge_shown")}>
      ${names.map(
        (name) => html`
          <button
            class="button small"
            type="button"
            aria-pressed=${state.visible.has(name) ? "true" : "false"}
            @click=${() => judging.toggle(name)}
          >
            ${swatch(name)} ${nameOf(name)}
          </button>
        `,
      )}
      <button class="button small quiet" type="button" @click=${() => judging.cycle()}>${say("judge_cycle")} <kbd>V</kbd></button>
      ${
        state.model
          ? nothing
          : html`<button class="button small quiet" type="button" @click=${() => void judging.showModel()}>${say("judge_show_model")} <kbd>M</kbd></button>`
      }
    </div>
  `;
};

const slider = ({ index, count }: Place, slide: Acts["slide"]): TemplateResult | typeof nothing =>
  count < 2
    ? nothing
    : html`<label class="row case-slices"><span class="faint">${index + 1} / ${count}</span>
        <input type="range" min="1" max=${count} .value=${String(index + 1)} aria-label=${say("judge_images")}
          @input=${(event: Event) => slide((event.target as HTMLInputElement).valueAsNumber - 1)} /></label>`;

export const underImage = (judging: Judging, place: Place, acts: Acts): TemplateResult =>
  html`${slider(place, acts.slide)} ${layerButtons(judging)}`;

const bar = (judging: Judging, acts: Acts): TemplateResult => {
  const { state } = judging;
  const isUndecided = state.dispute?.state === "open";
  return html`
    <div class="judged-bar">
      <button class="button primary" type="button" ?disabled=${!isWhole(state) || !isOpen(state) || state.isBusy} @click=${() => void judging.decide()}>
        ${isUndecided ? say("judge_decide") : say("judge_decide_again")} <kbd>↵</kbd>
      </button>
      <button class="button" type="button" ?disabled=${!isOpen(state)} @click=${acts.edit}>${say("judge_edit")} <kbd>E</kbd></button>
      <button class="button" type="button" ?disabled=${!isUndecided} @click=${() => judging.openDialog("return")}>${say("judge_send_back")} <kbd>S</kbd></button>
      <button class="button" type="button" @click=${() => judging.next()}>${say("judge_next")} <kbd>N</kbd></button>
      <button class="button quiet" type="button" @click=${() => judging.openDialog("keys")}>${say("keys")} <kbd>?</kbd></button>
    </div>
  `;
};

const ACTS = {
  taken: "judge_was_taken",
  edited: "judge_was_edited",
  returned: "judge_was_returned",
} as const;

const decided = (one: Decided): TemplateResult => {
  const letters = [...new Set(Object.values(one.taken))].join(", ");
  const when = new Date(one.at).toLocaleString(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return html`<li>
    ${say(ACTS[one.act], { letters })} <span class="faint">${when}${one.is_mine ? ` · ${say("judge_by_you")}` : ""}</span>
    ${one.comment ? html`<p class="soft">“${one.comment}”</p>` : nothing}
  </li>`;
};

const history = ({ dispute }: JudgingState): TemplateResult | typeof nothing =>
  dispute && dispute.decisions.length > 0
    ? html`<section class="card"><h2>${say("judge_so_far")}</h2><ol class="judged-history">${dispute.decisions.map(decided)}</ol></section>`
    : nothing;

const keyRows = (): [string, string][] => [
  ["1 2 / A B", say("judge_key_pick")],
  ["← →", say("judge_key_turn")],
  ["↵", say("judge_decide")],
  ["E", say("judge_key_edit")],
  ["S", say("judge_key_back")],
  ["N", say("judge_key_next")],
  ["V", say("judge_key_cycle")],
  ["M", say("judge_key_model")],
  ["↑ ↓", say("judge_images")],
  ["?", say("keys")],
];

const keysDialog = (judging: Judging): TemplateResult => html`
  <dialog aria-label=${say("keys")} @close=${() => judging.openDialog("none")}>
    <h2>${say("keys")}</h2>
    <table class="table dense">
      <tbody>${keyRows().map(([keys, words]) => html`<tr><td>${keys.split(" ").map((key) => (key === "/" ? " / " : html`<kbd>${key}</kbd> `))}</td><td>${words}</td></tr>`)}</tbody>
    </table>
    <form method="dialog"><button class="button">${say("judge_close")}</button></form>
  </dialog>
`;

const returnDialog = (judging: Judging): TemplateResult => {
  const sent = (event: Event) => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).querySelector("textarea");
    void judging.sendBack(field?.value ?? "");
  };
  const typed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    (event.target as HTMLTextAreaElement).form?.requestSubmit();
  };
  return html`
    <dialog aria-label=${say("judge_send_back")} @close=${() => judging.openDialog("none")}>
      <form class="form" @submit=${sent}>
        <h2>${say("judge_send_back")}</h2>
        <div class="field">
          <label for="judged-words">${say("judge_words")}</label>
          <textarea class="input" id="judged-words" rows="4" maxlength="1000" required @keydown=${typed}></textarea>
          <p class="hint">${say("judge_words_hint")}</p>
        </div>
        <div class="row">
          <button class="button primary" ?disabled=${judging.state.isBusy}>${say("judge_send")}</button>
          <button class="button" type="button" @click=${() => judging.openDialog("none")}>${say("cancel")}</button>
        </div>
      </form>
    </dialog>
  `;
};

export const panel = (judging: Judging, acts: Acts): TemplateResult => {
  const { state } = judging;
  const notice = state.notice
    ? html`<p class="notice ${state.isBad ? "bad" : ""}" role="alert">${state.notice}</p>`
    : nothing;
  if (!state.dispute) return html`${notice}`;
  return html`
    ${notice}
    ${state.dispute.state === "returned" ? html`<p class="notice">${say("judge_is_away")}</p>` : nothing}
    ${state.dispute.state === "agreed" ? html`<p class="notice">${say("judge_is_agreed")}</p>` : nothing}
    ${questionsIn(state).map((question) => card(judging, question))} ${bar(judging, acts)} ${history(state)}
    ${state.dialog === "return" ? returnDialog(judging) : state.dialog === "keys" ? keysDialog(judging) : nothing}
  `;
};
