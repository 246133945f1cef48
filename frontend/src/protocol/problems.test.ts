import { describe, expect, it } from "vitest";
import cases from "../../../tests/annotation/projects/protocol_cases.json";
import { problemsOf } from "./problems";
import type { Answers, Question } from "./types";

/** The same table holds the server's check (tests/annotation/projects). */
describe("answers held against a protocol", () => {
  it.each(cases.map((row) => [row.name, row] as const))("%s", (_, row) => {
    const found = problemsOf(row.questions as readonly Question[], row.answers as unknown as Answers);
    expect(found).toEqual(row.problems);
  });
});
