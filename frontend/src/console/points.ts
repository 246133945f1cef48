/** A map's file, typed, and a grid over it, so that what lies under the pointer is found at once. Pure. */

export interface Points {
  readonly count: number;
  readonly numbers: Uint32Array;
  /** 0 – 65535 along both axes. */
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  /** 0 – 254; 255 where no model has judged. */
  readonly uncertainty: Uint8Array;
  readonly predicted: Uint8Array;
  readonly site: Uint8Array;
  readonly ids: Uint8Array;
  /** 255 where there is none. */
  readonly label: Uint8Array;
}

export const NONE = 255;
export const SIDE = 65_536;
const CELLS = 256;
const BYTES_A_POINT = 28;

/** Read what the server sends: the parts lie one behind the other, little endian. */
export function pointsFrom(buffer: ArrayBuffer, count: number): Points {
  if (buffer.byteLength !== BYTES_A_POINT * count) {
    throw new Error(`the map holds ${buffer.byteLength} bytes, not ${BYTES_A_POINT * count}`);
  }
  return {
    count,
    numbers: new Uint32Array(buffer, 0, count),
    x: new Uint16Array(buffer, 4 * count, count),
    y: new Uint16Array(buffer, 6 * count, count),
    uncertainty: new Uint8Array(buffer, 8 * count, count),
    predicted: new Uint8Array(buffer, 9 * count, count),
    site: new Uint8Array(buffer, 10 * count, count),
    ids: new Uint8Array(buffer, 11 * count, 16 * count),
    label: new Uint8Array(buffer, 27 * count, count),
  };
}

/** A case's id as addresses write it. */
export function idOf(points: Points, index: number): string {
  const bytes = [...points.ids.subarray(16 * index, 16 * index + 16)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Points by cell of a square grid. */
export class Grid {
  readonly #points: Points;
  readonly #starts = new Uint32Array(CELLS * CELLS + 1);
  readonly #order: Uint32Array;

  constructor(points: Points) {
    this.#points = points;
    this.#order = new Uint32Array(points.count);
    const cells = Uint32Array.from({ length: points.count }, (_, index) => this.#cellOf(index));
    for (const cell of cells) this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + 1;
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) {
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + (this.#starts[cell] ?? 0);
    }
    const next = this.#starts.slice();
    for (const [index, cell] of cells.entries()) {
      const place = next[cell] ?? 0;
      this.#order[place] = index;
      next[cell] = place + 1;
    }
  }

  /** The nearest point within a distance, in the points' own unit; -1 where there is none. */
  nearest(x: number, y: number, within: number): number {
    let best = -1;
    let least = within * within;
    for (const index of this.inside(x - within, y - within, x + within, y + within)) {
      const distance = this.distance2(index, x, y);
      if (distance <= least) [best, least] = [index, distance];
    }
    return best;
  }

  /** Points in a box. */
  *inside(left: number, top: number, right: number, bottom: number): Generator<number> {
    const isIn = (index: number) => {
      const [x, y] = [this.#points.x[index] ?? 0, this.#points.y[index] ?? 0];
      return x >= left && x <= right && y >= top && y <= bottom;
    };
    for (let row = cell(top); row <= cell(bottom); row += 1) {
      for (const index of this.#inRow(row, cell(left), cell(right))) if (isIn(index)) yield index;
    }
  }

  #inRow(row: number, first: number, last: number): Uint32Array {
    const from = this.#starts[row * CELLS + first] ?? 0;
    return this.#order.subarray(from, this.#starts[row * CELLS + last + 1] ?? from);
  }

  /** Square of a point's distance from a place. */
  distance2(index: number, x: number, y: number): number {
    return ((this.#points.x[index] ?? 0) - x) ** 2 + ((this.#points.y[index] ?? 0) - y) ** 2;
  }

  #cellOf(index: number): number {
    return cell(this.#points.y[index] ?? 0) * CELLS + cell(this.#points.x[index] ?? 0);
  }
}

const cell = (value: number): number => Math.min(CELLS - 1, Math.max(0, Math.floor((value * CELLS) / SIDE)));
