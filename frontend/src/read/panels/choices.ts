/** Questions that are answered by choosing: one, or several. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { type Answer, choicesOf, type Question } from "../../protocol/types";
import type { Stop } from "../stops";
import { chosen } from "../stops";

export interface Asked {
  readonly stop: Stop;
  readonly answer: Answer | undefined;
  readonly isActive: boolean;
  readonly isDisabled: boolean;
  readonly describedBy: string;
  readonly answered: (path: string, value: Answer | undefined, by?: "key" | "typing") => void;
}

/** A click must not take the keyboard away from the room. */
export const keepFocus = (event: Event): void => event.preventDefault();

const isChosen = (question: Question, answer: Answer | undefined, value: string): boolean =>
  question.kind === "multi" ? Array.isArray(answer) && answer.some((one) => one === value) : answer === value;

export const choices = ({
  stop,
  answer,
  isActive,
  isDisabled,
  describedBy,
  answered,
}: Asked): readonly TemplateResult[] =>
  choicesOf(stop.question).map(
    (choice, nth) => html`
      <label class="answer" @mousedown=${keepFocus}>
        <input
          type=${stop.question.kind === "multi" ? "checkbox" : "radio"}
          name=${stop.path}
          .value=${choice.value}
          .checked=${live(isChosen(stop.question, answer, choice.value))}
          ?disabled=${isDisabled}
          aria-describedby=${describedBy === "" ? nothing : describedBy}
          @change=${() => answered(stop.path, chosen(stop.question, answer, nth))}
        />
        <span class="answer-label">${choice.label}</span>
        ${isActive && nth < 9 ? html`<kbd aria-hidden="true">${nth + 1}</kbd>` : nothing}
      </label>
    `,
  );
