import { expect, it, vi } from "vitest";
import { FrameStore } from "../images/store";
import type { Stage } from "../viewer/stage";
import { FakeServer, leasedCase, MemoryVault, memoryStorage } from "./fakes";
import { Presenter } from "./presenter";
import { ReadingSession } from "./session";
import { viewOf } from "./state";

const opened = async (server: FakeServer, vault: MemoryVault): Promise<ReadingSession> => {
  const session = new ReadingSession({
    client: server,
    projectId: "p",
    storage: memoryStorage(),
    vault,
    now: () => Date.now(),
    newKey: () => crypto.randomUUID(),
  });
  const stage = { show: () => Promise.resolve(), forget: () => undefined } as unknown as Stage;
  const store = new FrameStore(() => Promise.reject(new Error("no pixels are asked for here")));
  new Presenter(session, stage, store, () => server.hanging());
  await session.start();
  await vi.waitFor(() => expect(session.state.image).toBe("shown"));
  return session;
};

/** A disk that takes what is written when it is let. */
const slowly = (vault: MemoryVault): (() => void) => {
  let done: () => void = () => undefined;
  vault.disk = new Promise<void>((resolve) => {
    done = resolve;
  });
  return done;
};

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

it("calls the next case shown when the answer before it is on the disk, not earlier", async () => {
  const vault = new MemoryVault();
  const session = await opened(new FakeServer(leasedCase("a", 1), leasedCase("b", 2)), vault);
  const written = slowly(vault);
  session.desk.choose(1);
  session.confirm();
  await turns();
  expect(session.state.current && viewOf(session.state.current).id).toBe("b");
  expect(session.state.image).toBe("loading");
  expect([...vault.kept.keys()].filter((name) => name.includes("/pending/"))).toEqual([]);
  written();
  await vi.waitFor(() => expect(session.state.image).toBe("shown"));
});

it("calls the last answer at hand kept when it is on the disk, not earlier", async () => {
  const vault = new MemoryVault();
  const server = new FakeServer(leasedCase("a", 1));
  const session = await opened(server, vault);
  server.trouble = "offline";
  const written = slowly(vault);
  session.desk.choose(1);
  session.confirm();
  await turns();
  expect(session.state.phase).toBe("keeping");
  written();
  await vi.waitFor(() => expect(session.state.phase).toBe("waiting"));
  expect([...vault.kept.keys()].filter((name) => name.includes("/pending/"))).toHaveLength(1);
});

it("goes on where the browser can keep nothing", async () => {
  const vault = new MemoryVault();
  const session = await opened(new FakeServer(leasedCase("a", 1), leasedCase("b", 2)), vault);
  vault.isFull = true;
  session.desk.choose(1);
  session.confirm();
  await vi.waitFor(() => expect(session.state.image).toBe("shown"));
  expect(session.state.current && viewOf(session.state.current).id).toBe("b");
});
