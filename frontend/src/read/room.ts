/** <fovea-room>: the whole screen of a reader. */

import { html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { Client } from "../api/client";
import { FrameStore } from "../images/store";
import { newStage } from "../viewer/new";
import { say } from "../words/say";
import { actsOf, type Bench } from "./acts";
import { DecidingClient } from "./deciding";
import { Drawing } from "./drawing";
import { actionFor, belongsToFocus, bindingsWith, chord, conflictOf, keycaps, withKey } from "./keys";
import { banner } from "./panels/banner";
import { topBar } from "./panels/bar";
import { cover } from "./panels/cover";
import { dialogs } from "./panels/dialogs";
import type { Forms, Screen } from "./panels/screen";
import { sidePanel } from "./panels/side";
import { imageFacts, slicePosition, toolRail } from "./panels/tools";
import { Presenter } from "./presenter";
import { Proposals } from "./proposals";
import { ReadingSession } from "./session";
import { activeStop, viewOf } from "./state";
import { BrowserVault } from "./vault";

const EMPTY_FORMS: Forms = { comment: "", reason: "", to: "", capturing: "", refused: "" };

export class ReadingRoom extends LitElement {
  readonly #client = this.#newClient();
  readonly #store = new FrameStore(({ caseId, sopInstanceUid, frame }, signal) =>
    this.#client.frame(caseId, sopInstanceUid, frame, signal),
  );
  readonly #session = new ReadingSession({
    client: this.#client,
    projectId: this.dataset.project ?? "",
    storage: window.localStorage,
    vault: new BrowserVault(),
    now: () => performance.now(),
    newKey: () => crypto.randomUUID(),
  });
  readonly #actions = actsOf({
    session: this.#session,
    bench: () => this.#bench,
    forms: () => this.#forms,
  });
  #bench: Bench | null = null;
  #isPlain = false;
  #forms = EMPTY_FORMS;
  #focused = 0;
  #scrolled = 0;
  /** The dialog that the form is of. */
  #formOf = "none";

  /** No shadow: the design system's styles and the page's language reach everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#session.subscribe(() => this.#changed());
    window.addEventListener("keydown", (event) => this.#pressed(event));
    for (const sign of ["pointerdown", "pointermove", "wheel"] as const) {
      window.addEventListener(sign, () => this.#session.present(), { passive: true });
    }
    document.addEventListener("visibilitychange", () => this.#seen(document.visibilityState === "visible"));
    window.addEventListener("pagehide", () => this.#hidden());
    window.addEventListener("online", () => this.#session.look());
    window.addEventListener("focus", () => this.#session.look());
  }

  protected override firstUpdated(): void {
    const element = this.querySelector<HTMLDivElement>(".canvas");
    if (!element) throw new Error("The room has no place for the image");
    const { stage, isPlain } = newStage(element, this.#store, () => this.#drawn());
    this.#isPlain = isPlain;
    new Presenter(this.#session, stage, this.#store, (caseId) => this.#client.hanging(caseId));
    const drawing = new Drawing(this.#session, stage, () => this.requestUpdate());
    const proposals = new Proposals(this.#session, stage, drawing, () => this.requestUpdate());
    this.#bench = { stage, drawing, proposals };
    void this.#session.start();
  }

  protected override updated(_: PropertyValues): void {
    this.querySelector<HTMLDialogElement>("dialog:not([open])")?.showModal();
    this.#startAtTop();
    this.#moveFocus();
  }

  protected override render(): TemplateResult {
    const screen = this.#screen();
    const { state, view } = screen;
    const shown = state.current && state.image === "shown" ? viewOf(state.current).number : "";
    const label = shown === "" ? say("no_image") : say("image_of_case", { number: shown });
    return html`
      ${topBar(screen)} ${banner(screen)} ${toolRail(screen)}
      <main class="stage" data-phase=${state.phase} data-shown=${shown}>
        <div class="canvas" role="img" aria-label=${label}></div>
        ${imageFacts(view)} ${slicePosition(view)} ${cover(screen)}
      </main>
      ${sidePanel(screen)} ${dialogs(screen)}
    `;
  }

  #screen(): Screen {
    const { state } = this.#session;
    return {
      state,
      session: this.#session,
      actions: this.#actions,
      bindings: bindingsWith(state.keys),
      place: {
        projectName: this.dataset.name ?? "",
        projectUrl: this.dataset.home ?? "/",
        signInUrl: this.dataset.signIn ?? "",
      },
      isPlain: this.#isPlain,
      stage: this.#bench?.stage ?? null,
      drawing: this.#bench?.drawing ?? null,
      proposals: this.#bench?.proposals ?? null,
      view: state.image === "shown" ? this.#bench?.stage.view() : undefined,
      forms: this.#forms,
      fill: (change) => this.#fill(change),
    };
  }

  /** An adjudicator's room is of one case, and goes back to where it came from. */
  #newClient(): Client {
    const { dispute, side = "A", home = "/" } = this.dataset;
    return dispute ? new DecidingClient(dispute, side, () => location.assign(home)) : new Client();
  }

  #fill(change: Partial<Forms>): void {
    this.#forms = { ...this.#forms, ...change };
    this.requestUpdate();
  }

  /** A form is empty whenever it is opened for another thing. */
  #changed(): void {
    const { dialog, current, remarkKind, showing } = this.#session.state;
    const formOf = [dialog, remarkKind, current?.kind === "asked" ? showing : ""].join();
    if (formOf !== this.#formOf) this.#forms = EMPTY_FORMS;
    this.#formOf = formOf;
    this.requestUpdate();
  }

  #drawn(): void {
    this.#bench?.drawing.viewed();
    this.requestUpdate();
  }

  /** Another case is read from the top of the panel. */
  #startAtTop(): void {
    const { showing } = this.#session.state;
    if (showing === this.#scrolled) return;
    this.#scrolled = showing;
    this.querySelector(".side-scroll")?.scrollTo({ top: 0 });
  }

  /** The keyboard's focus follows the active question: into its field, else to the question as a whole. */
  #moveFocus(): void {
    const { focusing, dialog } = this.#session.state;
    if (focusing === this.#focused || dialog !== "none") return;
    this.#focused = focusing;
    const stop = activeStop(this.#session.state);
    if (!stop) return;
    const place = this.querySelector<HTMLElement>(`[data-path="${CSS.escape(stop.path)}"]`);
    const isTyped = stop.question.kind === "number" || stop.question.kind === "text";
    const target = isTyped ? place?.querySelector<HTMLElement>("input, textarea") : place;
    if (!target?.contains(document.activeElement)) target?.focus({ preventScroll: true });
    place?.scrollIntoView({ block: "nearest" });
  }

  #seen(isVisible: boolean): void {
    if (!isVisible) {
      this.#hidden();
      return;
    }
    this.#session.present();
    this.#session.look();
  }

  #hidden(): void {
    this.#bench?.drawing.flush();
    this.#session.hidden();
  }

  #pressed(event: KeyboardEvent): void {
    this.#session.present();
    const pressed = chord(event);
    if (pressed === null) return;
    if (this.#forms.capturing !== "") {
      event.preventDefault();
      this.#capture(pressed);
      return;
    }
    const target = event.target instanceof Element ? event.target : null;
    // Shift and Enter is a new line in a text.
    if (belongsToFocus(target, pressed) || (event.shiftKey && pressed === "enter")) return;
    this.#run(event, pressed);
  }

  #run(event: KeyboardEvent, pressed: string): void {
    const { state } = this.#session;
    const isSent = state.dialog === "remark" && pressed === "enter";
    const action = isSent
      ? () => this.#actions.confirm()
      : actionFor(state.dialog, pressed, bindingsWith(state.keys));
    if (!action) return;
    event.preventDefault();
    // A key held down must not submit one case after another.
    if (event.repeat && pressed === "enter") return;
    action(this.#actions);
  }

  /** The next key pressed becomes the key of an act, unless it does something else already. */
  #capture(pressed: string): void {
    const { capturing } = this.#forms;
    const { keys } = this.#session.state;
    if (["shift", "alt", "control", "meta"].includes(pressed)) return;
    const taken = pressed === "escape" ? null : conflictOf(keys, capturing, pressed);
    if (taken) {
      const key = keycaps(pressed).join(" ");
      this.#fill({ refused: say("key_taken", { key, what: say(taken.what) }) });
      return;
    }
    this.#fill({ capturing: "", refused: "" });
    if (pressed !== "escape") void this.#session.flow.changeKeys(withKey(keys, capturing, pressed));
  }
}
