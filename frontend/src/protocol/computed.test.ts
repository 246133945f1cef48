import { describe, expect, it } from "vitest";
import type { PixelSize } from "../geometry/measure";
import { computedValue } from "./computed";
import type { Answers, ComputedQuestion, Question } from "./types";

const LABELS = [{ value: "rim", label: "Rim" }];
const DISC: Question = { key: "disc", prompt: "Disc", kind: "ellipse", labels: LABELS };
const CUP: Question = { key: "cup", prompt: "Cup", kind: "ellipse", labels: LABELS };
const LINES: Question = { key: "lines", prompt: "Lines", kind: "line", labels: LABELS };
const PARTS: Question = { key: "parts", prompt: "Parts", kind: "segmentation", classes: LABELS };
const QUESTIONS = [DISC, CUP, LINES, PARTS];
const SIZE: PixelSize = { row: 0.5, column: 2, of: "patient" };
const sizeOf = () => SIZE;

const region = (points: readonly (readonly [number, number])[], image = "1.2") => ({
  id: image,
  label: "rim",
  image,
  frame: 1,
  points,
  attributes: {},
  origin: "reader" as const,
});

const upright = (height: number) =>
  region([
    [50, 50 - height / 2],
    [50, 50 + height / 2],
    [40, 50],
    [60, 50],
  ]);

const ratio = (...of: string[]): ComputedQuestion => ({
  key: "ratio",
  prompt: "Ratio",
  kind: "computed",
  formula: { op: "vertical_ratio", of },
});

const LONGEST: ComputedQuestion = {
  key: "longest",
  prompt: "Longest",
  kind: "computed",
  formula: { op: "largest", of: "lines", measure: "length_mm" },
};

describe("computed values", () => {
  it("divide the heights of two ellipses", () => {
    const answers: Answers = { disc: [upright(80)], cup: [upright(40)] };
    expect(computedValue(ratio("cup", "disc"), QUESTIONS, answers, sizeOf)).toBeCloseTo(0.5, 2);
  });

  it("are not there before all is drawn", () => {
    expect(computedValue(ratio("cup", "disc"), QUESTIONS, { cup: [upright(40)] }, sizeOf)).toBeNull();
  });

  it("take the largest of a measure in mm, each axis by its own spacing", () => {
    const answers: Answers = {
      lines: [
        region(
          [
            [0, 0],
            [0, 10],
          ],
          "1.1",
        ),
        region([
          [0, 0],
          [3, 0],
        ]),
      ],
    };
    expect(computedValue(LONGEST, QUESTIONS, answers, sizeOf)).toBe(6);
  });

  it("give no mm where no size is known", () => {
    const answers: Answers = {
      lines: [
        region([
          [0, 0],
          [0, 10],
        ]),
      ],
    };
    const pixels = () => ({ row: 1, column: 1, of: "pixels" as const });
    expect(computedValue(LONGEST, QUESTIONS, answers, pixels)).toBeNull();
  });

  it("count the rows of a class of a mask", () => {
    // 1 slice, 4 rows of 2: background 2, foreground 4, background 2.
    const mask = { shape: [1, 4, 2], images: ["1.2"], classes: { rim: btoa("\u0002\u0004\u0002") } };
    const answers: Answers = { parts: mask, disc: [upright(80)] };
    expect(computedValue(ratio("parts:rim", "disc"), QUESTIONS, answers, sizeOf)).toBeCloseTo(2 / 80, 3);
  });
});
