/** What a new reader is told after a case of known answer: own answer beside the reference, or how the test ended. */

import { html, nothing, type TemplateResult } from "lit";
import type { Told } from "../../api/types";
import { isEmpty } from "../../protocol/conditions";
import type { Question } from "../../protocol/types";
import { say } from "../../words/say";
import type { RoomActions } from "../keys";
import { type Feedback, oneInWords } from "../state";

const goOn = (actions: RoomActions) => html`
  <div class="row">
    <button class="button primary" @click=${actions.confirm}>${say("go_on")} <kbd aria-hidden="true">Enter</kbd></button>
  </div>
`;

const words = (question: Question, answers: Told["answers"]): string => {
  const answer = answers[question.key];
  if (answer === undefined || isEmpty(answer)) return say("no_answer");
  return oneInWords(question, answer) || say("drawn_answer");
};

const row = (question: Question, { answers, reference, differs_in }: Told) => html`
  <tr class=${differs_in.includes(question.key) ? "differs" : ""}>
    <th scope="row">${question.prompt}</th>
    <td>${words(question, answers)}</td>
    <td>${words(question, reference)}</td>
  </tr>
`;

const rows = ({ protocol, told }: Feedback) => {
  const asked = (protocol?.questions ?? []).filter(({ key }) => key in told.answers || key in told.reference);
  if (asked.length === 0) return nothing;
  return html`
    <table class="told">
      <thead>
        <tr><th scope="col">${say("the_question")}</th><th scope="col">${say("you_said")}</th><th scope="col">${say("the_reference")}</th></tr>
      </thead>
      <tbody>${asked.map((question) => row(question, told))}</tbody>
    </table>
  `;
};

const next = ({ standing }: Told) =>
  standing?.phase === "test" ? html`<p>${say("test_comes", { wanted: standing.wanted })}</p>` : nothing;

const ended = ({ has_passed, right, of }: Told) => html`
  <h2>${say(has_passed ? "test_passed" : "test_failed")}</h2>
  <p>${say("test_right", { right, of })} ${say(has_passed ? "test_passed_words" : "test_failed_words")}</p>
`;

const practised = (feedback: Feedback) => {
  const { told, caseId, number } = feedback;
  return html`
    <h2>${say(told.is_right ? "as_reference" : "not_as_reference")}</h2>
    <div class="told-case">
      <img src="/api/v1/cases/${caseId}/thumbnail" alt=${say("thumbnail_of", { number })} />
      <div>
        ${rows(feedback)} ${told.comment ? html`<p class="told-comment">${told.comment}</p>` : nothing} ${next(told)}
      </div>
    </div>
  `;
};

/** Lies over the next case until the reader goes on. */
export const feedbackCard = (feedback: Feedback, actions: RoomActions): TemplateResult => html`
  <div class="cover" role="status">
    <div class="cover-card feedback" data-feedback=${feedback.told.phase}>
      ${typeof feedback.told.has_passed === "boolean" ? ended(feedback.told) : practised(feedback)} ${goOn(actions)}
    </div>
  </div>
`;
