import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Told } from "../api/types";
import { FakeServer, leasedCase, MemoryVault, memoryStorage } from "./fakes";
import { ReadingSession } from "./session";

const told = (more: Partial<Told>): Told => ({
  phase: "practice",
  standing: { phase: "practice", done: 1, wanted: 2 },
  is_right: false,
  answers: { finding: "normal" },
  reference: { finding: "pneumonia" },
  differs_in: ["finding"],
  comment: "Look at the left base",
  has_passed: null,
  right: 0,
  of: 0,
  ...more,
});

const settle = () => vi.advanceTimersByTimeAsync(500);

const answered = async (more: Partial<Told>): Promise<ReadingSession> => {
  const server = new FakeServer(leasedCase("a", 1), leasedCase("b", 2));
  server.told.set("a", told(more));
  const session = new ReadingSession({
    client: server,
    projectId: "p",
    storage: memoryStorage(),
    vault: new MemoryVault(),
    now: () => Date.now(),
    newKey: () => "key",
  });
  await session.start();
  await settle();
  session.desk.imageShown(session.state.showing);
  session.desk.choose(0);
  session.confirm();
  await settle();
  session.desk.imageShown(session.state.showing);
  return session;
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("after a case of known answer", () => {
  it("shows the reference over the next case, which takes no answer until the reader goes on", async () => {
    const session = await answered({});
    expect(session.state.feedback?.told.reference).toEqual({ finding: "pneumonia" });
    expect(session.state.feedback?.number).toBe(1);
    expect(session.state.feedback?.protocol?.questions).toHaveLength(1);
    expect(session.desk.canAnswer()).toBe(false);
    session.confirm();
    expect(session.state.feedback).toBeNull();
    expect(session.desk.canAnswer()).toBe(true);
  });

  it("lets Escape close it too", async () => {
    const session = await answered({});
    session.escape();
    expect(session.state.feedback).toBeNull();
  });

  it("says nothing between the cases of a test, and at its end how it went", async () => {
    expect((await answered({ phase: "test", is_right: null })).state.feedback).toBeNull();
    const ended = await answered({ phase: "test", is_right: null, has_passed: true, right: 9, of: 10 });
    expect(ended.state.feedback?.told.has_passed).toBe(true);
  });
});
