/** What can go wrong between the browser and the server. */

import { say } from "../words/say";

/** The server answered and said no (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body.detail ?? say("server_answered", { status })));
    this.name = "Refusal";
    this.status = status;
    this.code = String(body.code ?? "");
    this.body = body;
  }
}

/** No answer, or one that says "not now": the same request may be sent again. */
export class Unreachable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Unreachable";
  }
}

export const isSignedOut = (error: unknown): boolean => error instanceof Refusal && error.status === 401;

export const isAborted = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

/** A capital and a full stop. */
const asSentence = (text: string): string => {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…。！？]$/.test(first) ? first : `${first}${say("full_stop")}`;
};

export const wordsFor = (error: unknown): string =>
  asSentence(error instanceof Error ? error.message : say("unexpected"));
