import { expect, it } from "vitest";
import { History } from "./history";

const recorded = () => {
  const log: string[] = [];
  const act = (name: string, frame: number) => ({
    frame,
    undo: () => void log.push(`undo ${name}`),
    redo: () => void log.push(`redo ${name}`),
  });
  const show = async (frame: number): Promise<void> => {
    await Promise.resolve();
    log.push(`show ${frame}`);
  };
  return { log, act, show, history: new History() };
};

it("shows the frame before it takes an act back, the last one first", async () => {
  const { log, act, show, history } = recorded();
  history.add(act("a", 3));
  history.add(act("b", 7));
  await history.undo(show);
  await history.undo(show);
  await history.redo(show);
  expect(log).toEqual(["show 7", "undo b", "show 3", "undo a", "show 3", "redo a"]);
});

it("has nothing to redo after something new", async () => {
  const { act, show, history } = recorded();
  history.add(act("a", 1));
  await history.undo(show);
  history.add(act("b", 1));
  expect([history.canUndo, history.canRedo]).toEqual([true, false]);
});

it("forgets all with the case, even while a frame is on its way", async () => {
  const { log, act, history } = recorded();
  history.add(act("a", 1));
  await history.undo(async () => history.clear());
  expect([log, history.canUndo, history.canRedo]).toEqual([[], false, false]);
});

it("takes an act back once where undo is pressed twice while its frame is on its way", async () => {
  const { log, act, show, history } = recorded();
  history.add(act("a", 1));
  await Promise.all([history.undo(show), history.undo(show)]);
  expect(log.filter((line) => line === "undo a")).toHaveLength(1);
});
