/** The panel beside the image: the case, the question, why it was chosen, and what Enter does. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomActions } from "../keys";
import { firstOpen, questionsOf, type RoomState, viewOf } from "../state";
import { questionPanel } from "./question";

const heading = (state: RoomState) => {
  if (!state.current) return nothing;
  const { number, modality, instances } = viewOf(state.current);
  const count = instances.reduce((sum, { frames }) => sum + frames, 0);
  return html`
    <header class="case-head">
      <h1>Case ${number}</h1>
      <p class="case-facts">${modality}${count > 1 ? html` · ${count} images` : nothing}</p>
    </header>
  `;
};

const why = (state: RoomState) => {
  if (state.current?.kind !== "case") return nothing;
  return html`
    <section class="why" aria-label="Why this case">
      <h2>Why this case</h2>
      <p>${state.current.leased.why.text}</p>
    </section>
  `;
};

const past = (state: RoomState) => {
  if (state.current?.kind !== "past") return nothing;
  const { revision, submitted_at } = state.current.past;
  const time = new Date(submitted_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return html`
    <section class="why revising" aria-label="Revising">
      <h2>Revising your last reading</h2>
      <p>Submitted ${time}, revision ${revision}. A change becomes a new revision; the old one is kept.</p>
    </section>
  `;
};

const buttons = (state: RoomState, actions: RoomActions) => {
  const isPast = state.current?.kind === "past";
  const isReady = state.image === "shown" && firstOpen(questionsOf(state), state.answers) === -1;
  return html`
    <footer class="side-foot">
      <button class="button primary submit" aria-disabled=${isReady ? "false" : "true"} @click=${actions.confirm}>
        ${isPast ? "Save revision" : "Submit, next"} <kbd aria-hidden="true">Enter</kbd>
      </button>
      ${
        isPast
          ? html`<button class="button" @click=${actions.escape}>Return <kbd aria-hidden="true">Esc</kbd></button>`
          : html`
              <button class="button" @click=${actions.back}>Back <kbd aria-hidden="true">Z</kbd></button>
              <button class="button" @click=${() => actions.open("skip")}>
                Skip <kbd aria-hidden="true">S</kbd>
              </button>
            `
      }
    </footer>
  `;
};

const notice = ({ notice: said }: RoomState) => html`
  <p class="said ${said?.tone ?? "plain"}" role="status">${said?.text ?? ""}</p>
`;

export const sidePanel = (state: RoomState, actions: RoomActions): TemplateResult => html`
  <aside class="side" aria-label="Reading" ?data-past=${state.current?.kind === "past"}>
    ${heading(state)} ${past(state)}
    ${state.current ? questionPanel(state, actions) : nothing}
    ${notice(state)} ${why(state)} ${state.current && !state.lost ? buttons(state, actions) : nothing}
  </aside>
`;
