import { describe, expect, it } from "vitest";
import type { Region } from "../geometry/region";
import type { Answers, Question } from "../protocol/types";
import { answerAt, chosen, nextOpen, stopOfProblem, stopsOf, withAnswer } from "./stops";

const CHOICES = [
  { value: "no", label: "No" },
  { value: "yes", label: "Yes" },
];
const FINDING: Question = { key: "finding", prompt: "Nodule?", kind: "single", choices: CHOICES };
const SIGNS: Question = {
  key: "signs",
  prompt: "Signs",
  kind: "multi",
  required: false,
  choices: [...CHOICES, { value: "maybe", label: "Maybe" }],
};
const TEXTURE: Question = { key: "texture", prompt: "Texture", kind: "single", choices: CHOICES };
const NODULES: Question = {
  key: "nodules",
  prompt: "Mark each nodule",
  kind: "bidirectional",
  labels: [{ value: "nodule", label: "Nodule" }],
  attributes: [TEXTURE],
  when: { question: "finding", is: "yes" },
};
const GRADE: Question = { key: "grade", prompt: "Grade", kind: "ordinal", choices: CHOICES, scope: "image" };
const QUESTIONS = [FINDING, SIGNS, NODULES, GRADE];
const REGION: Region = {
  id: "r1",
  label: "nodule",
  image: "1.2",
  frame: 1,
  points: [
    [0, 0],
    [9, 0],
    [4, -2],
    [4, 2],
  ],
  attributes: {},
  origin: "reader",
};
const NOWHERE = { region: "", image: "1.2" };
const AT_REGION = { region: "r1", image: "1.2" };
const ANSWERS: Answers = { finding: "yes", nodules: [REGION] };
const paths = (answers: Answers, spot = NOWHERE): string[] =>
  stopsOf(QUESTIONS, answers, spot).map(({ path }) => path);

describe("stops of the keyboard", () => {
  it("are the questions that are asked", () => {
    expect(paths({ finding: "no" })).toEqual(["finding", "signs", "grade"]);
    expect(paths({ finding: "yes" })).toEqual(["finding", "signs", "nodules", "grade"]);
  });

  it("are the attributes of the chosen region too", () => {
    expect(paths(ANSWERS, AT_REGION)).toContain("nodules/r1/texture");
    expect(paths(ANSWERS)).not.toContain("nodules/r1/texture");
  });

  it("take an answer to an attribute into the region", () => {
    const stop = { path: "nodules/r1/texture", question: TEXTURE, region: "r1" };
    const answers = withAnswer(ANSWERS, stop, "yes", AT_REGION);
    expect(answers.nodules).toEqual([{ ...REGION, attributes: { texture: "yes" } }]);
    expect(answerAt(answers, stop, AT_REGION)).toBe("yes");
  });

  it("answer by image where the question is asked of each", () => {
    const stop = { path: "grade", question: GRADE, region: "" };
    const answers = withAnswer({ grade: { "1.1": "no" } }, stop, "yes", NOWHERE);
    expect(answers).toEqual({ grade: { "1.1": "no", "1.2": "yes" } });
    expect(answerAt(answers, stop, { region: "", image: "1.3" })).toBeUndefined();
  });

  it("lose an answer that is taken back", () => {
    const stop = { path: "signs", question: SIGNS, region: "" };
    expect(withAnswer({ signs: ["yes"] }, stop, [], NOWHERE)).toEqual({});
  });
});

describe("a digit", () => {
  it("chooses one", () => {
    expect(chosen(FINDING, "no", 1)).toBe("yes");
    expect(chosen(FINDING, "no", 7)).toBeUndefined();
  });

  it("adds to several and takes away, in the order of the choices", () => {
    expect(chosen(SIGNS, ["maybe"], 0)).toEqual(["no", "maybe"]);
    expect(chosen(SIGNS, ["no", "maybe"], 0)).toEqual(["maybe"]);
  });
});

describe("the next open stop", () => {
  it("comes after the one that was answered, and passes over what need not be answered", () => {
    const stops = stopsOf(QUESTIONS, { finding: "no" }, NOWHERE);
    expect(nextOpen(stops, { finding: "no" }, NOWHERE, "finding")).toBe("grade");
  });

  it("is the same one where all is answered", () => {
    const answers: Answers = { finding: "no", grade: { "1.2": "no" } };
    expect(nextOpen(stopsOf(QUESTIONS, answers, NOWHERE), answers, NOWHERE, "grade")).toBe("grade");
  });
});

describe("a problem", () => {
  it("is at its question, or at the attribute of its region", () => {
    expect(stopOfProblem("finding", ANSWERS)).toEqual({ path: "finding", region: "" });
    expect(stopOfProblem("nodules.0.texture", ANSWERS)).toEqual({ path: "nodules/r1/texture", region: "r1" });
    expect(stopOfProblem("nodules.0", ANSWERS)).toEqual({ path: "nodules", region: "r1" });
  });
});
