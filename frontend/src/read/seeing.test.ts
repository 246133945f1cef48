import { describe, expect, it } from "vitest";
import type { Suggestion } from "../api/types";
import type { Question } from "../protocol/types";
import { StateCell } from "./cell";
import { leasedCase } from "./fakes";
import { Seeing } from "./seeing";

const BOX = { question: "cells", answer: [], scores: {}, version: 1 };
const MASK = { question: "mask", answer: {}, scores: {}, version: 1 };
const FOUND = { ...BOX, answer: [{ id: "1" }] };
const LABELS = [{ value: "cell", label: "Cell" }];
const cells = (most?: number): Question => ({
  key: "cells",
  prompt: "Box each cell",
  kind: "box",
  labels: LABELS,
  ...(most === undefined ? {} : { max: most }),
});
const PAINTED: Question = { key: "mask", prompt: "Paint", kind: "segmentation", classes: LABELS };

const open = (more: Partial<Suggestion> = {}, questions: readonly Question[] = [cells(), PAINTED]) => {
  const suggestion: Suggestion = {
    mode: "from_start",
    question: "finding",
    probabilities: null,
    drawn: [BOX, MASK],
    ...more,
  };
  const cell = new StateCell();
  const time = { now: 1000 };
  cell.set({ current: { kind: "case", leased: leasedCase("a", 1, { suggestion, questions }) } });
  return { cell, time, seeing: new Seeing(cell, () => time.now) };
};

describe("proposed drawings", () => {
  it("are seen once they were on screen for a moment", () => {
    const { seeing, time } = open();
    seeing.all();
    expect(seeing.seen).toBeNull();
    time.now += 500;
    expect(seeing.seen).toEqual({
      when: "",
      first: {},
      drawn: { cells: "before_answer", mask: "before_answer" },
      taken: [],
    });
  });

  it("come at once, question by question, where one drawing is the whole answer", () => {
    const { seeing, cell, time } = open({ mode: "after_answer" }, [cells(1), PAINTED]);
    cell.set({ answers: { cells: [] } });
    seeing.answered();
    cell.set({ answers: { cells: [], mask: {} } });
    time.now += 500;
    expect(seeing.seen?.drawn).toEqual({ cells: "after_answer" });
  });

  it("wait for the reader to have drawn all, where more can be drawn", () => {
    const { seeing, cell, time } = open({ mode: "after_answer", drawn: [FOUND, MASK] });
    cell.set({ answers: { cells: [] } });
    seeing.answered();
    expect(cell.state.drawnSeen).toEqual({});
    expect(seeing.complete()).toBe(true);
    expect(seeing.complete()).toBe(false);
    time.now += 500;
    expect(seeing.seen?.drawn).toEqual({ cells: "after_answer" });
  });

  it("come to who drew nothing, and hold up nobody where the model found nothing either", () => {
    const found = open({ mode: "after_answer", drawn: [FOUND] });
    expect(found.seeing.complete()).toBe(true);
    expect(found.cell.state.drawnSeen).toEqual({ cells: "after_answer" });
    expect(open({ mode: "after_answer", drawn: [BOX, MASK] }).seeing.complete()).toBe(false);
  });

  it("of a question that is not asked are not shown", () => {
    const hidden: Question = { ...cells(), when: { question: "mask", answered: true } };
    const { seeing } = open({ mode: "after_answer", drawn: [FOUND] }, [hidden, PAINTED]);
    expect(seeing.complete()).toBe(false);
  });

  it("were seen where they were taken, however fast", () => {
    const { seeing, cell } = open();
    seeing.all();
    cell.set({ answers: { mask: {} } });
    seeing.took("mask");
    seeing.took("mask");
    expect(seeing.seen).toEqual({
      when: "",
      first: {},
      drawn: { mask: "before_answer" },
      taken: ["mask"],
    });
  });

  it("were not taken where that was undone", () => {
    const { seeing, time } = open();
    seeing.all();
    seeing.took("mask");
    time.now += 500;
    expect(seeing.seen?.taken).toEqual([]);
  });

  it("are kept beside the class suggestion", () => {
    const { seeing, time } = open({ probabilities: { normal: 1 } });
    seeing.all();
    time.now += 500;
    expect(seeing.seen?.when).toBe("before_answer");
    expect(Object.keys(seeing.seen?.drawn ?? {})).toEqual(["cells", "mask"]);
  });
});
