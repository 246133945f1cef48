/** The editor of hanging rules: a form and the JSON that stay in step. The page works without it. */

import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ruleFields } from "./hanging_fields";
import { newRule, parsed, written } from "./hanging_model";
import { small } from "./protocol_fields";
import { moved, type Row, replaced, textOf, without } from "./protocol_model";
import { type View, viewButtons } from "./views";

export interface HangingFacts {
  /** Words that are kept of series descriptions. */
  readonly words: readonly string[];
  readonly modalities: readonly string[];
  readonly bodyParts: readonly string[];
}

export function openHanging(): void {
  const form = document.querySelector<HTMLFormElement>("[data-hanging]");
  const told = document.getElementById("hanging-facts")?.textContent;
  if (form && told) new Editor(form, JSON.parse(told) as HangingFacts).open();
}

class Editor {
  #rules: readonly Row[] = [];
  #ids: readonly number[] = [];
  #next = 0;
  #view: View = "form";
  #broken = "";
  readonly #text: HTMLTextAreaElement;
  readonly #place: HTMLElement;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly facts: HangingFacts,
  ) {
    const [text, place] = [form.querySelector("textarea"), form.querySelector("[data-hanging-editor]")];
    if (!text || !(place instanceof HTMLElement)) throw new Error("the page of hanging rules is not whole");
    this.#text = text;
    this.#place = place;
  }

  open(): void {
    this.#read();
    if (this.#broken !== "") this.#view = "json";
    this.#text.addEventListener("input", () => this.#read());
    this.#render();
    this.form.dataset.hanging = "ready";
  }

  /** What the JSON says, into the form. */
  #read(): void {
    try {
      this.#rules = parsed(this.#text.value);
      this.#ids = this.#rules.map((_, place) => this.#ids[place] ?? this.#newId());
      this.#broken = "";
    } catch (error) {
      this.#broken = error instanceof Error ? error.message : String(error);
    }
    this.#render();
  }

  #newId(): number {
    this.#next += 1;
    return this.#next;
  }

  /** What the form says, into the JSON. */
  #edit(rules: readonly Row[], ids: readonly number[] = this.#ids): void {
    this.#rules = rules;
    this.#ids = ids;
    this.#text.value = written(rules);
    this.#render();
  }

  #render(): void {
    render(this.#editor(), this.#place);
    const json = this.#text.closest<HTMLElement>("[data-hanging-json]");
    if (json) json.hidden = this.#view === "form";
    this.#text.setAttribute("aria-invalid", this.#broken === "" ? "false" : "true");
  }

  #editor(): TemplateResult {
    return html`
      <div class="protocol-bar row apart">${this.#views()}</div>
      ${this.#broken ? html`<p class="problem" role="status">Not a list of rules yet: ${this.#broken}</p>` : nothing}
      ${
        this.#view === "form"
          ? html`<div class="stack">
              ${this.#rules.length === 0 ? html`<p class="faint">No rule of this project's own yet: the built-in ones below hold.</p>` : nothing}
              ${repeat(
                this.#rules,
                (_, place) => this.#ids[place],
                (rule, place) => this.#card(rule, place),
              )}
              <div class="row"><button class="button" type="button" data-hanging-add @click=${() => this.#add()}>Add a rule</button></div>
            </div>`
          : nothing
      }
    `;
  }

  #views(): TemplateResult {
    return viewButtons(this.#view, this.#broken !== "", (view) => {
      this.#view = view;
      this.#render();
    });
  }

  #card(rule: Row, place: number): TemplateResult {
    const id = this.#ids[place] ?? 0;
    const change = (changed: Row) => this.#edit(replaced(this.#rules, place, changed));
    return html`
      <fieldset class="hanging-rule" data-rule=${id} @keydown=${(event: KeyboardEvent) => this.#keys(event, place)}>
        <legend>${place + 1}. ${textOf(rule, "name") || "no name yet"}</legend>
        <div class="row hanging-moves">${this.#moves(place)}</div>
        ${ruleFields(`h-${id}`, rule, this.facts, change)}
      </fieldset>
    `;
  }

  #moves(place: number): readonly TemplateResult[] {
    const name = `rule ${place + 1}`;
    const last = this.#rules.length - 1;
    return [
      small("↑", () => this.#move(place, -1), { isDisabled: place === 0, title: `Move ${name} up` }),
      small("↓", () => this.#move(place, 1), { isDisabled: place === last, title: `Move ${name} down` }),
      small("Remove", () => this.#remove(place), { title: `Remove ${name}` }),
    ];
  }

  /** Alt and an arrow move the rule in which one types. */
  #keys(event: KeyboardEvent, place: number): void {
    const by = event.altKey ? ({ ArrowUp: -1, ArrowDown: 1 } as const)[event.key] : undefined;
    if (by === undefined) return;
    event.preventDefault();
    const focused = document.activeElement;
    this.#move(place, by);
    if (focused instanceof HTMLElement) focused.focus();
  }

  #move(place: number, by: -1 | 1): void {
    const to = place + by;
    if (to < 0 || to >= this.#rules.length) return;
    this.#edit(moved(this.#rules, place, by), moved(this.#ids, place, by));
  }

  #remove(place: number): void {
    this.#edit(without(this.#rules, place), without(this.#ids, place));
    const cards = this.#place.querySelectorAll<HTMLElement>(".hanging-rule input");
    (cards[0] ?? this.#place.querySelector<HTMLElement>("[data-hanging-add]"))?.focus();
  }

  #add(): void {
    const id = this.#newId();
    this.#edit([...this.#rules, newRule(this.#rules)], [...this.#ids, id]);
    this.#place.querySelector<HTMLInputElement>(`[data-rule="${id}"] input`)?.select();
  }
}
