import { expect, test } from "vitest";
import { namesIn } from "./plot_figures";

test("names keep the order in which they come, each once", () => {
  const rows = [{ model: "Model 9" }, { model: "Model 12" }, { model: "Model 9" }, {}];
  expect(namesIn(rows, "model")).toEqual(["Model 9", "Model 12", ""]);
});
