/** Segmentation: the classes with lock, sight and opacity, the brush, and what helps over many slices. */

import { html, nothing, type TemplateResult } from "lit";
import type { Choice, SegmentationQuestion } from "../../protocol/types";
import { many, say } from "../../words/say";
import { colourIn } from "../palette";
import { questionsOf } from "../state";
import { keepFocus } from "./choices";
import { type IconName, icon } from "./icons";
import { proposed } from "./proposed";
import type { Screen } from "./screen";

const numberOf = (event: Event): number => Number((event.target as HTMLInputElement).value);

const toggle = (name: IconName, label: string, isOn: boolean, run: () => void) => html`
  <button
    class="icon-button"
    type="button"
    aria-pressed=${isOn}
    aria-label=${label}
    title=${label}
    @mousedown=${keepFocus}
    @click=${run}
  >
    ${icon(name)}
  </button>
`;

const row = (
  question: SegmentationQuestion,
  choice: Choice,
  nth: number,
  isActive: boolean,
  screen: Screen,
) => {
  const { stage, drawing } = screen;
  if (!stage || !drawing) return nothing;
  const { value, label } = choice;
  const style = stage.classStyle(value);
  const restyle = (change: Parameters<typeof stage.setClassStyle>[1]) => () => {
    stage.setClassStyle(value, change);
    screen.fill({});
  };
  return html`
    <li class="region ${drawing.penOf(question) === value ? "chosen" : ""}">
      <button
        class="region-name"
        type="button"
        aria-pressed=${drawing.penOf(question) === value}
        @mousedown=${keepFocus}
        @click=${() => drawing.choose(question, value)}
      >
        <span class="swatch" style="background: ${colourIn(questionsOf(screen.state), question.key, value)}" aria-hidden="true"></span>
        <span class="region-label">${label}</span>
        ${isActive && nth < 9 ? html`<kbd aria-hidden="true">${nth + 1}</kbd>` : nothing}
      </button>
      ${toggle(
        style.isVisible ? "seen" : "hidden",
        say("show_class", { name: label }),
        style.isVisible,
        restyle({ isVisible: !style.isVisible }),
      )}
      ${toggle(
        style.isLocked ? "locked" : "unlocked",
        say("lock_class", { name: label }),
        style.isLocked,
        restyle({ isLocked: !style.isLocked }),
      )}
    </li>
  `;
};

const slider = (
  label: string,
  shown: string,
  range: { readonly least: number; readonly most: number; readonly step: number; readonly value: number },
  changed: (value: number) => void,
) => html`
  <label class="slider">
    <span>${label}</span> <output>${shown}</output>
    <input
      type="range"
      min=${range.least}
      max=${range.most}
      step=${range.step}
      .value=${String(range.value)}
      @input=${(event: Event) => changed(numberOf(event))}
    />
  </label>
`;

const brush = (question: SegmentationQuestion, screen: Screen) => {
  const { stage, drawing } = screen;
  if (!stage || !drawing) return nothing;
  const value = drawing.penOf(question);
  const { diameterMm, lowest, highest } = stage.brush();
  const { opacity } = stage.classStyle(value);
  const put = (change: Parameters<typeof stage.setBrush>[0]) => {
    stage.setBrush(change);
    screen.fill({});
  };
  const isThreshold = screen.view?.tool === "threshold";
  return html`
    <div class="brush">
      ${slider(say("brush_size"), `${diameterMm.toFixed(1)} mm`, { least: 1, most: 80, step: 0.5, value: diameterMm }, (size) => put({ diameterMm: size }))}
      ${slider(
        say("opacity"),
        `${Math.round(100 * opacity)} %`,
        { least: 0, most: 1, step: 0.05, value: opacity },
        (next) => {
          stage.setClassStyle(value, { opacity: next });
          screen.fill({});
        },
      )}
      ${
        isThreshold
          ? html`<span class="field-row">
              <span>${say("values_from")}</span>
              <input class="input field-number" inputmode="decimal" aria-label=${say("values_from")} .value=${String(lowest)}
                @change=${(event: Event) => put({ lowest: numberOf(event) })} />
              <span>${say("to")}</span>
              <input class="input field-number" inputmode="decimal" aria-label=${say("values_to")} .value=${String(highest)}
                @change=${(event: Event) => put({ highest: numberOf(event) })} />
            </span>`
          : nothing
      }
    </div>
  `;
};

const act = (label: string, run: () => void) => html`
  <button class="button small" type="button" @mousedown=${keepFocus} @click=${run}>${label}</button>
`;

/** Help over slices; each says what it did. */
const overSlices = ({ stage, session, view }: Screen) => {
  if (!stage) return nothing;
  const removed = () => session.tell(many("voxels_removed", stage.removeIslands()));
  const filled = () => session.tell(many("slices_filled", stage.fillBetween()));
  const isStack = (view?.count ?? 1) > 1;
  return html`
    <div class="slice-acts">
      ${isStack ? act(say("copy_back"), () => stage.copyToSlice(-1)) : nothing}
      ${isStack ? act(say("copy_on"), () => stage.copyToSlice(1)) : nothing}
      ${isStack ? act(say("fill_between"), filled) : nothing} ${act(say("remove_islands"), removed)}
    </div>
  `;
};

export const classList = (
  question: SegmentationQuestion,
  isActive: boolean,
  screen: Screen,
): TemplateResult => html`
    <ul class="regions">
      ${question.classes.map((choice, nth) => row(question, choice, nth, isActive, screen))}
    </ul>
    ${proposed(question, screen)}
    ${isActive ? html`${brush(question, screen)} ${overSlices(screen)}` : nothing}
  `;
