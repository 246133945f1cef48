import { describe, expect, it } from "vitest";
import { type Chosen, relativeTo } from "./dropped";
import { pieces } from "./send";

const chosen = (path: string, size: number): Chosen => ({
  path,
  file: new File([new Uint8Array(size)], path),
});

describe("pieces of a delivery", () => {
  it("pack many small files into one request and cut a large one", () => {
    const made = [...pieces([chosen("a", 3), chosen("b", 4), chosen("c", 12)], 10)];
    expect(made.map(({ header }) => header)).toEqual(["0:0:3,1:0:4,2:0:3", "2:3:9"]);
    expect(made.map(({ body }) => body.size)).toEqual([10, 9]);
  });

  it("name an empty file too", () => {
    expect([...pieces([chosen("a", 0), chosen("b", 1)], 10)].map(({ header }) => header)).toEqual([
      "0:0:0,1:0:1",
    ]);
  });

  it("never carry more than a hundred files", () => {
    const many = Array.from({ length: 250 }, (_, index) => chosen(`${index}`, 1));
    expect([...pieces(many, 1_000_000)].map(({ body }) => body.size)).toEqual([100, 100, 50]);
  });
});

describe("paths of a delivery", () => {
  it("are relative to the folder that was dropped, without what an operating system leaves", () => {
    const files = relativeTo([chosen("d/labels.csv", 1), chosen("d/x/1.png", 1), chosen("d/.DS_Store", 1)]);
    expect(files.map(({ path }) => path)).toEqual(["labels.csv", "x/1.png"]);
  });

  it("stay as they are where there is no common folder", () => {
    expect(relativeTo([chosen("a/1.png", 1), chosen("b/1.png", 1)]).map(({ path }) => path)).toEqual([
      "a/1.png",
      "b/1.png",
    ]);
  });
});
