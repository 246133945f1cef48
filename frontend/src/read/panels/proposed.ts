/** What the model would draw: one region at a time, or the mask, to be taken or left out. */

import { html, nothing, type TemplateResult } from "lit";
import { choicesOf, type Question } from "../../protocol/types";
import { say } from "../../words/say";
import { keepFocus } from "./choices";
import { keyOf, type Screen } from "./screen";

const act = (screen: Screen, name: string, label: string, run: () => void) => html`
  <button class="button small" type="button" @mousedown=${keepFocus} @click=${run}>
    ${label} ${keyOf(screen, name)}
  </button>
`;

const box = (words: string, acts: unknown = nothing) => html`
  <div class="proposed" role="group" aria-label=${say("model_suggests")} data-proposed>
    <p class="hint" role="status">${words}</p>
    ${acts === nothing ? nothing : html`<div class="proposed-acts">${acts}</div>`}
  </div>
`;

const regions = (question: Question, screen: Screen): TemplateResult => {
  const { proposals, actions } = screen;
  const all = (proposals?.candidates ?? []).filter((one) => one.question.key === question.key);
  const here = all.findIndex(({ region }) => region.id === proposals?.candidate?.region.id);
  const candidate = all[Math.max(0, here)];
  if (!candidate) return box(say("suggestions_done"));
  const name = choicesOf(question).find(({ value }) => value === candidate.region.label)?.label ?? "";
  const facts = {
    nth: Math.max(0, here) + 1,
    count: all.length,
    name,
    percent: Math.round(100 * candidate.score),
  };
  return box(
    say("regions_suggested", facts),
    html`
      ${act(screen, "take_suggestion", say("take_suggestion"), actions.takeSuggestion)}
      ${act(screen, "leave_suggestion", say("leave_suggestion"), actions.leaveSuggestion)}
      ${all.length > 1 ? act(screen, "next_suggestion", say("next_suggestion"), actions.nextSuggestion) : nothing}
      ${all.length > 1 ? act(screen, "take_all", say("take_all_suggestions"), actions.takeAll) : nothing}
    `,
  );
};

const mask = (question: Question, screen: Screen): TemplateResult => {
  const { proposals, actions } = screen;
  const waiting = proposals?.mask;
  if (waiting?.question !== question.key) return box(say("suggestions_done"));
  return box(
    say("mask_suggested", { percent: Math.round(100 * (waiting.scores.mask ?? 0)) }),
    html`
      ${act(screen, "take_suggestion", say("take_suggestion"), actions.takeSuggestion)}
      ${act(screen, "leave_suggestion", say("leave_suggestion"), actions.leaveSuggestion)}
    `,
  );
};

/** The proposal for a question; nothing where none may be seen. */
export const proposed = (question: Question, screen: Screen): TemplateResult | typeof nothing => {
  if (!screen.proposals?.shown(question.key)) return nothing;
  if (screen.proposals.isEmpty(question.key)) return box(say("nothing_suggested"));
  return question.kind === "segmentation" ? mask(question, screen) : regions(question, screen);
};
