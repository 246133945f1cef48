/** <fovea-room>: the whole screen of a reader. */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Client } from "../api/client";
import { FrameStore } from "../images/store";
import { adjust, type Tool } from "../viewer/gestures";
import { newStage } from "../viewer/new";
import type { Stage } from "../viewer/stage";
import { actionFor, belongsToFocus, chord, type RoomActions } from "./keys";
import { banner } from "./panels/banner";
import { type Place, topBar } from "./panels/bar";
import { cover } from "./panels/cover";
import { dialogs } from "./panels/dialogs";
import { sidePanel } from "./panels/side";
import { imageFacts, slicePosition, toolbar } from "./panels/stage";
import { Presenter } from "./presenter";
import { ReadingSession } from "./session";
import { SKIP_REASONS } from "./skips";
import { viewOf } from "./state";
import { changeTheme } from "./theme";

export class ReadingRoom extends LitElement {
  readonly #client = new Client();
  readonly #store = new FrameStore(({ caseId, sopInstanceUid, frame }, signal) =>
    this.#client.frame(caseId, sopInstanceUid, frame, signal),
  );
  readonly #session = new ReadingSession({
    client: this.#client,
    projectId: this.dataset.project ?? "",
    storage: window.localStorage,
    now: () => performance.now(),
    newKey: () => crypto.randomUUID(),
  });
  readonly #actions = this.#newActions();
  #stage: Stage | null = null;
  #isPlain = false;
  #tool: Tool = "window";

  /** No shadow: the design system's styles and the page's language reach everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#session.subscribe(() => this.requestUpdate());
    window.addEventListener("keydown", (event) => this.#pressed(event));
    for (const sign of ["pointerdown", "pointermove", "wheel"] as const) {
      window.addEventListener(sign, () => this.#session.present(), { passive: true });
    }
    document.addEventListener("visibilitychange", () => this.#seen(document.visibilityState === "visible"));
    window.addEventListener("pagehide", () => this.#session.hidden());
    window.addEventListener("online", () => this.#session.look());
    window.addEventListener("focus", () => this.#session.look());
  }

  protected override firstUpdated(): void {
    const element = this.querySelector<HTMLDivElement>(".canvas");
    if (!element) throw new Error("The room has no place for the image");
    const { stage, isPlain } = newStage(element, this.#store, () => this.#drawn());
    this.#stage = stage;
    this.#isPlain = isPlain;
    new Presenter(this.#session, stage, this.#store);
    void this.#session.start();
  }

  protected override updated(_: PropertyValues): void {
    const dialog = this.querySelector<HTMLDialogElement>("dialog:not([open])");
    dialog?.showModal();
  }

  protected override render(): TemplateResult {
    const { state } = this.#session;
    const place = this.#place();
    const view = state.image === "shown" ? this.#stage?.view() : undefined;
    const shown = state.current && state.image === "shown" ? viewOf(state.current).number : "";
    return html`
      ${topBar(state, place, this.#tools(), this.#actions)}
      ${banner(state, this.dataset.signIn ?? "", this.#isPlain)}
      <main class="stage" data-phase=${state.phase} data-shown=${shown}>
        <div class="canvas" role="img" aria-label=${shown === "" ? "No image" : `Image of case ${shown}`}></div>
        ${imageFacts(view)} ${slicePosition(view)}
        ${cover(state, place, this.#actions)}
      </main>
      ${sidePanel(state, this.#actions)} ${dialogs(state, this.#actions)}
    `;
  }

  #tools(): TemplateResult | typeof nothing {
    return this.#session.state.current ? toolbar(this.#tool, this.#stage?.view(), this.#actions) : nothing;
  }

  #place(): Place {
    return { projectName: this.dataset.name ?? "Project", projectUrl: this.dataset.home ?? "/" };
  }

  #drawn(): void {
    this.requestUpdate();
  }

  #seen(isVisible: boolean): void {
    if (!isVisible) {
      this.#session.hidden();
      return;
    }
    this.#session.present();
    this.#session.look();
  }

  #pressed(event: KeyboardEvent): void {
    this.#session.present();
    const pressed = chord(event);
    const target = event.target instanceof Element ? event.target : null;
    if (pressed === null || belongsToFocus(target, pressed)) return;
    const action = actionFor(this.#session.state.dialog, pressed);
    if (!action) return;
    event.preventDefault();
    // A key held down must not submit one case after another.
    if (event.repeat && pressed === "enter") return;
    action(this.#actions);
  }

  #newActions(): RoomActions {
    const session = this.#session;
    return {
      choose: (nth) => session.desk.choose(nth),
      answer: (key, value) => session.desk.answer(key, value),
      turn: (step) => session.desk.turn(step),
      confirm: () => session.confirm(),
      back: () => void session.back(),
      escape: () => session.escape(),
      open: (dialog) => session.openDialog(dialog),
      skip: (nth) => this.#skip(nth),
      changeTheme,
      ...this.#imageActions(),
    };
  }

  #imageActions() {
    return {
      use: (tool: Tool) => this.#use(tool),
      adjust: (right: number, down: number) => this.#stage && adjust(this.#stage, this.#tool, [right, down]),
      zoom: (factor: number) => this.#stage?.zoomBy(factor),
      scroll: (slices: number) => this.#scroll(slices),
      invert: () => this.#stage?.invert(),
      fit: () => this.#stage?.reset(),
    };
  }

  #skip(nth: number): void {
    const reason = SKIP_REASONS[nth];
    if (reason) this.#session.skip(reason.value);
  }

  #use(tool: Tool): void {
    this.#tool = tool;
    this.#stage?.use(tool);
    this.requestUpdate();
  }

  #scroll(slices: number): void {
    const view = this.#stage?.view();
    if (view) void this.#stage?.goTo(view.index + slices);
  }
}
