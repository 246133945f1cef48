/**
 * The upload: one request names every file and its size; then pieces of at most a few megabytes follow in order, many small
 * files or a part of a large one each; a piece that was sent twice changes nothing, so a broken connection is tried again.
 */
import { csrfToken } from "./csrf";
import type { Chosen } from "./dropped";

interface Opened {
  readonly pieces: string;
  readonly start: string;
  readonly piece_bytes: number;
}

interface Piece {
  readonly header: string;
  readonly body: Blob;
}

const PIECES_A_REQUEST = 100;
const NO_ROOM = 507;
const WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** What is sent, and what the sender says of its plain pictures. */
export interface Delivery {
  readonly name: string;
  readonly files: readonly Chosen[];
  readonly modality: string;
  readonly picturesCleared: boolean;
}

/** Send a delivery and have its import started; gives the report's address. */
export async function send(
  url: string,
  delivery: Delivery,
  progress: (sent: number, total: number) => void,
): Promise<string> {
  const files = delivery.files.map(({ path, file }) => ({ path, size: file.size }));
  const total = files.reduce((sum, { size }) => sum + size, 0);
  progress(0, total);
  const told = {
    source_name: delivery.name,
    modality: delivery.modality,
    pictures_cleared: delivery.picturesCleared,
    files,
  };
  const opened = (await answer(() => post(url, told))) as Opened;
  let sent = 0;
  for (const { header, body } of pieces(delivery.files, opened.piece_bytes)) {
    await answer(() => put(opened.pieces, header, body));
    sent += body.size;
    progress(sent, total);
  }
  const started = (await answer(() => post(opened.start, {}))) as { report: string };
  return started.report;
}

/** Requests' worth of bytes: "index:offset:length,…" and the bytes in that order. */
export function* pieces(files: readonly Chosen[], limit: number): Generator<Piece> {
  let spans: string[] = [];
  let blobs: Blob[] = [];
  let bytes = 0;
  for (const [index, { file }] of files.entries()) {
    let offset = 0;
    do {
      const length = Math.min(file.size - offset, limit - bytes);
      spans.push(`${index}:${offset}:${length}`);
      blobs.push(file.slice(offset, offset + length));
      bytes += length;
      offset += length;
      if (bytes >= limit || spans.length >= PIECES_A_REQUEST) {
        yield { header: spans.join(","), body: new Blob(blobs) };
        [spans, blobs, bytes] = [[], [], 0];
      }
    } while (offset < file.size);
  }
  if (spans.length > 0) yield { header: spans.join(","), body: new Blob(blobs) };
}

function post(url: string, value: unknown): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(value) });
}

function put(url: string, header: string, body: Blob): Promise<Response> {
  const headers = {
    "Content-Type": "application/octet-stream",
    "X-CSRFToken": csrfToken(),
    "Upload-Pieces": header,
  };
  return fetch(url, { method: "PUT", headers, body });
}

/** The answer's JSON; the server's own words where it refused; again after a wait where the connection broke. */
async function answer(request: () => Promise<Response>): Promise<unknown> {
  const response = await persist(request);
  if (response.redirected || response.status === 401)
    throw new Error("You were signed out. Sign in and send it again.");
  if (!response.ok) throw new Error(await problem(response));
  return response.status === 204 ? null : response.json();
}

async function persist(request: () => Promise<Response>): Promise<Response> {
  for (const wait of WAITS_MS) {
    const response = await request().catch(() => null);
    if (response && (response.status < 502 || response.status === NO_ROOM)) return response;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  throw new Error(
    "The server cannot be reached. Nothing was imported: try again when the connection is back.",
  );
}

async function problem(response: Response): Promise<string> {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.includes("json"))
    return `The server refused it (${response.status}). Reload the page and try again.`;
  const { detail } = (await response.json()) as { detail?: string };
  return detail ?? `The server refused it (${response.status}).`;
}
