/** What lies where the image will be: loading, nothing left, what went wrong and what to do. */

import { html, nothing, type TemplateResult } from "lit";
import type { RoomActions } from "../keys";
import type { Lost, RoomState } from "../state";
import type { Place } from "./bar";

const IMAGE_WAITS = {
  offline: "The image comes when the connection is back.",
  signed_out: "The image comes when you have signed in.",
} as const;

const card = (role: "status" | "alert", content: TemplateResult) => html`
  <div class="cover" role=${role}><div class="cover-card">${content}</div></div>
`;

const act = (label: string, run: () => void) => html`
  <button class="button primary" @click=${run}>${label} <kbd aria-hidden="true">Enter</kbd></button>
`;

const loading = (words: string) => html`
  <div class="cover soft" role="status"><div class="pulse" aria-hidden="true"></div><p>${words}</p></div>
`;

const empty = (state: RoomState, place: Place, actions: RoomActions) =>
  card(
    "status",
    html`
      <h2>All read</h2>
      <p>
        Nothing waits for you here.
        ${state.progress ? html`You have read ${state.progress.read_by_me} cases in this project.` : nothing} Thank
        you.
      </p>
      <div class="row">
        ${act("Look again", actions.confirm)}
        <a class="button" href=${place.projectUrl}>To the project</a>
      </div>
    `,
  );

const failed = (state: RoomState, place: Place, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>The reading room could not be opened</h2>
      <p>${state.error}</p>
      <div class="row">
        ${act("Try again", actions.confirm)}
        <a class="button" href=${place.projectUrl}>To the project</a>
      </div>
    `,
  );

const noImage = (state: RoomState, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>This image could not be shown</h2>
      <p>${state.imageError} It has not been answered. Try again, or skip it with a reason.</p>
      <div class="row">
        ${act("Try again", actions.confirm)}
        <button class="button" @click=${() => actions.open("skip")}>Skip <kbd aria-hidden="true">S</kbd></button>
      </div>
    `,
  );

const lostCard = ({ number, answer }: Lost, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>Case ${number} is no longer yours</h2>
      <p>Its time ran out, and it went back to the queue for another reader.</p>
      ${
        answer
          ? html`<p class="lost-answer">
              Your answer, <strong>${answer}</strong>, was not submitted. It stays as your draft of that case.
            </p>`
          : html`<p>You had not answered it.</p>`
      }
      <div class="row">${act("Go on", actions.confirm)}</div>
    `,
  );

const otherUser = () =>
  card(
    "alert",
    html`
      <h2>Somebody else has signed in</h2>
      <p>Your unsent answers are kept in this browser and are sent when you sign in here again.</p>
      <div class="row"><a class="button primary" href=${window.location.href}>Reload the page</a></div>
    `,
  );

const waiting = (state: RoomState) =>
  state.connection === "online"
    ? loading("Saving, then looking for more…")
    : loading("Your answers are kept here. More cases come when the connection is back.");

const early = (state: RoomState, place: Place, actions: RoomActions) => {
  if (state.phase === "error") return failed(state, place, actions);
  if (state.phase === "empty") return empty(state, place, actions);
  if (state.phase === "waiting") return waiting(state);
  return state.phase === "loading" ? loading("Opening your work list…") : null;
};

export const cover = (state: RoomState, place: Place, actions: RoomActions) => {
  if (state.connection === "other_user") return otherUser();
  if (state.lost) return lostCard(state.lost, actions);
  const before = early(state, place, actions);
  if (before) return before;
  if (state.image === "failed" && state.connection !== "online")
    return loading(IMAGE_WAITS[state.connection]);
  if (state.image === "failed") return noImage(state, actions);
  return state.image === "loading" ? loading("Loading the image…") : nothing;
};
