import { afterEach, describe, expect, it } from "vitest";
import { EN } from "./en";
import { many, say, speak } from "./say";
import { ZH } from "./zh";

const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

afterEach(() => speak("en"));

describe("the room's words", () => {
  it("fill in names and count", () => {
    expect(say("case_nth", { number: 12 })).toBe("Case 12");
    expect(many("images", 1)).toBe("1 image");
    expect(many("images", 34)).toBe("34 images");
  });

  it("speak the page's language", () => {
    speak("zh-Hans");
    expect(say("case_nth", { number: 12 })).toBe("病例 12");
  });

  it("are all said in Chinese", () => {
    const notSaid = Object.entries(ZH).filter(([, text]) => !/[\p{Script=Han}。]/u.test(text));
    expect(notSaid).toEqual([]);
  });

  it("name the same things in every language", () => {
    const differing = Object.entries(EN).filter(([key, text]) => {
      const other: string = ZH[key as keyof typeof ZH];
      const isCountedOne = key.endsWith("_one");
      return !isCountedOne && holes(other).join() !== holes(text).join();
    });
    expect(differing).toEqual([]);
  });
});
