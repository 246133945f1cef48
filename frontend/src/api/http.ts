/** Requests to our own server: JSON and bytes, CSRF, time limits, one retry policy. */

import { say } from "../words/say";
import { Refusal, Unreachable } from "./problems";

export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Sent even while the page goes away. */
  readonly keepalive?: boolean;
}

/** How long a request may take before it counts as unreachable. */
const TIME_LIMIT_MS = 20_000;
const RETRY_AFTER_MS = [250, 1000] as const;
/** Browsers send no more than 64 KiB while a page goes away; a character takes three bytes at most. */
const KEEPALIVE_CHARACTERS = 20_000;
const NOT_NOW = new Set([502, 503, 504]);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const bodyOf = async (response: Response): Promise<Readonly<Record<string, unknown>>> => {
  const kind = response.headers.get("content-type") ?? "";
  if (!kind.includes("json")) return {};
  const body: unknown = await response.json();
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
};

const refuse = async (response: Response): Promise<never> => {
  if (NOT_NOW.has(response.status))
    throw new Unreachable(say("server_answered", { status: response.status }));
  throw new Refusal(response.status, await bodyOf(response));
};

export class Http {
  readonly #base: string;
  #csrfToken = "";

  constructor(base: string) {
    this.#base = base;
  }

  trust(csrfToken: string): void {
    this.#csrfToken = csrfToken;
  }

  async json<T>(call: Call): Promise<T> {
    const response = await this.#patiently(call, "application/json");
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async bytes(call: Call): Promise<ArrayBuffer> {
    const response = await this.#patiently(call, "application/octet-stream");
    return response.arrayBuffer();
  }

  /** What only reads is asked again; what writes is not: its caller knows whether it may be repeated. */
  async #patiently(call: Call, accept: string): Promise<Response> {
    const waits = (call.method ?? "GET") === "GET" ? RETRY_AFTER_MS : [];
    for (const wait of waits) {
      try {
        return await this.#once(call, accept);
      } catch (error) {
        if (!(error instanceof Unreachable) || call.signal?.aborted) throw error;
        await pause(wait);
      }
    }
    return this.#once(call, accept);
  }

  async #once(call: Call, accept: string): Promise<Response> {
    const limit = AbortSignal.timeout(TIME_LIMIT_MS);
    const signal = call.signal ? AbortSignal.any([call.signal, limit]) : limit;
    const response = await fetch(this.#base + call.path, this.#options(call, accept, signal)).catch(
      (error: unknown) => {
        if (call.signal?.aborted) throw error;
        throw new Unreachable(say("server_unreachable"));
      },
    );
    return response.ok ? response : refuse(response);
  }

  #options(call: Call, accept: string, signal: AbortSignal): RequestInit {
    const headers: Record<string, string> = { Accept: accept };
    if (call.body !== undefined) headers["Content-Type"] = "application/json";
    if ((call.method ?? "GET") !== "GET") headers["X-CSRFToken"] = this.#csrfToken;
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    return {
      method: call.method ?? "GET",
      headers,
      signal,
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
      keepalive: call.keepalive === true && (body?.length ?? 0) < KEEPALIVE_CHARACTERS,
      ...(body === undefined ? {} : { body }),
    };
  }
}
