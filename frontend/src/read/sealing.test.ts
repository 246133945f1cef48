import { describe, expect, it } from "vitest";
import { keysFrom, seal, unseal } from "./sealing";

const newKey = (): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const NAME = "fovea-journal/reader/project/draft/case";
const WORDS = { note: "tube too deep, 管过深" };

describe("what is sealed", () => {
  it("opens with its key and has none of its words in it", async () => {
    const keys = await keysFrom([newKey()]);
    const sealed = await seal(keys, NAME, WORDS);
    expect(new TextDecoder().decode(sealed.body)).not.toContain("tube");
    expect(await unseal(keys, NAME, sealed)).toEqual(WORDS);
  });

  it("never looks the same twice", async () => {
    const keys = await keysFrom([newKey()]);
    const bodies = await Promise.all([seal(keys, NAME, WORDS), seal(keys, NAME, WORDS)]);
    expect(new Uint8Array(bodies[0].body)).not.toEqual(new Uint8Array(bodies[1].body));
  });

  it("stays closed to another reader's key", async () => {
    const sealed = await seal(await keysFrom([newKey()]), NAME, WORDS);
    expect(await unseal(await keysFrom([newKey()]), NAME, sealed)).toBeUndefined();
  });

  it("stays closed under another name", async () => {
    const keys = await keysFrom([newKey()]);
    expect(await unseal(keys, `${NAME}-2`, await seal(keys, NAME, WORDS))).toBeUndefined();
  });

  it("opens with an older key after the newest was replaced", async () => {
    const old = newKey();
    const sealed = await seal(await keysFrom([old]), NAME, WORDS);
    expect(await unseal(await keysFrom([newKey(), old]), NAME, sealed)).toEqual(WORDS);
  });

  it("is sealed with keys that no script can read out again", async () => {
    const [key] = await keysFrom([newKey()]);
    await expect(crypto.subtle.exportKey("raw", key as CryptoKey)).rejects.toThrow();
  });
});
