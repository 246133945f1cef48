/** The line above the image: where the reader is, how far, and whether everything is saved. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomActions } from "../keys";
import type { RoomState } from "../state";

export interface Place {
  readonly projectName: string;
  readonly projectUrl: string;
}

interface Saving {
  readonly tone: "ok" | "busy" | "warn" | "none";
  readonly text: string;
}

const many = (count: number): string => (count === 1 ? "1 answer" : `${count} answers`);

/** Nothing is called saved before the server has said so. */
const notSaved = (state: RoomState): Saving | null => {
  const isAway = state.connection !== "online";
  if (state.pending > 0 && isAway)
    return { tone: "warn", text: `${many(state.pending)} kept here, not sent yet` };
  if (state.pending > 0) return { tone: "busy", text: "Saving…" };
  if (state.draft === "kept_here") return { tone: "warn", text: "Draft kept here, not sent yet" };
  return null;
};

export const savingOf = (state: RoomState): Saving => {
  const open = notSaved(state);
  if (open) return open;
  if (state.draft === "saving") return { tone: "busy", text: "Saving draft…" };
  if (state.draft === "saved") return { tone: "ok", text: "Draft saved" };
  return state.hasSaved ? { tone: "ok", text: "All saved" } : { tone: "none", text: "" };
};

const progress = ({ progress: done, left }: RoomState) => {
  if (!done) return nothing;
  const all = done.read + left;
  const share = all === 0 ? 0 : (100 * done.read) / all;
  return html`
    <p class="bar-progress">
      <span><strong>${done.read_by_me}</strong> read by me</span>
      <span class="bar-left"><strong>${left}</strong> left</span>
      <span class="meter" aria-hidden="true"><span style="inline-size: ${share.toFixed(1)}%"></span></span>
    </p>
  `;
};

export const topBar = (
  state: RoomState,
  place: Place,
  tools: TemplateResult | typeof nothing,
  actions: RoomActions,
): TemplateResult => {
  const saving = savingOf(state);
  return html`
    <header class="room-bar">
      <a class="bar-home" href=${place.projectUrl}><span aria-hidden="true">←</span> ${place.projectName}</a>
      ${tools}
      <p class="saving ${saving.tone}" role="status" data-saving=${saving.tone}>${saving.text}</p>
      ${progress(state)}
      <button class="button quiet small" @click=${actions.changeTheme} aria-label="Change between dark and light">◐</button>
      <button class="button quiet small" @click=${() => actions.open("keys")} aria-label="Keys">
        Keys <kbd aria-hidden="true">?</kbd>
      </button>
    </header>
  `;
};
