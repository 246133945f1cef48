/** What is asked, and the answers with their keys: one field set a stop. */

import { html, nothing, type TemplateResult } from "lit";
import { SQUARE_PIXELS } from "../../geometry/measure";
import type { Region } from "../../geometry/region";
import { pixelSizeAt } from "../../images/frame";
import { computedValue } from "../../protocol/computed";
import { type Problem, problemsOf } from "../../protocol/problems";
import {
  type ComputedQuestion,
  type ImageAnswers,
  isRegionQuestion,
  isRequired,
  type Question,
} from "../../protocol/types";
import { say } from "../../words/say";
import { askedIn, problemWords, questionsOf, stopsIn } from "../state";
import { answerAt, type Stop, stopOfProblem } from "../stops";
import { type Asked, choices } from "./choices";
import { classList } from "./classes";
import { numberField, textField } from "./fields";
import { regionList } from "./regions";
import type { Screen } from "./screen";

const body = (asked: Asked, screen: Screen): unknown => {
  const { question } = asked.stop;
  if (isRegionQuestion(question)) return regionList(question, asked.isActive, screen);
  if (question.kind === "segmentation") return classList(question, asked.isActive, screen);
  if (question.kind === "number") return numberField(question, asked);
  return question.kind === "text" ? textField(question, asked) : choices(asked);
};

/** Of a question that is asked of each image: how many are answered. */
const byImage = ({ key, scope }: Question, { state, drawing }: Screen) => {
  const count = drawing?.imageCount ?? 1;
  if (scope !== "image" || count < 2) return nothing;
  const done = Object.keys((state.answers[key] ?? {}) as ImageAnswers).length;
  return html`<p class="hint">${say("images_answered", { done, count })}</p>`;
};

const domId = (path: string): string => `stop-${path.replace(/[^a-z0-9]/gi, "-")}`;

const problemsAt = (
  path: string,
  problems: readonly Problem[],
  { state, session }: Screen,
): readonly Problem[] =>
  state.isChecked ? problems.filter(({ at }) => stopOfProblem(at, session.desk.sent).path === path) : [];

const legend = ({ question, region }: Stop, hasSeveral: boolean) => html`
  <legend>
    ${question.prompt}
    ${!isRequired(question) && (hasSeveral || region !== "") ? html`<span class="optional">${say("optional")}</span>` : nothing}
  </legend>
  ${question.help ? html`<p class="hint">${question.help}</p>` : nothing}
`;

const one = (
  stop: Stop,
  hasSeveral: boolean,
  problems: readonly Problem[],
  screen: Screen,
): TemplateResult => {
  const { state, session } = screen;
  const isActive = stop.path === state.active;
  const wrong = problemsAt(stop.path, problems, screen);
  const id = domId(stop.path);
  const asked: Asked = {
    stop,
    answer: answerAt(state.answers, stop, state.spot),
    isActive,
    isDisabled: state.image !== "shown" || state.lost !== null,
    describedBy: wrong.length > 0 ? `${id}-problem` : "",
    answered: (path, value, by) => session.desk.answer(path, value, by),
  };
  const looks = [
    "question",
    isActive && hasSeveral ? "active" : "",
    stop.region === "" ? "" : "of-region",
    wrong.length > 0 ? "wrong" : "",
  ];
  return html`
    <fieldset
      class=${looks.filter(Boolean).join(" ")}
      data-path=${stop.path}
      tabindex="-1"
      @focusin=${() => session.desk.activate(stop.path)}
      @click=${() => session.desk.activate(stop.path)}
    >
      ${legend(stop, hasSeveral)} ${byImage(stop.question, screen)}
      <div class="answers ${stop.question.kind}">${body(asked, screen)}</div>
      ${
        wrong.length > 0
          ? html`<p class="problem" id="${id}-problem">${wrong.map((problem) => problemWords(problem, stop.question)).join(" ")}</p>`
          : nothing
      }
    </fieldset>
  `;
};

const computed = (question: ComputedQuestion, { state, drawing }: Screen) => {
  const sizeOf = ({ image, frame, points }: Region) => {
    const found = drawing?.frame(image, frame);
    return found ? pixelSizeAt(found, points) : SQUARE_PIXELS;
  };
  const value = computedValue(question, questionsOf(state), state.answers, sizeOf);
  return html`
    <div class="computed" data-path=${question.key}>
      <span>${question.prompt}</span>
      <output>${value === null ? say("not_yet") : `${value.toFixed(2)} ${question.unit ?? ""}`}</output>
    </div>
  `;
};

export const questionPanel = (screen: Screen): TemplateResult => {
  const { state, session } = screen;
  const stops = stopsIn(state);
  const problems = state.isChecked ? problemsOf(questionsOf(state), session.desk.sent) : [];
  const shown = askedIn(state).flatMap((question) =>
    question.kind === "computed"
      ? [computed(question, screen)]
      : stops
          .filter(({ path }) => path.split("/")[0] === question.key)
          .map((stop) => one(stop, stops.length > 1, problems, screen)),
  );
  return html`<div class="questions ${stops.length > 1 ? "several" : ""}">${shown}</div>`;
};
