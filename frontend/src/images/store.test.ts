import { describe, expect, it } from "vitest";
import { type FrameDescription, frameId } from "./frame";
import { FrameStore } from "./store";

const attributes = { Rows: 1, Columns: 4, BitsAllocated: 8, BitsStored: 8, SamplesPerPixel: 1 };

const frame = (caseId: string, number = 1): FrameDescription => {
  const address = { caseId, sopInstanceUid: "1.2", frame: number };
  return { id: frameId(address), address, attributes };
};

const pixels = (): ArrayBuffer => new Uint8Array([1, 2, 3, 4]).buffer;

/** A server whose answers wait until they are let go. */
class Gate {
  readonly asked: string[] = [];
  readonly #open: (() => void)[] = [];

  readonly fetch = (address: { caseId: string }, signal: AbortSignal): Promise<ArrayBuffer> => {
    this.asked.push(address.caseId);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      this.#open.push(() => resolve(pixels()));
    });
  };

  letOne(): void {
    this.#open.shift()?.();
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("the frame store", () => {
  it("asks once for a frame that is wanted twice", async () => {
    const gate = new Gate();
    const store = new FrameStore(gate.fetch);
    const both = [store.get(frame("a")), store.get(frame("a"))];
    gate.letOne();
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second);
    expect(gate.asked).toEqual(["a"]);
  });

  it("fetches what is on screen before what is only next", async () => {
    const gate = new Gate();
    const store = new FrameStore(gate.fetch, { bytes: 1000, parallel: 1 });
    store.prefetch([frame("busy")], 0);
    store.prefetch([frame("later")], 2);
    store.prefetch([frame("next")], 1);
    void store.get(frame("now"), 0);
    for (const _ of [1, 2, 3]) {
      gate.letOne();
      await settled();
    }
    expect(gate.asked).toEqual(["busy", "now", "next", "later"]);
  });

  it("raises the priority of a prefetch that turns out to be needed now", async () => {
    const gate = new Gate();
    const store = new FrameStore(gate.fetch, { bytes: 1000, parallel: 1 });
    store.prefetch([frame("busy")], 0);
    store.prefetch([frame("b")], 1);
    store.prefetch([frame("c")], 2);
    void store.get(frame("c"), 0);
    gate.letOne();
    await settled();
    expect(gate.asked).toEqual(["busy", "c"]);
  });

  it("aborts and forgets the cases that are of no use any more", async () => {
    const gate = new Gate();
    const store = new FrameStore(gate.fetch);
    const gone = store.get(frame("gone"));
    const kept = store.get(frame("kept"));
    store.keepOnly(new Set(["kept"]));
    gate.letOne();
    gate.letOne();
    await expect(gone).rejects.toThrow("not needed any more");
    await kept;
    expect(store.holds(frame("kept").id)).toBe(true);
    expect(store.keepOnly(new Set())).toEqual([frame("kept").id]);
    expect(store.bytes).toBe(0);
  });

  it("holds no more bytes than its limit and drops the least recently used first", async () => {
    const store = new FrameStore(() => Promise.resolve(pixels()), { bytes: 8, parallel: 2 });
    await store.get(frame("a"));
    await store.get(frame("b"));
    await store.get(frame("a"));
    await store.get(frame("c"));
    expect(["a", "b", "c"].map((id) => store.holds(frame(id).id))).toEqual([true, false, true]);
    expect(store.bytes).toBe(8);
  });

  it("asks again after a failure", async () => {
    const answers = [Promise.reject(new Error("no")), Promise.resolve(pixels())];
    const store = new FrameStore(() => answers.shift() ?? Promise.reject(new Error("none left")));
    await expect(store.get(frame("a"))).rejects.toThrow("no");
    expect((await store.get(frame("a"))).bytes).toBe(4);
  });
});
