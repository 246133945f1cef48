/** The panel beside the image: the case, the questions, why it was chosen, and what Enter does. */

import { html, nothing, type TemplateResult } from "lit";
import { problemsOf } from "../../protocol/problems";
import { many, say } from "../../words/say";
import { questionsOf, type RoomState, viewOf } from "../state";
import { keepFocus } from "./choices";
import { questionPanel } from "./question";
import { keyOf, type Screen } from "./screen";
import { suggestion, why } from "./why";

const pace = (state: RoomState): string => {
  const seconds = state.today?.median_seconds;
  if (state.current?.kind !== "case" || seconds === null || seconds === undefined) return "";
  return say("about_seconds", { seconds: Math.max(1, Math.round(seconds)) });
};

const heading = (state: RoomState) => {
  if (!state.current) return nothing;
  const { number, modality, instances } = viewOf(state.current);
  const count = instances.reduce((sum, { frames }) => sum + frames, 0);
  const facts = [modality, count > 1 ? many("images", count) : "", pace(state)].filter(Boolean);
  return html`
    <header class="case-head">
      <h1>${say("case_nth", { number })}</h1>
      <p class="case-facts">${facts.join(" · ")}</p>
    </header>
  `;
};

const past = (state: RoomState) => {
  if (state.current?.kind !== "past") return nothing;
  const { revision, submitted_at, comment } = state.current.past;
  const time = new Date(submitted_at).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit",
    minute: "2-digit",
  });
  return html`
    <section class="why revising" aria-label=${say("revising")}>
      <h2>${say("revising_title")}</h2>
      <p>${say("revising_words", { time, revision })}</p>
      ${
        typeof comment === "string"
          ? html`<p><strong>${say("returned_words")}</strong> ${comment}</p> <p>${say("returned_foot")}</p>`
          : nothing
      }
    </section>
  `;
};

/** A colleague asks: what, and the reply. */
const question = (screen: Screen) => {
  const { state, session, forms, fill } = screen;
  if (state.current?.kind !== "asked") return nothing;
  const { by, text } = state.current.asked.remark;
  return html`
    <section class="asked" aria-labelledby="asked-title">
      <h2 id="asked-title">${say("asks_you", { name: by })}</h2>
      <blockquote>${text}</blockquote>
      <textarea
        class="input field-text"
        rows="3"
        maxlength="1000"
        aria-label=${say("your_reply")}
        placeholder=${say("your_reply")}
        .value=${forms.comment}
        @input=${(event: Event) => fill({ comment: (event.target as HTMLTextAreaElement).value })}
      ></textarea>
      <div class="row">
        <button class="button primary" @click=${() => void session.reply(forms.comment)}>
          ${say("send_reply_button")} ${keyOf(screen, "confirm")}
        </button>
        <button class="button" @click=${screen.actions.escape}>${say("return")} ${keyOf(screen, "escape")}</button>
      </div>
    </section>
  `;
};

const act = (screen: Screen, name: string, label: string, run: () => void) => html`
  <button class="button small" @mousedown=${keepFocus} @click=${run}>${label} ${keyOf(screen, name)}</button>
`;

const besides = (screen: Screen) => {
  const { actions, state } = screen;
  if (state.current?.kind !== "case" || state.lost) return nothing;
  return html`
    <div class="besides">
      ${act(screen, "back", say("back"), actions.back)}
      ${act(screen, "skip", say("skip"), () => actions.open("skip"))}
      ${act(screen, "unreadable", say("unreadable"), () => actions.open("unreadable"))}
      ${act(screen, "flag", say("flag"), () => actions.remark("flag"))}
      ${act(screen, "comment", say("comment"), () => actions.remark("comment"))}
      ${act(screen, "ask", say("ask"), () => actions.remark("question"))}
    </div>
  `;
};

const foot = (screen: Screen) => {
  const { state, session, actions } = screen;
  if (!state.current || state.lost || state.current.kind === "asked") return nothing;
  const isPast = state.current.kind === "past";
  const isJudged = state.current.kind === "case" && state.current.leased.why.reason === "adjudication";
  const submit = isJudged ? say("judge_decide") : say("submit_next");
  const isReady = state.image === "shown" && problemsOf(questionsOf(state), session.desk.sent).length === 0;
  return html`
    <footer class="side-foot">
      <button class="button primary submit" aria-disabled=${isReady ? "false" : "true"} @click=${actions.confirm}>
        ${isPast ? say("save_revision") : submit} ${keyOf(screen, "confirm")}
      </button>
      ${
        isPast
          ? html`<button class="button" @click=${actions.escape}>${say("return")} ${keyOf(screen, "escape")}</button>`
          : nothing
      }
    </footer>
  `;
};

const notice = ({ notice: said }: RoomState) => html`
  <p class="said ${said?.tone ?? "plain"}" role="status">${said?.text ?? ""}</p>
`;

const rival = (screen: Screen) =>
  screen.state.rival
    ? html`<button class="button small" @click=${screen.actions.takeBack}>
        ${say("take_mine")} ${keyOf(screen, "take_back")}
      </button>`
    : nothing;

/** What was just sent by one key, and the way back. */
const undo = (screen: Screen) => {
  const { undo: sent } = screen.state;
  if (!sent) return nothing;
  return html`
    <p class="undo" role="status">
      <span>${say("sent_by_one_key", { number: sent.number, answer: sent.answer })}</span>
      <button class="button small" @mousedown=${keepFocus} @click=${screen.actions.back}>
        ${say("change")} ${keyOf(screen, "back")}
      </button>
    </p>
  `;
};

export const sidePanel = (screen: Screen): TemplateResult => {
  const { state } = screen;
  return html`
    <aside class="side" aria-label=${say("reading")} ?data-past=${state.current?.kind === "past"}>
      <div class="side-scroll">
        ${heading(state)} ${past(state)} ${undo(screen)} ${question(screen)}
        ${state.current ? questionPanel(screen) : nothing}
        ${notice(state)} ${rival(screen)} ${suggestion(screen)} ${why(state)} ${besides(screen)}
      </div>
      ${foot(screen)}
    </aside>
  `;
};
