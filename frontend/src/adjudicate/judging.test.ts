import { beforeEach, expect, test } from "vitest";
import type { NewDecision, NewReturn } from "../api/disputes";
import { Refusal } from "../api/problems";
import type { Dispute } from "../api/types";
import { isOpen, isWhole, Judging, MODEL } from "./judging";

const side = (letter: string) => ({ letter, answers: {}, measurements: {} });
const DISPUTE = {
  id: "d",
  state: "open",
  version: 3,
  case: { id: "c", number: 7, modality: "CR", instances: [] },
  protocol: { version: 1, questions: [], settings: {} },
  keys: ["finding", "size"],
  sides: [side("A"), side("B")],
  decisions: [],
  next: "n",
} as unknown as Dispute;

let [sent, gone, keys] = [[] as (NewDecision | NewReturn)[], [] as (string | null)[], 0];
let refusal: Error | null = null;

const take = (body: NewDecision | NewReturn) => {
  sent.push(body);
  return refusal
    ? Promise.reject(refusal)
    : Promise.resolve({ state: "decided", version: 4, next: "n" } as const);
};

const opened = async (dispute: Dispute = DISPUTE): Promise<Judging> => {
  const judging = new Judging({
    client: {
      dispute: () => Promise.resolve(dispute),
      decide: take,
      sendBack: take,
      modelAnswer: () => Promise.resolve({ question: "finding", probabilities: null, drawn: {} }),
    },
    now: () => 0,
    newKey: () => `key-${++keys}`,
    goOn: (next) => gone.push(next),
  });
  await judging.open();
  return judging;
};

beforeEach(() => {
  [sent, gone, keys, refusal] = [[], [], 0, null];
});

test("each question is picked in turn, and nothing is decided before all are", async () => {
  const judging = await opened();
  judging.pick("B");
  expect(judging.state.active).toBe("size");
  await judging.decide();
  expect(sent).toEqual([]);
  expect(judging.state.notice).not.toBe("");
  judging.pick("A");
  judging.pick("C");
  expect(isWhole(judging.state)).toBe(true);
  await judging.decide();
  expect(sent).toMatchObject([{ base_version: 3, take: { finding: "B", size: "A" } }]);
  expect(gone).toEqual(["n"]);
});

test("the same decision tried again is the same message, another one is not", async () => {
  refusal = new Refusal(503, { detail: "not now" });
  const judging = await opened();
  judging.pick("A");
  judging.pick("A");
  await judging.decide();
  expect([judging.state.isBad, judging.state.isBusy, gone]).toEqual([true, false, []]);
  await judging.decide();
  judging.pick("B", "size");
  await judging.decide();
  expect(sent.map(({ idempotency_key }) => idempotency_key)).toEqual(["key-1", "key-1", "key-2"]);
});

test("a case goes back with words, and not without", async () => {
  const judging = await opened();
  await judging.sendBack("  ");
  expect(sent).toEqual([]);
  await judging.sendBack(" Look at the base. ");
  expect(sent).toMatchObject([{ base_version: 3, comment: "Look at the base." }]);
});

test("nobody acts on a case that is with its readers", async () => {
  const judging = await opened({ ...DISPUTE, state: "returned" });
  judging.pick("A");
  judging.openDialog("return");
  await judging.decide();
  await judging.sendBack("Look.");
  expect([isOpen(judging.state), judging.state.picks, judging.state.dialog, sent]).toEqual([
    false,
    {},
    "none",
    [],
  ]);
});

test("drawings are shown both, one, the other, none", async () => {
  const judging = await opened();
  const shown = [];
  for (let step = 0; step < 4; step += 1) {
    judging.cycle();
    shown.push([...judging.state.visible].join(""));
  }
  expect(shown).toEqual(["A", "B", "", "AB"]);
});

test("the model is shown once it is asked for, and can be hidden again", async () => {
  const judging = await opened();
  expect(judging.state.visible.has(MODEL)).toBe(false);
  await judging.showModel();
  expect(judging.state.visible.has(MODEL)).toBe(true);
  await judging.showModel();
  expect(judging.state.visible.has(MODEL)).toBe(false);
});
