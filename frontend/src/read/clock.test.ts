import { describe, expect, it } from "vitest";
import { ActiveClock } from "./clock";

const started = (seconds = 0): ActiveClock => {
  const clock = new ActiveClock();
  clock.restart(seconds, 0);
  return clock;
};

describe("expert time", () => {
  it("runs from the moment a case is open", () => {
    expect(started().seconds(12_340)).toBe(12.3);
  });

  it("goes on from what was spent before a reload", () => {
    expect(started(30).seconds(5_000)).toBe(35);
  });

  it("stops a minute after the last sign of the reader", () => {
    const clock = started();
    clock.sign(10_000);
    expect(clock.seconds(600_000)).toBe(70);
    expect(clock.isActive(600_000)).toBe(false);
  });

  it("counts on when the reader comes back, without the time between", () => {
    const clock = started();
    clock.sign(10_000);
    clock.sign(600_000);
    expect(clock.seconds(605_000)).toBe(75);
  });

  it("stops while the page is hidden", () => {
    const clock = started();
    clock.pause(4_000);
    expect(clock.seconds(50_000)).toBe(4);
    clock.sign(50_000);
    expect(clock.seconds(51_000)).toBe(5);
  });
});
