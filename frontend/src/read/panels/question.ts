/** What is asked, and the answers with their keys. */

import { html, type TemplateResult } from "lit";
import type { Question } from "../../api/types";
import type { RoomActions } from "../keys";
import { questionsOf, type RoomState } from "../state";

/** A click must not take the keyboard away from the room. */
const keepFocus = (event: Event): void => event.preventDefault();

const choices = (question: Question, isActive: boolean, state: RoomState, actions: RoomActions) =>
  question.choices.map(
    (choice, nth) => html`
      <label class="answer" @mousedown=${keepFocus}>
        <input
          type="radio"
          name=${question.key}
          .value=${choice.value}
          .checked=${state.answers[question.key] === choice.value}
          ?disabled=${state.image !== "shown"}
          @change=${() => actions.answer(question.key, choice.value)}
        />
        <span class="answer-label">${choice.label}</span>
        ${isActive && nth < 9 ? html`<kbd aria-hidden="true">${nth + 1}</kbd>` : ""}
      </label>
    `,
  );

const one = (question: Question, index: number, state: RoomState, actions: RoomActions) => {
  const isActive = index === state.activeQuestion;
  return html`
    <fieldset class="question ${isActive ? "active" : ""}">
      <legend>${question.prompt}</legend>
      ${choices(question, isActive, state, actions)}
    </fieldset>
  `;
};

export const questionPanel = (state: RoomState, actions: RoomActions): TemplateResult => html`
  <div class="questions">${questionsOf(state).map((question, index) => one(question, index, state, actions))}</div>
`;
