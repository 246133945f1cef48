/** Masks as run-length codes: LEB128 integers in base64 (geometry/mask.ts says of what). */

/** What was coded does not fit. */
export class BadRuns extends Error {
  constructor(rule: string) {
    super(rule);
    this.name = "BadRuns";
  }
}

const CONTINUES = 0x80;
const PAYLOAD = 0x7f;

/** Little endian base 128: seven bits a byte, the highest bit says that more follow. */
export const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  while (rest > PAYLOAD) {
    bytes.push((rest % 128) | CONTINUES);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
};

/** raises: BadRuns where the last integer is cut off. */
export const varints = (bytes: Uint8Array): number[] => {
  const values: number[] = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte & PAYLOAD) * factor;
    factor *= 128;
    if (byte & CONTINUES) continue;
    values.push(value);
    [value, factor] = [0, 1];
  }
  if (factor !== 1) throw new BadRuns("The last run is cut off");
  return values;
};

const toBase64 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

const fromBase64 = (text: string): Uint8Array => {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new BadRuns("Runs are not base64");
  }
};

/** Lengths of runs, background first. */
export const runsText = (lengths: readonly number[]): string =>
  toBase64(Uint8Array.from(lengths.flatMap(varint)));

export const runsOfText = (text: string): number[] => varints(fromBase64(text));

/** Collects foreground spans, in ascending order, into runs. */
export class RunWriter {
  readonly #lengths: number[] = [];
  #end = 0;

  /** Voxels from start up to, not including, end. */
  span(start: number, end: number): void {
    if (start === this.#end && this.#lengths.length > 0) {
      this.#lengths[this.#lengths.length - 1] = (this.#lengths.at(-1) ?? 0) + end - start;
    } else {
      this.#lengths.push(start - this.#end, end - start);
    }
    this.#end = end;
  }

  /** The code of a mask of so many voxels: its runs add up to that. */
  text(count: number): string {
    const rest = count - this.#end;
    return runsText(rest > 0 ? [...this.#lengths, rest] : this.#lengths);
  }
}

/** Foreground spans [start, end) of a code. raises: BadRuns where the runs do not add up to the mask. */
export const spansOf = (text: string, count: number): [number, number][] => {
  const spans: [number, number][] = [];
  let place = 0;
  runsOfText(text).forEach((length, nth) => {
    if (nth % 2 === 1 && length > 0) spans.push([place, place + length]);
    place += length;
  });
  if (place !== count) throw new BadRuns(`Runs cover ${place} voxels, the mask has ${count}`);
  return spans;
};
