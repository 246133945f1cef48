import { describe, expect, it, vi } from "vitest";
import { FakeServer, leasedCase, MemoryVault, memoryStorage } from "./fakes";
import { ReadingSession } from "./session";

const opened = async (draftVersion: number | null): Promise<ReadingSession> => {
  const first = leasedCase("a", 1);
  const draft = {
    version: 1,
    protocol_version: draftVersion,
    answers: { finding: "normal", gone: "x" },
    seconds: 4,
  };
  const session = new ReadingSession({
    client: new FakeServer({ ...first, draft }, leasedCase("b", 2)),
    projectId: "p",
    storage: memoryStorage(),
    vault: new MemoryVault(),
    now: () => Date.now(),
    newKey: () => "key",
  });
  await session.start();
  await vi.waitFor(() => expect(session.state.phase).toBe("reading"));
  return session;
};

describe("a draft to an older version of the protocol", () => {
  it("is there as far as it still fits, and the reader is told", async () => {
    const session = await opened(41);
    expect(session.state.answers).toEqual({ finding: "normal" });
    expect(session.state.notice?.text).toContain("The questions changed");
  });

  it.each([1, null])("is not told of where it is to this one, or not known (%s)", async (version) => {
    expect((await opened(version)).state.notice).toBeNull();
  });
});
