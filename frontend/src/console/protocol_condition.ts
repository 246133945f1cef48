/** When a question is asked: rows of plain comparisons by controls; what is nested deeper is shown as JSON. */

import { html, nothing, type TemplateResult } from "lit";
import { type Edited, isWrong, small, tick, typed } from "./protocol_fields";
import { listOf, type Row, replaced, rowOf, rowsOf, textOf, without } from "./protocol_model";

type Joint = "all" | "any";

interface Simple {
  readonly joint: Joint;
  readonly rows: readonly Row[];
}

const isLeaf = (row: Row): boolean => typeof row.question === "string";

/** A condition that the controls can show: one comparison, or several joined by one word. */
export const simpleOf = (condition: Row | null): Simple | null => {
  if (condition === null) return { joint: "all", rows: [] };
  if (isLeaf(condition)) return { joint: "all", rows: [condition] };
  for (const joint of ["all", "any"] as const) {
    const rows = rowsOf(condition, joint);
    if (rows.length > 0 && rows.every(isLeaf)) return { joint, rows };
  }
  return null;
};

/** The shortest way to write it; nothing for no comparison. */
export const conditionOf = ({ joint, rows }: Simple): Row | undefined => {
  if (rows.length === 0) return undefined;
  return rows.length === 1 ? rows[0] : { [joint]: rows };
};

const valuesOf = (row: Row): readonly unknown[] => {
  if (Array.isArray(row.in)) return row.in;
  return "is" in row ? [row.is] : [];
};

/** One value is "is", several are "in", none is "answered". */
export const compared = (question: string, values: readonly unknown[]): Row => {
  if (values.length === 0) return { question, answered: true };
  return values.length === 1 ? { question, is: values[0] } : { question, in: values };
};

const choicesOf = (question: Row | undefined): readonly Row[] => {
  const list = question && listOf(question.kind);
  return question && list?.field === "choices" ? rowsOf(question, "choices") : [];
};

const comparison = (
  row: Row,
  earlier: readonly Row[],
  change: (row: Row) => void,
  remove: () => void,
): TemplateResult => {
  const key = textOf(row, "question");
  const values = valuesOf(row);
  const choices = choicesOf(earlier.find((one) => one.key === key));
  const turned = (value: string, isOn: boolean) => {
    const wanted = choices
      .map((choice) => choice.value)
      .filter((one) => (one === value ? isOn : values.includes(one)));
    change(compared(key, wanted));
  };
  return html`
    <div class="comparison">
      <select
        class="input"
        aria-label="Question"
        .value=${key}
        @change=${(event: Event) => change(compared(typed(event), []))}
      >
        ${earlier.map((one) => html`<option value=${textOf(one, "key")} ?selected=${one.key === key}>${textOf(one, "prompt") || textOf(one, "key")}</option>`)}
        ${earlier.some((one) => one.key === key) ? nothing : html`<option value=${key} selected>${key || "Choose a question"}</option>`}
      </select>
      <div class="ticks">
        ${choices.map((choice) => tick(textOf(choice, "label"), values.includes(choice.value), (isOn) => turned(textOf(choice, "value"), isOn)))}
        <span class="faint">${values.length === 0 ? "is answered, with anything" : values.length > 1 ? "is one of these" : "is this"}</span>
      </div>
      ${small("Remove", remove, { title: "Remove this comparison" })}
    </div>
  `;
};

const asJson = (edited: Edited, condition: Row): TemplateResult => html`
  <div class="field wide">
    <p class="hint">This condition is nested: change it in the JSON.</p>
    <pre class="mono condition">${JSON.stringify(condition)}</pre>
    ${small("Ask it always", () => edited.set("when", undefined))}
  </div>
`;

/** earlier: the questions before this one, which a condition may name. */
export const conditionFields = (edited: Edited, earlier: readonly Row[]): TemplateResult | typeof nothing => {
  const condition = rowOf(edited.row, "when");
  const named = earlier.filter((one) => one.kind !== "computed");
  const simple = simpleOf(condition);
  if (simple === null) return condition ? asJson(edited, condition) : nothing;
  if (named.length === 0 && simple.rows.length === 0) return nothing;
  const { joint, rows } = simple;
  const set = (next: Simple) => edited.set("when", conditionOf(next));
  const last = textOf(named.at(-1) ?? {}, "key");
  return html`
    <fieldset class="field wide when ${isWrong(`${edited.at}.when`, edited.problems) ? "wrong" : ""}">
      <legend>${rows.length === 0 ? "Always asked" : "Asked only where"}</legend>
      ${rows.map((row, place) =>
        comparison(
          row,
          named,
          (changed) => set({ joint, rows: replaced(rows, place, changed) }),
          () => set({ joint, rows: without(rows, place) }),
        ),
      )}
      <div class="row">
        ${small(rows.length === 0 ? "Ask it only where …" : "And where …", () => set({ joint, rows: [...rows, compared(last, [])] }))}
        ${
          rows.length > 1
            ? html`<label class="tick"
                ><input
                  type="checkbox"
                  .checked=${joint === "any"}
                  @change=${() => set({ joint: joint === "any" ? "all" : "any", rows })}
                /><span>any of them is enough</span></label
              >`
            : nothing
        }
      </div>
    </fieldset>
  `;
};
