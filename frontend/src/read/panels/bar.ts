/** The line above the image: where the reader is, how far, and whether everything is saved. */

import { html, nothing, type TemplateResult } from "lit";
import { many, say } from "../../words/say";
import type { RoomState } from "../state";
import { icon } from "./icons";
import { keyOf, type Screen } from "./screen";

interface Saving {
  readonly tone: "ok" | "busy" | "warn" | "none";
  readonly text: string;
}

/** Nothing is called saved before the server has said so. */
const notSaved = (state: RoomState): Saving | null => {
  const isAway = state.connection !== "online";
  if (state.pending > 0 && isAway) return { tone: "warn", text: many("kept_here", state.pending) };
  if (state.pending > 0) return { tone: "busy", text: say("saving") };
  if (state.draft === "kept_here") return { tone: "warn", text: say("draft_kept_here") };
  return null;
};

export const savingOf = (state: RoomState): Saving => {
  const open = notSaved(state);
  if (open) return open;
  if (state.draft === "saving") return { tone: "busy", text: say("saving_draft") };
  if (state.draft === "saved") return { tone: "ok", text: say("draft_saved") };
  return state.hasSaved ? { tone: "ok", text: say("all_saved") } : { tone: "none", text: "" };
};

const meter = (share: number) => html`
  <span class="meter" aria-hidden="true"
    ><span style="inline-size: ${(100 * Math.min(1, share)).toFixed(1)}%"></span
  ></span>
`;

/** To the goal of the day where the project has one, else through the project. */
const progress = ({ progress: done, left, today }: RoomState) => {
  if (!done) return nothing;
  const all = done.read + left;
  const goal = today?.goal ?? null;
  const share = goal ? (today?.read ?? 0) / goal : all === 0 ? 0 : done.read / all;
  return html`
    <p class="bar-progress">
      ${
        goal
          ? html`<span class="bar-goal">${say("of_goal", { read: today?.read ?? 0, goal })}</span>`
          : html`<span><strong>${done.read_by_me}</strong> ${say("read_by_me")}</span>`
      }
      <span class="bar-left"><strong>${left}</strong> ${say("left")}</span>
      ${meter(share)}
    </p>
  `;
};

const asked = ({ state, actions }: Screen) => {
  const { asked: questions = [], returned = [] } = state.remarks ?? {};
  if (questions.length + returned.length === 0) return nothing;
  const words = [
    questions.length > 0 ? many("questions_for_you", questions.length) : "",
    returned.length > 0 ? many("returned", returned.length) : "",
  ];
  return html`
    <button class="button small asked-badge" @click=${() => actions.open("asked")}>
      ${words.filter(Boolean).join(" · ")}
    </button>
  `;
};

export const topBar = (screen: Screen): TemplateResult => {
  const { state, place, actions } = screen;
  const saving = savingOf(state);
  return html`
    <header class="room-bar">
      <a class="bar-home" href=${place.projectUrl}><span aria-hidden="true">←</span> ${place.projectName}</a>
      <p class="saving ${saving.tone}" role="status" data-saving=${saving.tone}>${saving.text}</p>
      ${asked(screen)} ${progress(state)}
      <button class="button quiet small" @click=${() => actions.open("today")}>
        ${say("today")} ${keyOf(screen, "today")}
      </button>
      <button class="button quiet small" @click=${actions.changeTheme} aria-label=${say("change_theme")}>
        ${icon("theme")}
      </button>
      <button class="button quiet small" @click=${() => actions.open("keys")}>${say("keys")} ${keyOf(screen, "keys")}</button>
    </header>
  `;
};
