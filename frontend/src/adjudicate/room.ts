/** The adjudication room: a case in dispute, its images beside what its readers say; everything by keys. */

import { html, render } from "lit";
import { Client } from "../api/client";
import { DisputeClient } from "../api/disputes";
import { FrameStore } from "../images/store";
import { Judging, type JudgingState, lettersIn } from "./judging";
import { Picture } from "./picture";
import { type Acts, panel, underImage } from "./view";

const LETTER_KEYS = "abcd";

export function openAdjudication(): void {
  const root = document.querySelector<HTMLElement>("[data-adjudication]");
  if (root) new AdjudicationRoom(root);
}

class AdjudicationRoom {
  readonly #root: HTMLElement;
  readonly #id: string;
  readonly #list: string;
  readonly #judging: Judging;
  readonly #acts: Acts = { edit: () => this.#edit(), slide: (index) => void this.#picture?.goTo(index) };
  #picture: Picture | null = null;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#id = root.dataset.adjudication ?? "";
    this.#list = root.dataset.list ?? "/";
    this.#judging = new Judging({
      client: new DisputeClient(this.#id),
      now: () => performance.now(),
      newKey: () => crypto.randomUUID(),
      goOn: (next) => location.assign(next ? `${this.#list}/${next}` : this.#list),
    });
    render(
      html`<div class="case-columns judged">
        <section class="card case-image" aria-label="Image">
          <div class="case-stage"><div class="canvas" data-case></div></div>
          <div data-under></div>
          <p class="notice bad" role="alert" data-case-problem hidden></p>
        </section>
        <div class="stack" data-panel></div>
      </div>`,
      root,
    );
    this.#judging.subscribe(() => this.#draw());
    document.addEventListener("keydown", (event) => this.#pressed(event));
    for (const sign of ["pointerdown", "pointermove", "wheel"] as const) {
      window.addEventListener(sign, () => this.#judging.present(), { passive: true });
    }
    void this.#open();
  }

  async #open(): Promise<void> {
    await this.#judging.open();
    const { dispute } = this.#judging.state;
    const element = this.#root.querySelector<HTMLDivElement>(".canvas");
    if (!dispute || !element) return;
    const client = new Client();
    const store = new FrameStore(({ caseId, sopInstanceUid, frame }, signal) =>
      client.frame(caseId, sopInstanceUid, frame, signal),
    );
    this.#picture = new Picture(element, store, () => this.#drawUnder());
    try {
      await this.#picture.show(dispute);
      this.#root.dataset.shown = String(dispute.case.number);
      this.#draw();
    } catch (error) {
      const problem = this.#root.querySelector<HTMLElement>("[data-case-problem]");
      if (problem) {
        problem.hidden = false;
        problem.textContent = error instanceof Error ? error.message : String(error);
      }
    }
  }

  #draw(): void {
    const place = this.#root.querySelector<HTMLElement>("[data-panel]");
    if (place) render(panel(this.#judging, this.#acts), place);
    place?.querySelector<HTMLDialogElement>("dialog:not([open])")?.showModal();
    this.#picture?.draw(this.#judging.state);
    this.#drawUnder();
  }

  #drawUnder(): void {
    const place = this.#root.querySelector<HTMLElement>("[data-under]");
    const at = { index: this.#picture?.index ?? 0, count: this.#picture?.count ?? 0 };
    if (place && this.#judging.state.dispute) render(underImage(this.#judging, at, this.#acts), place);
  }

  /** Edit from the side that is picked, else from the first. */
  #edit(): void {
    const { state } = this.#judging;
    const side = state.picks[state.active] ?? lettersIn(state)[0] ?? "A";
    location.assign(`${this.#list}/${this.#id}/edit?side=${side}`);
  }

  #pressed(event: KeyboardEvent): void {
    this.#judging.present();
    const target = event.target instanceof Element ? event.target : null;
    if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target?.matches("input, select, textarea")) return;
    const isButton = target?.matches("button, a") ?? false;
    const act = actOf(event.key.toLowerCase(), this.#judging, this.#judging.state, this.#acts, this.#picture);
    if (!act || (isButton && event.key === "Enter")) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) act();
  }
}

/** What a key does; digits and the first letters pick a side. */
const actOf = (
  key: string,
  judging: Judging,
  state: JudgingState,
  acts: Acts,
  picture: Picture | null,
): (() => void) | undefined => {
  const letters = lettersIn(state);
  const nth = /^[1-9]$/.test(key) ? Number(key) - 1 : LETTER_KEYS.indexOf(key);
  const letter = key.length === 1 && nth >= 0 ? letters[nth] : undefined;
  if (letter) return () => judging.pick(letter);
  return {
    enter: () => void judging.decide(),
    e: acts.edit,
    s: () => judging.openDialog("return"),
    n: () => judging.next(),
    v: () => judging.cycle(),
    m: () => void judging.showModel(),
    "?": () => judging.openDialog("keys"),
    arrowleft: () => judging.turn(-1),
    arrowright: () => judging.turn(1),
    arrowup: () => void picture?.goTo(picture.index - 1),
    arrowdown: () => void picture?.goTo(picture.index + 1),
  }[key];
};
