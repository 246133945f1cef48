/** Why the case was chosen, and what the model would say of it: in words and in a small picture. */

import { html, nothing, type TemplateResult } from "lit";
import type { Suggestion, Why } from "../../api/types";
import { choicesOf } from "../../protocol/types";
import { say, type WordKey } from "../../words/say";
import { drawnShown, protocolOf, type RoomState, suggestionShown } from "../state";
import { keepFocus } from "./choices";
import { keyOf, type Screen } from "./screen";

const REASONS: Readonly<Record<string, WordKey>> = {
  cold_start: "why_cold_start",
  uncertain: "why_uncertain",
  disagreement: "why_disagreement",
  boundary: "why_boundary",
  diverse: "why_diverse",
  coverage: "why_coverage",
  random_audit: "why_random_audit",
  random: "why_random",
  unranked: "why_unranked",
  second_reading: "why_second_reading",
  practice: "why_practice",
  qualification: "why_qualification",
};

/** In the reader's language where the words are ours; a colleague's own words stay as they are. */
const words = ({ reason, stream, text }: Why): string => {
  const isGold = reason === "practice" || reason === "qualification";
  const key = stream === "audit" && !isGold ? "why_random_audit" : REASONS[reason];
  return key ? say(key) : text;
};

/** Where the case lies between what the model is sure of and what it has no idea of. */
const scale = (uncertainty: number) => {
  const place = `${(100 * Math.min(1, Math.max(0, uncertainty))).toFixed(0)}%`;
  return html`
    <div class="scale" role="img" aria-label=${say("uncertainty_is", { percent: place.slice(0, -1) })}>
      <span class="scale-end">${say("sure")}</span>
      <span class="scale-track"><span class="scale-mark" style="inset-inline-start: ${place}"></span></span>
      <span class="scale-end">${say("unsure")}</span>
    </div>
  `;
};

const rank = ({ rank: nth, pool_size }: Why) =>
  nth === null ? nothing : html`<p class="why-rank">${say("rank_of", { nth, count: pool_size })}</p>`;

export const why = (state: RoomState): TemplateResult | typeof nothing => {
  if (state.current?.kind !== "case") return nothing;
  const { leased } = state.current;
  const { uncertainty } = leased.why;
  return html`
    <section class="why" aria-label=${say("why_this_case")}>
      <h2>${say("why_this_case")}</h2>
      <p>${words(leased.why)}</p>
      ${typeof uncertainty === "number" ? scale(uncertainty) : nothing} ${rank(leased.why)}
    </section>
  `;
};

const bar = (label: string, likely: number) => html`
  <li class="likely">
    <span class="likely-label">${label}</span>
    <span class="likely-track" aria-hidden="true"
      ><span class="likely-bar" style="inline-size: ${(100 * likely).toFixed(0)}%"></span
    ></span>
    <span class="likely-number">${Math.round(100 * likely)} %</span>
  </li>
`;

const bars = (suggestion: Suggestion, state: RoomState) => {
  const question = state.current
    ? protocolOf(state.current).questions.find(({ key }) => key === suggestion.question)
    : undefined;
  const labels = new Map((question ? choicesOf(question) : []).map(({ value, label }) => [value, label]));
  const sorted = Object.entries(suggestion.probabilities ?? {}).sort((a, b) => b[1] - a[1]);
  return html`
    <section class="suggestion" aria-label=${say("model_suggests")} data-suggestion>
      <h2>${say("model_suggests")}</h2>
      <ul class="likelies">
        ${sorted.map(([value, likely]) => bar(labels.get(value) ?? value, likely))}
      </ul>
      <p class="hint">${say("suggestion_note")}</p>
    </section>
  `;
};

/** The suggestion as the project shows it: its bars, or the button that asks for them, or nothing. */
export const suggestion = (screen: Screen): TemplateResult | typeof nothing => {
  const { state, actions } = screen;
  const shown = suggestionShown(state);
  if (shown) return bars(shown, state);
  const isOnDemand =
    state.current?.kind === "case" && state.current.leased.suggestion.mode === "on_demand" && !state.lost;
  if (!isOnDemand || drawnShown(state).length > 0) return nothing;
  return html`
    <button class="button small ask-suggestion" @mousedown=${keepFocus} @click=${actions.suggest}>
      ${say("show_suggestion")} ${keyOf(screen, "suggestion")}
    </button>
  `;
};
