import { expect, it } from "vitest";
import { Cine } from "./cine";

it("shows a frame each interval, waits for those that take longer, and stops when asked", async () => {
  let now = 100;
  const shown: number[] = [];
  const waits: number[] = [];
  const cine = new Cine(
    () => {
      shown.push(now);
      now += shown.length === 2 ? 90 : 10;
      if (shown.length === 4) cine.pause();
      return Promise.resolve();
    },
    () => now,
    (milliseconds) => {
      waits.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  );
  cine.play(20);
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  expect([shown, waits]).toEqual([
    [100, 150, 240, 290],
    [40, 0, 40, 40],
  ]);
  expect(cine.isPlaying).toBe(false);
});
