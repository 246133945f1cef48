/** Autosave of the case on screen: soon after each change, versioned, never an older one over a newer. */

import { Refusal } from "../api/problems";
import type { Draft, NewDraft } from "../api/types";
import type { Answers } from "../protocol/types";
import { isPassing } from "./connection";
import type { Journal } from "./journal";

export const SAVE_AFTER_MS = 400;
/** However fast changes follow each other. */
const SAVE_AT_LATEST_MS = 1000;

export type DraftState = "clean" | "saving" | "saved" | "kept_here";

export interface DraftEvents {
  readonly changed: (state: DraftState) => void;
  readonly delayed: (error: unknown) => void;
  /** Another tab of the same reader has saved a newer one. */
  readonly overtaken: (caseId: string, newer: Draft) => void;
  readonly leaseLost: (caseId: string) => void;
}

type Save = (caseId: string, draft: NewDraft, keepalive: boolean) => Promise<{ readonly version: number }>;

interface Opened {
  readonly caseId: string;
  readonly leaseId: string;
  readonly protocolVersion: number;
  version: number;
  answers: Answers;
  seconds: number;
  isDirty: boolean;
  /** Submitted or passed on: what still comes back from the server of its drafts is of no use. */
  isFinished: boolean;
}

export class DraftSaver {
  readonly #save: Save;
  readonly #journal: Journal;
  readonly #events: DraftEvents;
  #opened: Opened | null = null;
  readonly #known = new Map<string, Draft>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the oldest change that is not sent yet was made. */
  #waitsSince: number | null = null;
  #isSaving = false;

  constructor(save: Save, journal: Journal, events: DraftEvents) {
    this.#save = save;
    this.#journal = journal;
    this.#events = events;
  }

  /** The last draft that the server is known to hold, or this browser keeps, of a case that was open here. */
  latest(caseId: string): Draft | undefined {
    return this.#known.get(caseId);
  }

  /** Start on a case; returns the newest draft of it, from the server or from this browser. */
  open(caseId: string, leaseId: string, protocolVersion: number, fromServer: Draft | null): Draft {
    this.close();
    const kept = this.#journal.draft(caseId);
    const server = fromServer ?? { version: 0, answers: {}, seconds: 0 };
    const isKeptNewer = kept !== null && kept.version >= server.version;
    const { version, answers, seconds } = isKeptNewer ? kept : server;
    this.#opened = {
      caseId,
      leaseId,
      protocolVersion,
      version,
      answers,
      seconds,
      isDirty: isKeptNewer,
      isFinished: false,
    };
    this.#events.changed(isKeptNewer ? "kept_here" : fromServer ? "saved" : "clean");
    if (isKeptNewer) this.#soon();
    return { version, answers, seconds };
  }

  change(answers: Answers, seconds: number): void {
    const opened = this.#opened;
    if (!opened) return;
    Object.assign(opened, { answers, seconds, isDirty: true });
    this.#keep(opened);
    this.#know(opened);
    this.#events.changed("saving");
    this.#soon();
  }

  /** The case was submitted or left: its draft has no use any more in this browser. */
  finish(): void {
    if (this.#opened) {
      Object.assign(this.#opened, { isDirty: false, isFinished: true });
      this.#journal.dropDraft(this.#opened.caseId);
    }
    this.close();
  }

  /** Leave a case whose draft stays. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#opened?.isDirty) void this.#send(this.#opened, false);
    this.#opened = null;
    this.#events.changed("clean");
  }

  /** Save at once: the page goes away, or the connection is back. */
  async flush(keepalive: boolean): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#opened?.isDirty) await this.#send(this.#opened, keepalive);
  }

  #soon(): void {
    this.#waitsSince ??= Date.now();
    const left = SAVE_AT_LATEST_MS - (Date.now() - this.#waitsSince);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(false), Math.max(0, Math.min(SAVE_AFTER_MS, left)));
  }

  #know({ caseId, version, answers, seconds }: Opened): void {
    this.#known.set(caseId, { version, answers, seconds });
  }

  #keep({ caseId, version, answers, seconds }: Opened): void {
    this.#journal.keepDraft({ case_id: caseId, version, answers, seconds });
  }

  /** One at a time: versions grow in the order of the changes. */
  async #send(opened: Opened, keepalive: boolean): Promise<void> {
    if (this.#isSaving) {
      this.#soon();
      return;
    }
    this.#isSaving = true;
    this.#waitsSince = null;
    opened.isDirty = false;
    // Taken by the server or not, if its word is never heard: what is changed from now on is newer.
    opened.version += 1;
    const { leaseId, protocolVersion, version, answers, seconds } = opened;
    const draft = { lease_id: leaseId, version, answers, seconds, protocol_version: protocolVersion };
    try {
      await this.#save(opened.caseId, draft, keepalive);
      this.#saved(opened);
    } catch (error) {
      this.#failed(opened, error);
    } finally {
      this.#isSaving = false;
    }
  }

  #saved(opened: Opened): void {
    if (opened.isFinished) return;
    this.#know(opened);
    if (opened.isDirty) {
      this.#keep(opened);
      return;
    }
    this.#journal.dropDraft(opened.caseId);
    if (opened === this.#opened) this.#events.changed("saved");
  }

  #failed(opened: Opened, error: unknown): void {
    if (opened.isFinished) return;
    if (isPassing(error)) {
      opened.isDirty = true;
      this.#keep(opened);
      if (opened === this.#opened) this.#events.changed("kept_here");
      this.#events.delayed(error);
      return;
    }
    if (opened !== this.#opened) return;
    this.#refused(opened, error);
  }

  #refused(opened: Opened, error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    const isKeptThere = error.code === "draft_stale" || error.code === "lease_lost";
    if (isKeptThere) this.#journal.dropDraft(opened.caseId);
    else this.#events.changed("kept_here");
    if (error.code === "draft_stale") this.#overtaken(opened, error.body.draft as Draft);
    if (error.code === "lease_lost") this.#events.leaseLost(opened.caseId);
  }

  #overtaken(opened: Opened, newer: Draft): void {
    Object.assign(opened, { ...newer, isDirty: false });
    this.#events.changed("saved");
    this.#events.overtaken(opened.caseId, newer);
  }
}
