import { describe, expect, it } from "vitest";
import { newRule, parsed, withCondition, withWords, wordsOf, written } from "./hanging_model";

const RULE = { name: "Lungs", when: { modality: ["CT"] }, layout: "stack", preset: "Lung" };

describe("hanging rules in the form", () => {
  it("take lists between commas, in capitals, each part once", () => {
    const changed = withWords(RULE, "description", " t2,  axial , T2");
    expect(changed.when).toEqual({ modality: ["CT"], description: ["T2", "AXIAL"] });
    expect(wordsOf(changed, "description")).toBe("T2, AXIAL");
    expect(withWords(RULE, "views", "r  mlo").when).toEqual({ modality: ["CT"], views: ["R MLO"] });
  });

  it("leave out what is not asked, and the whole condition with its last part", () => {
    expect(withWords(RULE, "modality", " , ")).toEqual({ name: "Lungs", layout: "stack", preset: "Lung" });
    expect(withCondition(RULE, "has_prior", false).when).toEqual({ modality: ["CT"], has_prior: false });
  });

  it("are the same once written and read; what is no list of rules is refused", () => {
    expect(parsed(written([RULE]))).toEqual([RULE]);
    expect(() => parsed("{}")).toThrow("list");
    expect(() => parsed("[1]")).toThrow("list");
  });

  it("are new under a name of their own", () => {
    expect(newRule([RULE, { name: "Rule 3", layout: "mpr" }])).toEqual({ name: "Rule 4", layout: "stack" });
  });
});
