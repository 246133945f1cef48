/** What lies where the image will be: loading, nothing left, what went wrong and what to do. */

import { html, nothing, type TemplateResult } from "lit";
import type { Halt } from "../../api/types";
import { language, say } from "../../words/say";
import type { RoomActions } from "../keys";
import type { Lost, RoomState } from "../state";
import { feedbackCard } from "./feedback";
import type { Place, Screen } from "./screen";

const IMAGE_WAITS = { offline: "image_waits_offline", signed_out: "image_waits_signed_out" } as const;

const card = (role: "status" | "alert", content: TemplateResult) => html`
  <div class="cover" role=${role}><div class="cover-card">${content}</div></div>
`;

const act = (label: string, run: () => void) => html`
  <button class="button primary" @click=${run}>${label} <kbd aria-hidden="true">Enter</kbd></button>
`;

const loading = (words: string) => html`
  <div class="cover soft" role="status"><div class="pulse" aria-hidden="true"></div><p>${words}</p></div>
`;

/** Why a reader gets no case, in words. */
const haltWords = ({ code, back_on, skills }: Halt): string => {
  const day = back_on
    ? new Date(back_on).toLocaleDateString(language(), { dateStyle: "long", timeZone: "UTC" })
    : "";
  return say(`halt_${code}`, { day, skills: skills.join(", ") });
};

const halted = (halt: Halt, place: Place, actions: RoomActions) =>
  card(
    "status",
    html`
      <h2>${say("halted")}</h2>
      <p>${haltWords(halt)} ${say("halted_kept")}</p>
      <div class="row">
        ${act(say("look_again"), actions.confirm)}
        <a class="button" href=${place.projectUrl}>${say("to_the_project")}</a>
      </div>
    `,
  );

const empty = (state: RoomState, place: Place, actions: RoomActions) =>
  card(
    "status",
    html`
      <h2>${say("all_read")}</h2>
      <p>
        ${say("nothing_waits")}
        ${state.progress ? say("you_have_read", { count: state.progress.read_by_me }) : nothing} ${say("thank_you")}
      </p>
      <div class="row">
        ${act(say("look_again"), actions.confirm)}
        <a class="button" href=${place.projectUrl}>${say("to_the_project")}</a>
      </div>
    `,
  );

const failed = (state: RoomState, place: Place, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>${say("room_not_opened")}</h2>
      <p>${state.error}</p>
      <div class="row">
        ${act(say("try_again"), actions.confirm)}
        <a class="button" href=${place.projectUrl}>${say("to_the_project")}</a>
      </div>
    `,
  );

const noImage = (state: RoomState, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>${say("image_not_possible")}</h2>
      <p>${state.imageError} ${say("not_answered_yet")}</p>
      <div class="row">
        ${act(say("try_again"), actions.confirm)}
        <button class="button" @click=${() => actions.open("skip")}>${say("skip")} <kbd aria-hidden="true">S</kbd></button>
      </div>
    `,
  );

const lostCard = ({ number, answer }: Lost, actions: RoomActions) =>
  card(
    "alert",
    html`
      <h2>${say("case_lost", { number })}</h2>
      <p>${say("case_lost_words")}</p>
      ${
        answer
          ? html`<p class="lost-answer">
              ${say("your_answer_was")} <strong>${answer}</strong>. ${say("kept_as_draft")}
            </p>`
          : html`<p>${say("lost_unanswered")}</p>`
      }
      <div class="row">${act(say("go_on"), actions.confirm)}</div>
    `,
  );

const otherUser = () =>
  card(
    "alert",
    html`
      <h2>${say("somebody_else")}</h2>
      <p>${say("somebody_else_words")}</p>
      <div class="row"><a class="button primary" href=${window.location.href}>${say("reload")}</a></div>
    `,
  );

/** Nothing is called kept before it is on the disk. */
const waiting = ({ phase, connection }: RoomState) =>
  phase === "keeping" || connection === "online"
    ? loading(say("saving_then_looking"))
    : loading(say("more_when_back"));

const early = (state: RoomState, place: Place, actions: RoomActions) => {
  if (state.phase === "error") return failed(state, place, actions);
  if (state.phase === "empty" && state.halt) return halted(state.halt, place, actions);
  if (state.phase === "empty") return empty(state, place, actions);
  if (state.phase === "keeping" || state.phase === "waiting") return waiting(state);
  return state.phase === "loading" ? loading(say("opening_worklist")) : null;
};

export const cover = ({ state, place, actions }: Screen) => {
  if (state.connection === "other_user") return otherUser();
  if (state.lost) return lostCard(state.lost, actions);
  if (state.feedback) return feedbackCard(state.feedback, actions);
  const before = early(state, place, actions);
  if (before) return before;
  if (state.image === "failed" && state.connection !== "online")
    return loading(say(IMAGE_WAITS[state.connection]));
  if (state.image === "failed") return noImage(state, actions);
  return state.image === "loading" ? loading(say("loading_image")) : nothing;
};
