import { describe, expect, it } from "vitest";
import type { Suggestion } from "../api/types";
import { StateCell } from "./cell";
import { leasedCase } from "./fakes";
import { Seeing } from "./seeing";

const BOX = { question: "cells", answer: [], scores: {}, version: 1 };
const MASK = { question: "mask", answer: {}, scores: {}, version: 1 };

const open = (more: Partial<Suggestion> = {}) => {
  const suggestion: Suggestion = {
    mode: "from_start",
    question: "finding",
    probabilities: null,
    drawn: [BOX, MASK],
    ...more,
  };
  const cell = new StateCell();
  const time = { now: 1000 };
  cell.set({ current: { kind: "case", leased: leasedCase("a", 1, { suggestion }) } });
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

  it("come question by question, each after the reader's own drawing", () => {
    const { seeing, cell, time } = open();
    cell.set({ answers: { cells: [] } });
    seeing.answered();
    cell.set({ answers: { cells: [], mask: {} } });
    time.now += 500;
    expect(seeing.seen?.drawn).toEqual({ cells: "after_answer" });
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
