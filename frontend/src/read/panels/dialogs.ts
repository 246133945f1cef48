/** The dialogs: why a case is passed on, what is said of it, the day's readings, questions asked. */

import { html, nothing, type TemplateResult } from "lit";
import type { OwnReading, Remark, Returned } from "../../api/types";
import { say, type WordKey } from "../../words/say";
import { FLAG_REASONS, SKIP_REASONS, UNREADABLE_REASONS } from "../skips";
import { dialog } from "./frame";
import { keysDialog } from "./keys";
import type { Screen } from "./screen";

const commentField = ({ forms, fill }: Screen, label: WordKey, rows = 2) => html`
  <label class="dialog-field">
    <span>${say(label)}</span>
    <textarea
      class="input field-text"
      rows=${rows}
      maxlength="500"
      .value=${forms.comment}
      @input=${(event: Event) => fill({ comment: (event.target as HTMLTextAreaElement).value })}
    ></textarea>
  </label>
`;

const reasons = (list: readonly { readonly label: WordKey }[], screen: Screen) => html`
  <div class="reasons">
    ${list.map(
      ({ label }, nth) => html`
        <button class="button reason" type="button" @click=${() => screen.actions.pick(nth)}>
          <kbd aria-hidden="true">${nth + 1}</kbd> ${say(label)}
        </button>
      `,
    )}
  </div>
`;

const foot = (words: string) => html`<p class="dialog-foot">${words} <kbd>Esc</kbd> ${say("closes")}</p>`;

const skip = (screen: Screen) =>
  dialog(
    screen,
    "skip",
    say("skip_why"),
    html`${reasons(SKIP_REASONS, screen)} ${commentField(screen, "comment_optional")} ${foot(say("skip_foot"))}`,
  );

const unreadable = (screen: Screen) =>
  dialog(
    screen,
    "unreadable",
    say("unreadable_why"),
    html`${reasons(UNREADABLE_REASONS, screen)} ${commentField(screen, "comment_optional")}
    ${foot(say("unreadable_foot"))}`,
  );

const flag = (screen: Screen) =>
  dialog(
    screen,
    "remark",
    say("flag_why"),
    html`${reasons(FLAG_REASONS, screen)} ${commentField(screen, "comment_optional")} ${foot(say("remark_foot"))}`,
  );

const send = (screen: Screen) => html`
  <div class="row">
    <button class="button primary" type="button" @click=${screen.actions.confirm}>${say("send")}</button>
    <button class="button" type="button" @click=${screen.actions.escape}>${say("cancel")}</button>
  </div>
`;

const comment = (screen: Screen) =>
  dialog(
    screen,
    "remark",
    say("comment_title"),
    html`${commentField(screen, "comment_label", 4)} ${send(screen)} ${foot(say("remark_foot"))}`,
  );

const ask = (screen: Screen) => {
  const { state, forms, fill } = screen;
  const colleagues = state.remarks?.colleagues ?? [];
  if (colleagues.length === 0) {
    return dialog(screen, "remark", say("ask_title"), html`<p>${say("nobody_to_ask")}</p> ${foot("")}`);
  }
  const content = html`
    <label class="dialog-field">
      <span>${say("whom")}</span>
      <select class="input" @change=${(event: Event) => fill({ to: (event.target as HTMLSelectElement).value })}>
        ${colleagues.map(({ id, username }) => html`<option value=${id} ?selected=${id === forms.to}>${username}</option>`)}
      </select>
    </label>
    ${commentField(screen, "your_question", 3)} ${send(screen)} ${foot(say("ask_foot"))}
  `;
  return dialog(screen, "remark", say("ask_title"), content);
};

const time = (moment: string): string =>
  new Date(moment).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

const readingRow = (one: OwnReading, screen: Screen) => html`
  <tr>
    <td>
      <button class="link" type="button" @click=${() => void screen.session.flow.openReading(one.reading_id)}>
        ${say("case_nth", { number: one.case_number })}
      </button>
    </td>
    <td class="today-answer">${one.answer}</td>
    <td class="number">${time(one.submitted_at)}</td>
    <td class="number">${Math.round(one.seconds)} s</td>
    <td>${one.revision > 1 ? say("revision_nth", { nth: one.revision }) : nothing}</td>
  </tr>
`;

const duration = (seconds: number): string => {
  const minutes = Math.round(seconds / 60);
  return minutes < 60
    ? say("minutes", { minutes })
    : say("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
};

const dayFacts = ({ state }: Screen) => {
  const { today } = state;
  if (!today) return html`<p>${say("day_not_here")}</p>`;
  const facts = [
    say("read_today", { count: today.read }),
    duration(today.seconds),
    today.median_seconds === null ? "" : say("own_pace", { seconds: Math.round(today.median_seconds) }),
    today.goal === null ? "" : say("goal_is", { goal: today.goal }),
  ];
  return html`<p class="today-facts">${facts.filter(Boolean).join(" · ")}</p>`;
};

const dayTable = (screen: Screen) => {
  const readings = screen.state.today?.readings ?? [];
  if (readings.length === 0) return html`<p class="hint">${say("nothing_read_today")}</p>`;
  return html`
    <div class="table-scroll" tabindex="0" role="region" aria-label=${say("today_title")}>
      <table class="today">
        <thead>
          <tr>
            <th scope="col">${say("case")}</th>
            <th scope="col">${say("answer")}</th>
            <th scope="col">${say("time")}</th>
            <th scope="col">${say("took")}</th>
            <th scope="col">${say("changed")}</th>
          </tr>
        </thead>
        <tbody>
          ${readings.map((one) => readingRow(one, screen))}
        </tbody>
      </table>
    </div>
  `;
};

const today = (screen: Screen) =>
  dialog(
    screen,
    "today",
    say("today_title"),
    html`${dayFacts(screen)} ${dayTable(screen)} ${foot(say("today_foot"))}`,
    true,
  );

const askedRow = (remark: Remark, screen: Screen) => html`
  <li>
    <button class="link" type="button" @click=${() => void screen.session.flow.openAsked(remark.id)}>
      ${say("asked_of", { name: remark.by, number: remark.case_number })}
    </button>
    <p>${remark.text}</p>
  </li>
`;

const repliedRow = (remark: Remark) => html`
  <li>
    <strong>${say("replied_of", { name: remark.to ?? "", number: remark.case_number })}</strong>
    <p>${remark.reply}</p>
  </li>
`;

const returnedRow = (one: Returned, screen: Screen) => html`
  <li>
    <button class="link" type="button" @click=${() => void screen.session.flow.openReading(one.reading_id)}>
      ${say("returned_of", { number: one.case_number })}
    </button>
    <p>${one.comment}</p>
  </li>
`;

const returnedList = (screen: Screen) => {
  const { returned = [] } = screen.state.remarks ?? {};
  if (returned.length === 0) return nothing;
  return html`<h3>${say("returned_title")}</h3> <ul class="remarks">${returned.map((one) => returnedRow(one, screen))}</ul>`;
};

const asked = (screen: Screen) => {
  const { asked: open = [], replied = [] } = screen.state.remarks ?? {};
  const content = html`
    ${returnedList(screen)}
    ${
      open.length > 0
        ? html`<ul class="remarks">${open.map((one) => askedRow(one, screen))}</ul>`
        : html`<p class="hint">${say("no_questions")}</p>`
    }
    ${replied.length > 0 ? html`<h3>${say("replies")}</h3> <ul class="remarks">${replied.map(repliedRow)}</ul>` : nothing}
    ${foot("")}
  `;
  return dialog(screen, "asked", say("questions_title"), content);
};

const REMARKS = { comment, flag, question: ask } as const;

export const dialogs = (screen: Screen): TemplateResult | typeof nothing => {
  const { state } = screen;
  if (state.dialog === "none") return nothing;
  if (state.dialog === "remark") return REMARKS[state.remarkKind](screen);
  if (state.dialog === "keys") return keysDialog(screen);
  return { skip, unreadable, today, asked }[state.dialog](screen);
};
