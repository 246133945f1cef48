/** The server's routes that the reading room uses, one function each. */

import { Http } from "./http";
import { Refusal } from "./problems";
import type {
  Asked,
  HangingView,
  NewDraft,
  NewReading,
  NewRemark,
  NewRevision,
  NewSkip,
  PastReading,
  Preferences,
  Remark,
  Remarks,
  Session,
  Skipped,
  Submitted,
  Today,
  Workload,
} from "./types";

/** What others may ask of the client. */
export type Api = Pick<Client, keyof Client>;

export class Client {
  readonly #http: Http;
  #userId = "";

  constructor(base = "/api/v1/") {
    this.#http = new Http(base);
  }

  /** Who is signed in; also learns the token that every write needs, of the first person alone. */
  async session(): Promise<Session> {
    const session = await this.#http.json<Session>({ path: "session" });
    if (this.#userId === "") this.#userId = session.user.id;
    if (this.#userId === session.user.id) this.#http.trust(session.csrf_token);
    return session;
  }

  workload(projectId: string): Promise<Workload> {
    return this.#write(() => this.#http.json({ method: "POST", path: `projects/${projectId}/leases` }));
  }

  /** How a case is hung, and what hangs beside it. */
  hanging(caseId: string): Promise<HangingView> {
    return this.#http.json({ path: `cases/${caseId}/hanging` });
  }

  renew(leaseId: string): Promise<{ readonly expires_at: string }> {
    return this.#write(() => this.#http.json({ method: "POST", path: `leases/${leaseId}/renewal` }));
  }

  saveDraft(caseId: string, body: NewDraft, keepalive = false): Promise<{ readonly version: number }> {
    const call = { method: "PUT", path: `cases/${caseId}/draft`, body, keepalive } as const;
    return keepalive ? this.#http.json(call) : this.#write(() => this.#http.json(call));
  }

  submit(caseId: string, body: NewReading): Promise<Submitted> {
    return this.#write(() => this.#http.json({ method: "POST", path: `cases/${caseId}/readings`, body }));
  }

  skip(caseId: string, body: NewSkip): Promise<Skipped> {
    return this.#write(() => this.#http.json({ method: "POST", path: `cases/${caseId}/skips`, body }));
  }

  /** The reader's newest reading in the project, or null where there is none. */
  async lastReading(projectId: string): Promise<PastReading | null> {
    try {
      return await this.#http.json<PastReading>({ path: `projects/${projectId}/readings/last` });
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  revise(readingId: string, body: NewRevision): Promise<{ readonly revision: number }> {
    return this.#write(() =>
      this.#http.json({ method: "POST", path: `readings/${readingId}/revisions`, body }),
    );
  }

  /** One of the reader's own readings, as it stands. */
  reading(readingId: string): Promise<PastReading> {
    return this.#http.json({ path: `readings/${readingId}` });
  }

  /** What the reader did since a moment; background: no sign of the reader. */
  today(projectId: string, since: Date): Promise<Today> {
    const query = new URLSearchParams({ since: since.toISOString(), background: "" });
    return this.#http.json({ path: `projects/${projectId}/readings/mine?${query}` });
  }

  remark(caseId: string, body: NewRemark): Promise<Remark> {
    return this.#write(() => this.#http.json({ method: "POST", path: `cases/${caseId}/remarks`, body }));
  }

  remarks(projectId: string): Promise<Remarks> {
    return this.#http.json({ path: `projects/${projectId}/remarks?background` });
  }

  asked(remarkId: string): Promise<Asked> {
    return this.#http.json({ path: `remarks/${remarkId}` });
  }

  reply(remarkId: string, text: string): Promise<Remark> {
    const call = { method: "POST", path: `remarks/${remarkId}/reply`, body: { text } } as const;
    return this.#write(() => this.#http.json(call));
  }

  preferences(): Promise<Preferences> {
    return this.#http.json({ path: "preferences" });
  }

  savePreferences(body: Preferences): Promise<Preferences> {
    return this.#write(() => this.#http.json({ method: "PUT", path: "preferences", body }));
  }

  /** The raw pixels of one frame, little endian. frame counts from 1 as in DICOM. */
  frame(caseId: string, sopInstanceUid: string, frame: number, signal: AbortSignal): Promise<ArrayBuffer> {
    return this.#http.bytes({ path: `cases/${caseId}/instances/${sopInstanceUid}/frames/${frame}`, signal });
  }

  /** A new sign-in changes the token: one refusal is answered with a fresh one, never as somebody else. */
  async #write<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 403) throw error;
      const { user } = await this.session();
      if (user.id !== this.#userId) throw new Refusal(401, { code: "other_user" });
      return send();
    }
  }
}
