/** The protocol's editor: a form and the JSON that stay in step, the server's check, a preview. The page works without it. */

import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Answer, Answers } from "../protocol/types";
import { type Checked, Checker } from "./protocol_check";
import { type Edited, isWrong, type Problem, small, typed } from "./protocol_fields";
import { questionFields } from "./protocol_form";
import {
  copyOf,
  inserted,
  KINDS,
  moved,
  newQuestion,
  type ProtocolDocument,
  parsed,
  type Row,
  replaced,
  textOf,
  withField,
  without,
  wordsOf,
  written,
} from "./protocol_model";
import { preview } from "./protocol_preview";
import { settingsFields } from "./protocol_settings";
import { type View, viewButtons } from "./views";

interface Template {
  readonly name: string;
  readonly title: string;
  readonly standard: string;
  readonly document: ProtocolDocument;
}

interface Facts {
  readonly saved: ProtocolDocument;
  readonly version: number;
  readonly templates: readonly Template[];
  readonly measures: Readonly<Record<string, readonly string[]>>;
  readonly problems: readonly Problem[];
}

export function openProtocol(): void {
  const form = document.querySelector<HTMLFormElement>("[data-protocol]");
  const told = document.getElementById("protocol-facts")?.textContent;
  if (form && told) new Editor(form, JSON.parse(told) as Facts).open();
}

class Editor {
  #protocol: ProtocolDocument;
  #ids: readonly number[] = [];
  #next = 0;
  #open = new Set<number>();
  #view: View = "form";
  #broken = "";
  #checked: Checked | null = null;
  #unchecked = "";
  #answers: Answers = {};
  #template: Template | null = null;
  #isSaving = false;
  readonly #start: string;
  readonly #text: HTMLTextAreaElement;
  readonly #checker: Checker;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly facts: Facts,
  ) {
    this.#text = part(form, "textarea", HTMLTextAreaElement);
    this.#protocol = facts.saved;
    this.#start = written(facts.saved);
    this.#checker = new Checker(
      form.dataset.check ?? "",
      (checked) => this.#take(checked),
      (words) => {
        this.#unchecked = words;
        this.#render();
      },
    );
  }

  open(): void {
    part(this.form, "[data-protocol-save]", HTMLElement).replaceChildren();
    this.#read(this.#text.value);
    this.#text.addEventListener("input", () => this.#read(this.#text.value));
    this.form.addEventListener("submit", () => {
      this.#isSaving = true;
    });
    addEventListener("beforeunload", (event) => {
      if (!this.#isSaving && this.#isChanged()) event.preventDefault();
    });
  }

  #isChanged(): boolean {
    return this.#broken !== "" || written(this.#protocol) !== this.#start;
  }

  /** What the JSON says, into the form. */
  #read(text: string): void {
    try {
      this.#protocol = parsed(text);
      this.#broken = "";
      this.#number();
    } catch (error) {
      this.#broken = error instanceof Error ? error.message : String(error);
    }
    this.#ask();
  }

  /** What the form says, into the JSON. */
  #edit(protocol: ProtocolDocument): void {
    this.#protocol = protocol;
    this.#number();
    this.#text.value = written(protocol);
    this.#ask();
  }

  #number(): void {
    const missing = this.#protocol.questions.length - this.#ids.length;
    const fresh = Array.from({ length: Math.max(0, missing) }, () => this.#next++);
    this.#ids = [...this.#ids, ...fresh].slice(0, this.#protocol.questions.length);
  }

  #ask(): void {
    this.#render();
    if (this.#broken === "") this.#checker.ask(written(this.#protocol));
  }

  #take(checked: Checked): void {
    this.#checked = checked;
    this.#unchecked = "";
    this.#render();
  }

  #questions(questions: readonly Row[], ids: readonly number[] = this.#ids): void {
    this.#ids = ids;
    this.#edit({ ...this.#protocol, questions });
  }

  #add(kind: string): void {
    const { questions } = this.#protocol;
    const id = this.#next++;
    this.#open.add(id);
    this.#questions([...questions, newQuestion(kind, questions)], [...this.#ids, id]);
    this.form.querySelector<HTMLElement>(`[data-question="${id}"] .question-fields input`)?.focus();
  }

  #duplicate(place: number, row: Row): void {
    const { questions } = this.#protocol;
    const id = this.#next++;
    this.#open.add(id);
    this.#questions(
      inserted(questions, place + 1, copyOf(row, questions)),
      inserted(this.#ids, place + 1, id),
    );
  }

  #fill(template: Template): void {
    this.#template = template;
    this.#open.clear();
    this.#answers = {};
    this.#ids = [];
    this.#edit({ ...template.document, settings: this.#protocol.settings });
  }

  #render(): void {
    const problems = this.#checked?.problems ?? [];
    render(this.#editor(problems), part(this.form, "[data-protocol-editor]", HTMLElement));
    render(this.#bar(problems), part(this.form, "[data-protocol-save]", HTMLElement));
    part(this.form, "[data-protocol-json]", HTMLElement).hidden = this.#view === "form";
    this.#text.setAttribute("aria-invalid", this.#broken === "" ? "false" : "true");
    this.form.dataset.protocolReady = this.#checked ? "checked" : "drawn";
  }

  #editor(problems: readonly Problem[]): TemplateResult {
    return html`
      <div class="protocol-bar row apart">
        ${this.#views()} ${this.#templates()}
      </div>
      ${this.#template ? html`<p class="notice">${this.#template.standard}</p>` : nothing}
      ${
        this.#view === "form"
          ? html`<div class="protocol">
              <div class="stack">${this.#cards(problems)} ${this.#adder()} ${this.#settings(problems)}</div>
              ${this.#preview()}
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

  #templates(): TemplateResult {
    const chosen = (event: Event) => {
      const found = this.facts.templates.find(({ name }) => name === typed(event));
      if (found) this.#fill(found);
    };
    return html`
      <label class="row"
        ><span class="soft">Start from</span>
        <select class="input" data-protocol-template @change=${chosen}>
          <option value="">a ready-made protocol …</option>
          ${this.facts.templates.map(({ name, title }) => html`<option value=${name}>${title}</option>`)}
        </select>
      </label>
    `;
  }

  #cards(problems: readonly Problem[]): unknown {
    const rows = this.#protocol.questions.map((row, place) => ({ row, place, id: this.#ids[place] ?? -1 }));
    return repeat(
      rows,
      ({ id }) => id,
      ({ row, place, id }) => this.#card(row, place, id, problems),
    );
  }

  #card(row: Row, place: number, id: number, problems: readonly Problem[]): TemplateResult {
    const at = `questions.${place}`;
    const wrong = problems.filter((one) => isWrong(at, [one]));
    const isOpen = this.#open.has(id);
    return html`
      <section class="card question-card ${wrong.length > 0 ? "wrong" : ""}" data-question=${id}>
        <div class="question-head">
          <button class="question-title" type="button" aria-expanded=${isOpen ? "true" : "false"} @click=${() => this.#toggle(id)}>
            <span class="place">${place + 1}</span>
            <span class="words">${textOf(row, "prompt") || html`<em>no words yet</em>`}</span>
            <span class="badge plain">${wordsOf(row.kind)}</span>
            ${row.when ? html`<span class="badge plain">conditional</span>` : nothing}
            ${wrong.length > 0 ? html`<span class="badge bad">${wrong.length} to mend</span>` : nothing}
          </button>
          ${this.#moves(row, place)}
        </div>
        ${wrong.map(({ message }) => html`<p class="problem">${sentence(message)}</p>`)}
        ${isOpen ? questionFields(this.#edited(row, place, wrong), this.#around(place)) : nothing}
      </section>
    `;
  }

  #around(place: number) {
    return {
      questions: this.#protocol.questions,
      place,
      saved: this.facts.saved.questions,
      measures: this.facts.measures,
    };
  }

  #edited(row: Row, place: number, problems: readonly Problem[]): Edited {
    const change = (changed: Row) => this.#questions(replaced(this.#protocol.questions, place, changed));
    const set = (field: string, value: unknown) => change(withField(row, field, value));
    return { row, at: `questions.${place}`, problems, change, set };
  }

  #moves(row: Row, place: number): TemplateResult {
    const { questions } = this.#protocol;
    const name = `question ${place + 1}`;
    const go = (by: -1 | 1) => this.#questions(moved(questions, place, by), moved(this.#ids, place, by));
    return html`
      <div class="row">
        ${small("↑", () => go(-1), { isDisabled: place === 0, title: `Move ${name} up` })}
        ${small("↓", () => go(1), { isDisabled: place === questions.length - 1, title: `Move ${name} down` })}
        ${small("Copy", () => this.#duplicate(place, row), { title: `Copy ${name}` })}
        ${small("Delete", () => this.#questions(without(questions, place), without(this.#ids, place)), { title: `Delete ${name}` })}
      </div>
    `;
  }

  #toggle(id: number): void {
    if (!this.#open.delete(id)) this.#open.add(id);
    this.#render();
  }

  #adder(): TemplateResult {
    return html`
      <section class="card adder">
        <h2>Add a question</h2>
        <div class="kinds">
          ${KINDS.map(({ kind, words, hint }) => html`<button class="button" type="button" data-add=${kind} title=${hint} @click=${() => this.#add(kind)}>${words}</button>`)}
        </div>
      </section>
    `;
  }

  #settings(problems: readonly Problem[]): TemplateResult {
    const row = this.#protocol.settings;
    const wrong = problems.filter((one) => isWrong("settings", [one]));
    const change = (settings: Row) => this.#edit({ ...this.#protocol, settings });
    const set = (field: string, value: unknown) => change(withField(row, field, value));
    return html`
      <section class="card">
        <h2>While reading</h2>
        ${wrong.map(({ message }) => html`<p class="problem">${sentence(message)}</p>`)}
        ${settingsFields({ row, at: "settings", problems: wrong, change, set })}
      </section>
    `;
  }

  #preview(): TemplateResult {
    const told = (key: string, answer: Answer | undefined) => {
      const { [key]: _old, ...rest } = this.#answers;
      this.#answers = answer === undefined ? rest : { ...rest, [key]: answer };
      this.#render();
    };
    const isSound = this.#checked?.problems.length === 0;
    return html`
      <aside class="card protocol-preview" aria-label="Preview">
        <div class="card-head">
          <h2>As readers see it</h2>
          ${small("Clear", () => {
            this.#answers = {};
            this.#render();
          })}
        </div>
        ${isSound ? preview(this.#protocol, this.#answers, told) : html`<p class="faint">Shown when nothing is left to mend.</p>`}
      </aside>
    `;
  }

  #bar(problems: readonly Problem[]): TemplateResult {
    const changes = this.#checked?.changes ?? [];
    const elsewhere = problems.filter(
      ({ at }) => !/^(questions\.\d|settings)/.test(at) || this.#view === "json",
    );
    const isBlocked =
      this.#broken !== "" || problems.length > 0 || (changes.length === 0 && this.#unchecked === "");
    return html`
      <div class="told" role="status">
        ${this.#broken ? html`<p class="problem">Not JSON yet: ${this.#broken}</p>` : nothing}
        ${this.#unchecked ? html`<p class="problem">${this.#unchecked}</p>` : nothing}
        ${elsewhere.map(({ at, message }) => html`<p class="problem">${at ? html`<span class="mono">${at}</span> ` : nothing}${sentence(message)}</p>`)}
        ${this.#sumUp(problems, changes)}
      </div>
      <button class="button primary" ?disabled=${isBlocked}>Save as version ${this.facts.version + 1}</button>
    `;
  }

  #sumUp(problems: readonly Problem[], changes: readonly string[]): unknown {
    if (this.#broken !== "" || this.#checked === null) return nothing;
    if (problems.length > 0)
      return html`<p>${problems.length === 1 ? "One thing" : `${problems.length} things`} to mend before it can be saved.</p>`;
    if (changes.length === 0)
      return html`<p class="soft">Nothing differs from version ${this.facts.version}.</p>`;
    return html`<details>
      <summary>${changes.length === 1 ? "One change" : `${changes.length} changes`} to version ${this.facts.version}</summary>
      <ul>${changes.map((one) => html`<li>${one}</li>`)}</ul>
    </details>`;
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function part<T extends HTMLElement>(root: HTMLElement, selector: string, type: new () => T): T {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the protocol's page has no ${selector}`);
  return found;
}
