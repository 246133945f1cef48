import { describe, expect, it } from "vitest";
import type { DrawnRegion, RegionOrigin } from "../geometry/region";
import { History } from "./history";
import { ALL, Regions } from "./regions";
import type { RegionsChange } from "./stage";

const drawn = (id: string, origin: RegionOrigin = "reader"): DrawnRegion => ({
  question: "lesion",
  kind: "box",
  colour: "red",
  region: {
    id,
    label: "mass",
    image: "1.2",
    frame: 1,
    points: [
      [0, 0],
      [4, 4],
    ],
    attributes: {},
    origin,
  },
});

const open = () => {
  const history = new History();
  const regions = new Regions(history, () => 5);
  const told: RegionsChange[] = [];
  regions.onChange((change) => told.push(change));
  const back = () => history.undo(() => Promise.resolve());
  const again = () => history.redo(() => Promise.resolve());
  return { regions, told, back, again };
};

describe("regions", () => {
  it("come back after they were removed, and go again", async () => {
    const { regions, back, again } = open();
    regions.add(drawn("a"));
    regions.remove("a");
    await back();
    expect(regions.all).toEqual([drawn("a")]);
    await again();
    expect(regions.all).toEqual([]);
  });

  it("keep the attributes that were answered after a change that is undone", async () => {
    const { regions, back } = open();
    regions.add(drawn("a"));
    regions.change(drawn("a"), [
      [1, 1],
      [5, 5],
    ]);
    const [changed] = regions.all;
    if (!changed) throw new Error("gone");
    regions.set([{ ...changed, region: { ...changed.region, attributes: { texture: "solid" } } }]);
    await back();
    expect(regions.all[0]?.region).toMatchObject({
      points: [
        [0, 0],
        [4, 4],
      ],
      attributes: { texture: "solid" },
    });
  });

  it("say that a suggestion was edited only once it was", () => {
    const { regions, told } = open();
    regions.suggest([drawn("s")]);
    regions.accept("s");
    expect([regions.all[0]?.region.origin, regions.suggested]).toEqual(["suggestion", []]);
    regions.change(drawn("s", "suggestion"), [
      [1, 1],
      [5, 5],
    ]);
    expect(regions.all[0]?.region.origin).toBe("edited");
    expect(told.map(({ how }) => how)).toEqual(["added", "changed"]);
  });

  it("tell nobody of what the answers brought, and choose nothing that is gone", () => {
    const { regions, told } = open();
    regions.add(drawn("a"));
    regions.set([drawn("b")]);
    expect([told.length, regions.selected]).toEqual([1, ""]);
  });

  it("are taken all at once by one act, which one step undoes", async () => {
    const { regions, back, again } = open();
    regions.suggest([drawn("a"), drawn("b")]);
    regions.accept(ALL);
    expect(regions.all.map(({ region }) => [region.id, region.origin])).toEqual([
      ["a", "suggestion"],
      ["b", "suggestion"],
    ]);
    await back();
    expect(regions.all).toEqual([]);
    expect(regions.suggested).toHaveLength(2);
    await again();
    expect(regions.all).toHaveLength(2);
  });
});
