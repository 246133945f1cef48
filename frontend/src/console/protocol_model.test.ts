import { describe, expect, it } from "vitest";
import {
  asKind,
  copyOf,
  keyFrom,
  moved,
  newQuestion,
  parsed,
  unlike,
  valueFrom,
  withField,
  withLabel,
  withPrompt,
  written,
} from "./protocol_model";

const FINDING = {
  key: "finding",
  prompt: "What?",
  kind: "single",
  choices: [
    { value: "no", label: "No" },
    { value: "yes", label: "Yes" },
  ],
};

describe("a protocol as JSON", () => {
  it("comes back as it was written", () => {
    const document = { questions: [FINDING], settings: { auto_advance: true } };
    expect(parsed(written(document))).toEqual(document);
  });

  it("leaves out settings that say nothing", () => {
    expect(JSON.parse(written({ questions: [], settings: {} }))).toEqual({ questions: [] });
  });

  it.each(["{", "[]", '{"questions": {}}', '{"questions": [1]}'])("is not %s", (text) => {
    expect(() => parsed(text)).toThrow();
  });
});

describe("edits", () => {
  it("move an item up and down, and not beyond the ends", () => {
    expect(moved(["a", "b", "c"], 1, -1)).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b", "c"], 1, 1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
  });

  it("leave out what says nothing, and keep fields in their order", () => {
    expect(withField({ key: "a", help: "h" }, "help", "")).toEqual({ key: "a" });
    expect(Object.keys(withField({ key: "a", help: "h", kind: "text" }, "help", "i"))).toEqual([
      "key",
      "help",
      "kind",
    ]);
  });

  it("keep what two kinds share when the kind changes", () => {
    const box = asKind({ ...FINDING, help: "h", min: 1 }, "box");
    expect(box).toEqual({ key: "finding", prompt: "What?", help: "h", kind: "box", labels: FINDING.choices });
    const coloured = { ...box, labels: [{ value: "n", label: "N", color: "#ffffff" }] };
    expect(asKind(coloured, "multi").choices).toEqual([{ value: "n", label: "N" }]);
    expect(asKind(FINDING, "number")).toEqual({ key: "finding", prompt: "What?", kind: "number" });
  });

  it("give a copy and a new question keys of their own", () => {
    expect(copyOf(FINDING, [FINDING]).key).toBe("finding_2");
    expect(newQuestion("single", [FINDING]).key).toBe("question_2");
    expect(unlike("a", ["a", "a_2"])).toBe("a_3");
  });
});

describe("names", () => {
  it("are made of words", () => {
    expect(valueFrom("Part-solid (GGN)")).toBe("part_solid_ggn");
    expect(valueFrom("磨玻璃")).toBe("磨玻璃");
    expect(keyFrom("3 Œdème, där?")).toBe("deme_dar");
    expect(keyFrom("磨玻璃")).toBe("");
  });

  it("follow the prompt while nobody has answered to them", () => {
    const fresh = newQuestion("text", []);
    const named = withPrompt(fresh, "Is it?", true, []);
    expect(named.key).toBe("is_it");
    expect(withPrompt(named, "Is it there?", true, []).key).toBe("is_it_there");
    expect(withPrompt(named, "Is it there?", false, []).key).toBe("is_it");
    expect(withPrompt({ ...named, key: "mine" }, "Is it there?", true, []).key).toBe("mine");
    expect(withPrompt(named, "Note", true, ["note"]).key).toBe("note_2");
  });

  it("of choices follow their label as long as they were made from it", () => {
    expect(withLabel({ value: "yes", label: "Yes" }, "Yes, large", true)).toEqual({
      value: "yes_large",
      label: "Yes, large",
    });
    expect(withLabel({ value: "1", label: "Yes" }, "No", true).value).toBe("1");
    expect(withLabel({ value: "yes", label: "Yes" }, "Ja", false).value).toBe("yes");
  });
});
