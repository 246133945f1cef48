/** Questions that are answered by drawing: what was drawn, with label, measures, attributes. */

import { html, nothing, type TemplateResult } from "lit";
import { inWords, measuresOf } from "../../geometry/measure";
import type { Region } from "../../geometry/region";
import { pixelSizeAt } from "../../images/frame";
import { regionsIn } from "../../protocol/regions";
import type { RegionQuestion } from "../../protocol/types";
import { say, type WordKey } from "../../words/say";
import { colourIn } from "../palette";
import { questionsOf } from "../state";
import { keepFocus } from "./choices";
import { icon } from "./icons";
import { proposed } from "./proposed";
import type { Screen } from "./screen";

const labelOf = (question: RegionQuestion, value: string): string =>
  question.labels.find((label) => label.value === value)?.label ?? value;

const swatch = (question: RegionQuestion, value: string, { state }: Screen) => html`
  <span
    class="swatch"
    style="background: ${colourIn(questionsOf(state), question.key, value)}"
    aria-hidden="true"
  ></span>
`;

/** Labels to draw with, where there is a choice. */
const pens = (question: RegionQuestion, isActive: boolean, screen: Screen) => {
  const { drawing } = screen;
  if (question.labels.length < 2 || !drawing) return nothing;
  const pen = drawing.penOf(question);
  return html`
    <div class="pens" role="group" aria-label=${say("label")}>
      ${question.labels.map(
        ({ value, label }, nth) => html`
          <button
            class="pen"
            type="button"
            aria-pressed=${value === pen}
            @mousedown=${keepFocus}
            @click=${() => drawing.choose(question, value)}
          >
            ${swatch(question, value, screen)} ${label}
            ${isActive && nth < 9 ? html`<kbd aria-hidden="true">${nth + 1}</kbd>` : nothing}
          </button>
        `,
      )}
    </div>
  `;
};

const measured = (question: RegionQuestion, region: Region, { drawing }: Screen): string => {
  const frame = drawing?.frame(region.image, region.frame);
  if (!frame) return "";
  const size = pixelSizeAt(frame, region.points);
  return inWords(measuresOf(question.kind, region.points, size), size);
};

const row = (question: RegionQuestion, region: Region, nth: number, screen: Screen) => {
  const { drawing, state } = screen;
  const isChosen = region.id === state.spot.region;
  const name = `${labelOf(question, region.label)} ${nth + 1}`;
  return html`
    <li class="region ${isChosen ? "chosen" : ""}">
      <button
        class="region-name"
        type="button"
        aria-pressed=${isChosen}
        @mousedown=${keepFocus}
        @click=${() => drawing?.select(region.id)}
      >
        ${swatch(question, region.label, screen)} <span class="region-label">${name}</span>
        <span class="region-measure">${measured(question, region, screen)}</span>
        ${
          (drawing?.imageCount ?? 0) > 1
            ? html`<span class="region-place">${say("image_nth", { nth: drawing?.placeOf(region.image, region.frame) ?? "" })}</span>`
            : nothing
        }
      </button>
      <button
        class="icon-button"
        type="button"
        aria-label=${say("remove_named", { name })}
        title=${say("remove")}
        @mousedown=${keepFocus}
        @click=${() => drawing?.remove(region.id)}
      >
        ${icon("remove")}
      </button>
    </li>
  `;
};

/** How many are wanted, in words. */
const wanted = ({ min, max, required }: RegionQuestion): string => {
  const least = Math.max(min ?? 0, (required ?? true) ? 1 : 0);
  if (max && least === max) return say("exactly", { count: max });
  if (max && least > 0) return say("from_to", { least, most: max });
  if (max) return say("at_most", { count: max });
  return least > 1 ? say("at_least", { count: least }) : "";
};

export const regionList = (question: RegionQuestion, isActive: boolean, screen: Screen): TemplateResult => {
  const regions = regionsIn(screen.state.answers, question.key);
  const hint = say(`draw_${question.kind}` satisfies WordKey);
  return html`
    ${pens(question, isActive, screen)}
    ${
      regions.length > 0
        ? html`<ul class="regions">
            ${regions.map((region, nth) => row(question, region, nth, screen))}
          </ul>`
        : nothing
    }
    ${proposed(question, screen)}
    ${isActive || regions.length === 0 ? html`<p class="hint">${hint} ${wanted(question)}</p>` : nothing}
  `;
};
