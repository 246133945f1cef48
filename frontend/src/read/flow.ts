/** What goes on beside the case on screen: the day's readings, colleagues' questions, remarks, own preferences. */

import type { Api } from "../api/client";
import type { FlagReason, Preferences, RemarkKind } from "../api/types";
import { language, say } from "../words/say";
import type { StateCell } from "./cell";
import type { Desk } from "./desk";
import type { KeyChanges } from "./keys";
import { viewOf } from "./state";

export interface FlowParts {
  readonly cell: StateCell;
  readonly client: Api;
  readonly desk: Desk;
  readonly projectId: string;
  readonly storage: Pick<Storage, "getItem" | "setItem">;
  readonly couldNot: (what: string, error: unknown) => void;
  readonly remark: (
    place: { readonly id: string; readonly number: number },
    remark: {
      readonly kind: RemarkKind;
      readonly reason: FlagReason | "";
      readonly text: string;
      readonly to: string | null;
    },
  ) => void;
}

const KEPT_PREFERENCES = "fovea-preferences";

const midnight = (): Date => {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate());
};

export class Flow {
  readonly #parts: FlowParts;
  #userId = "";

  constructor(parts: FlowParts) {
    this.#parts = parts;
  }

  /** Whose room it is: own keys from this browser at once, from the server as soon as it answers. */
  async settleIn(userId: string): Promise<void> {
    this.#userId = userId;
    const kept = this.#parts.storage.getItem(`${KEPT_PREFERENCES}/${userId}`);
    if (kept) this.#parts.cell.set({ keys: (JSON.parse(kept) as Preferences).keys });
    await Promise.all([this.#loadPreferences(), this.lookAtDay(), this.lookAtRemarks()]);
  }

  /** Fetch what was read today; it can wait where the server is away. */
  async lookAtDay(): Promise<void> {
    const { client, projectId, cell } = this.#parts;
    await this.#quietly(async () => cell.set({ today: await client.today(projectId, midnight()) }));
  }

  async lookAtRemarks(): Promise<void> {
    const { client, projectId, cell } = this.#parts;
    await this.#quietly(async () => cell.set({ remarks: await client.remarks(projectId) }));
  }

  /** Open one of the reader's own readings. */
  async openReading(readingId: string): Promise<void> {
    const { client, desk, cell, couldNot } = this.#parts;
    cell.set({ dialog: "none" });
    try {
      desk.openPast(await client.reading(readingId));
    } catch (error) {
      couldNot(say("open_reading"), error);
    }
  }

  /** Open the case that a colleague asks about. */
  async openAsked(remarkId: string): Promise<void> {
    const { client, desk, cell, couldNot } = this.#parts;
    cell.set({ dialog: "none" });
    try {
      desk.openAsked(await client.asked(remarkId));
    } catch (error) {
      couldNot(say("open_question"), error);
    }
  }

  /** Send the reply to the question on screen; true where the server has it. */
  async reply(text: string): Promise<boolean> {
    const { client, cell, couldNot } = this.#parts;
    const { current } = cell.state;
    if (current?.kind !== "asked") return false;
    if (text.trim() === "") {
      cell.say(say("reply_empty"), "warn");
      return false;
    }
    try {
      await client.reply(current.asked.remark.id, text.trim());
    } catch (error) {
      couldNot(say("send_reply"), error);
      return false;
    }
    void this.lookAtRemarks();
    return true;
  }

  openRemark(remarkKind: RemarkKind): void {
    const { current } = this.#parts.cell.state;
    if (current && current.kind !== "asked") this.#parts.cell.set({ dialog: "remark", remarkKind });
  }

  /** Say something of the case on screen. */
  remark(reason: FlagReason | "", text: string, to: string): void {
    const { cell } = this.#parts;
    const { current, remarkKind: kind } = cell.state;
    if (!current) return;
    const isFlag = kind === "flag";
    if (isFlag ? reason === "" : text.trim() === "") return;
    cell.set({ dialog: "none" });
    this.#parts.remark(viewOf(current), {
      kind,
      reason: isFlag ? reason : "",
      text: text.trim(),
      to: kind === "question" ? to : null,
    });
    cell.say(say(`noted_${kind}`));
  }

  /** Keep changed keys, here at once and for every desk. */
  async changeKeys(keys: KeyChanges): Promise<void> {
    this.#parts.cell.set({ keys });
    await this.#save({ keys: this.#copied(keys), language: language() });
  }

  /** Keep the language; true where the page must be loaded anew. */
  async changeLanguage(language: Preferences["language"]): Promise<boolean> {
    return this.#save({ keys: this.#copied(this.#parts.cell.state.keys), language });
  }

  async #loadPreferences(): Promise<void> {
    await this.#quietly(async () => {
      const preferences = await this.#parts.client.preferences();
      this.#keep(preferences);
      this.#parts.cell.set({ keys: preferences.keys });
    });
  }

  async #save(preferences: Preferences): Promise<boolean> {
    this.#keep(preferences);
    try {
      await this.#parts.client.savePreferences(preferences);
      return true;
    } catch (error) {
      this.#parts.couldNot(say("save_preferences"), error);
      return false;
    }
  }

  #keep(preferences: Preferences): void {
    this.#parts.storage.setItem(`${KEPT_PREFERENCES}/${this.#userId}`, JSON.stringify(preferences));
  }

  #copied(keys: KeyChanges): Record<string, string[]> {
    return Object.fromEntries(Object.entries(keys).map(([act, chords]) => [act, [...chords]]));
  }

  /** What is only nice to know does not trouble the reader when it does not come. */
  async #quietly(look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
}
