import { expect, test } from "vitest";
import {
  added,
  addedInTheMiddle,
  begun,
  between,
  chosenNext,
  moved,
  removed,
  replaced,
  resized,
  stepOf,
  undone,
} from "./boxes";

const size = [200, 100] as const;

test("a box is the same whichever way it is drawn, and stays inside", () => {
  expect(between([10.4, 20.6], [30.2, 5], size)).toEqual([10, 5, 31, 21]);
  expect(between([-5, 90], [20, 400], size)).toEqual([0, 90, 20, 100]);
  expect(between([10, 10], [10, 10], size)).toBeNull();
});

test("a moved box keeps its size at the edge", () => {
  const state = added(begun(size, []), [10, 10, 30, 20]);
  expect(moved(state, -50, 0).boxes).toEqual([[0, 10, 20, 20]]);
  expect(moved(state, 500, 500).boxes).toEqual([[180, 90, 200, 100]]);
});

test("a resized box never vanishes", () => {
  const state = added(begun(size, []), [10, 10, 30, 20]);
  expect(resized(state, -100, -100).boxes).toEqual([[10, 10, 11, 11]]);
  expect(resized(state, 500, 1).boxes).toEqual([[10, 10, 200, 21]]);
});

test("keys go through the boxes and past them", () => {
  const state = begun(size, [
    [0, 0, 5, 5],
    [9, 9, 12, 12],
  ]);
  const first = chosenNext(state, 1);
  expect([first.chosen, chosenNext(first, 1).chosen, chosenNext(chosenNext(first, 1), 1).chosen]).toEqual([
    0, 1, -1,
  ]);
  expect(chosenNext(state, -1).chosen).toBe(1);
});

test("every change is undone in its turn", () => {
  let state = begun(size, [[0, 0, 5, 5]]);
  state = addedInTheMiddle(state);
  state = moved(state, 2, 0);
  state = removed(state);
  expect(state.boxes).toEqual([[0, 0, 5, 5]]);
  expect(undone(state).boxes).toEqual([
    [0, 0, 5, 5],
    [82, 45, 122, 56],
  ]);
  expect(undone(undone(undone(undone(state)))).boxes).toEqual([[0, 0, 5, 5]]);
  expect(undone(replaced(state, [])).boxes).toEqual([[0, 0, 5, 5]]);
});

test("a key moves a hundredth of the shorter side", () => {
  expect(stepOf([200, 100])).toBe(1);
  expect(stepOf([2048, 1024])).toBe(10);
});
