import { describe, expect, it } from "vitest";
import type { Question } from "../protocol/types";
import { colourIn } from "./palette";

const ellipse = (key: string, color?: string): Question => ({
  key,
  prompt: key,
  kind: "ellipse",
  labels: [{ value: key, label: key, ...(color ? { color } : {}) }],
});

describe("colours of what is drawn", () => {
  it("differ between questions too", () => {
    const questions = [ellipse("disc"), ellipse("cup")];
    expect(colourIn(questions, "disc", "disc")).not.toBe(colourIn(questions, "cup", "cup"));
  });

  it("are the protocol's where it names them", () => {
    expect(colourIn([ellipse("disc", "#123456")], "disc", "disc")).toBe("#123456");
  });
});
