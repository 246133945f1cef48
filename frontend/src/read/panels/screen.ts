/** What every panel is drawn from. */

import { html, nothing, type TemplateResult } from "lit";
import type { Stage, View } from "../../viewer/stage";
import type { Drawing } from "../drawing";
import { type Binding, type RoomActions, shownKeys } from "../keys";
import type { Proposals } from "../proposals";
import type { ReadingSession } from "../session";
import type { RoomState } from "../state";

export interface Place {
  readonly projectName: string;
  readonly projectUrl: string;
  readonly signInUrl: string;
}

/** What a dialog's form holds until it is sent. */
export interface Forms {
  readonly comment: string;
  readonly reason: string;
  readonly to: string;
  /** Act whose key is being changed, "" for none. */
  readonly capturing: string;
  /** What speaks against the key that was pressed. */
  readonly refused: string;
}

export interface Screen {
  readonly state: RoomState;
  readonly session: ReadingSession;
  readonly actions: RoomActions;
  readonly bindings: readonly Binding[];
  readonly place: Place;
  readonly isPlain: boolean;
  readonly stage: Stage | null;
  readonly drawing: Drawing | null;
  readonly proposals: Proposals | null;
  readonly view: View | undefined;
  readonly forms: Forms;
  readonly fill: (change: Partial<Forms>) => void;
}

export const keycap = (key: string): TemplateResult =>
  key === "…" ? html`<span>…</span>` : html`<kbd aria-hidden="true">${key}</kbd>`;

/** The keys of an act, as the reader has them. */
export const keyOf = ({ bindings }: Screen, act: string): readonly TemplateResult[] | typeof nothing => {
  const binding = bindings.find((one) => one.act === act);
  return binding ? shownKeys(binding).map(keycap) : nothing;
};

export const keyText = ({ bindings }: Screen, act: string): string => {
  const binding = bindings.find((one) => one.act === act);
  return binding ? shownKeys(binding).join(" ") : "";
};
