import { expect, test } from "vitest";
import { bytesOf, textOf } from "./security_key";

test("bytes of every value come back from base64url, which has no padding and no plus or slash", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  for (const length of [0, 1, 2, 3, 255, 256]) {
    const text = textOf(bytes.slice(0, length).buffer);
    expect(text).toMatch(/^[\w-]*$/);
    expect(bytesOf(text)).toEqual(bytes.slice(0, length));
  }
});
