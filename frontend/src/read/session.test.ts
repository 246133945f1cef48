import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "../api/problems";
import { FakeServer, leasedCase, memoryStorage } from "./fakes";
import type { KeyValueStore } from "./journal";
import { ReadingSession } from "./session";
import { viewOf } from "./state";

let storage: KeyValueStore;
let keys = 0;

const newKey = (): string => {
  keys += 1;
  return `key-${keys}`;
};

/** Time enough for everything that was started to answer, short of a new try. */
const settle = () => vi.advanceTimersByTimeAsync(500);

const open = async (server: FakeServer): Promise<ReadingSession> => {
  const session = new ReadingSession({
    client: server,
    projectId: "p",
    storage,
    now: () => Date.now(),
    newKey,
  });
  await session.start();
  await settle();
  session.desk.imageShown(session.state.showing);
  return session;
};

const answer = async (session: ReadingSession, nth: number): Promise<void> => {
  session.desk.imageShown(session.state.showing);
  session.desk.choose(nth);
  session.confirm();
  await settle();
  session.desk.imageShown(session.state.showing);
};

const onScreen = ({ state }: ReadingSession): string =>
  state.current ? viewOf(state.current).id : state.phase;

beforeEach(() => {
  vi.useFakeTimers();
  storage = memoryStorage();
});

afterEach(() => {
  vi.useRealTimers();
});

const three = () => new FakeServer(leasedCase("a", 1), leasedCase("b", 2), leasedCase("c", 3));

describe("reading", () => {
  it("shows the next case at once, and says saved only when the server has it", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(1);
    session.confirm();
    expect(onScreen(session)).toBe("b");
    expect(session.state.pending).toBe(1);
    expect(session.state.hasSaved).toBe(false);
    await settle();
    expect(session.state.pending).toBe(0);
    expect(session.state.hasSaved).toBe(true);
    expect(server.readings[0]?.body.answers).toEqual({ finding: "pneumonia" });
  });

  it("takes no answer to an image that is not on screen", async () => {
    const session = await open(three());
    await answer(session, 0);
    session.desk.showAgain();
    session.desk.choose(0);
    session.confirm();
    expect(session.state.answers).toEqual({});
    expect(session.state.notice?.text).toBe("The image is not on screen yet.");
  });

  it("does not submit without an answer", async () => {
    const server = three();
    const session = await open(server);
    session.confirm();
    await settle();
    expect(server.readings).toEqual([]);
    expect(session.state.notice?.text).toBe("Something is to be mended first: it is marked.");
    expect(session.state.isChecked).toBe(true);
  });

  it("ends calmly when everything is read", async () => {
    const session = await open(new FakeServer(leasedCase("a", 1)));
    await answer(session, 0);
    expect(session.state.phase).toBe("empty");
  });

  it("passes a case on with its reason", async () => {
    const server = three();
    const session = await open(server);
    session.openDialog("skip");
    session.skip("quality");
    await settle();
    expect(server.skipped).toEqual(["a quality"]);
    expect(onScreen(session)).toBe("b");
  });
});

describe("drafts", () => {
  it("are saved within a second of the change", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(1);
    expect(session.state.draft).toBe("saving");
    await settle();
    expect(server.drafts.get("a")).toMatchObject({ version: 1, answers: { finding: "pneumonia" } });
    expect(session.state.draft).toBe("saved");
  });

  it("come back after the page was killed before they were sent", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(1);
    server.trouble = "offline";
    await settle();
    server.trouble = "none";
    const again = await open(server);
    expect(again.state.answers).toEqual({ finding: "pneumonia" });
    expect(server.drafts.get("a")?.answers).toEqual({ finding: "pneumonia" });
  });

  it("of this window are not taken for another's when the server's word was lost", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(0);
    server.isAnswerLost = true;
    await settle();
    server.isAnswerLost = false;
    session.desk.choose(1);
    await settle();
    expect(session.state.answers).toEqual({ finding: "pneumonia" });
    expect(server.drafts.get("a")?.answers).toEqual({ finding: "pneumonia" });
  });

  it("of another window that are newer are shown, and it says so", async () => {
    const server = three();
    const session = await open(server);
    server.drafts.set("a", { version: 5, answers: { finding: "normal" }, seconds: 9 });
    session.desk.choose(1);
    await settle();
    expect(session.state.answers).toEqual({ finding: "normal" });
    expect(session.state.notice?.text).toContain("Another of your windows");
  });
});

describe("without a connection", () => {
  it("reading goes on, and everything is sent once when it is back", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "offline";
    await answer(session, 0);
    await answer(session, 1);
    expect(session.state.connection).toBe("offline");
    expect(session.state.pending).toBe(2);
    expect(onScreen(session)).toBe("c");
    server.trouble = "none";
    await vi.advanceTimersByTimeAsync(20_000);
    expect(session.state.connection).toBe("online");
    expect(server.readings.map(({ caseId }) => caseId)).toEqual(["a", "b"]);
  });

  it("an answer whose receipt was lost is sent again and counted once", async () => {
    const server = three();
    const session = await open(server);
    server.isAnswerLost = true;
    await answer(session, 0);
    expect(session.state.pending).toBe(1);
    server.isAnswerLost = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(session.state.pending).toBe(0);
    expect(server.readings).toHaveLength(1);
  });

  it("answers survive a reload and are sent by the next page", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "offline";
    await answer(session, 1);
    server.trouble = "none";
    const again = await open(server);
    expect(server.readings.map(({ caseId }) => caseId)).toEqual(["a"]);
    expect(onScreen(again)).toBe("b");
  });

  it("keeps nothing but ids, answers and counts in the browser", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "offline";
    await answer(session, 1);
    const keptKeys = Array.from({ length: storage.length }, (_, nth) => storage.key(nth) ?? "");
    const entry = JSON.parse(
      storage.getItem(keptKeys.find((key) => key.includes("/pending/")) ?? "") ?? "{}",
    );
    expect(Object.keys(entry).sort()).toEqual(
      [
        "answers",
        "at",
        "case_id",
        "idempotency_key",
        "kind",
        "lease_id",
        "number",
        "protocol_version",
        "seconds",
        "suggestion",
      ].sort(),
    );
  });
});

describe("an expired session", () => {
  it("keeps the answers and sends them after the same reader has signed in again", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "signed_out";
    await answer(session, 0);
    expect(session.state.connection).toBe("signed_out");
    server.trouble = "none";
    session.look();
    await settle();
    expect(session.state.connection).toBe("online");
    expect(server.readings).toHaveLength(1);
  });

  it("sends nothing when somebody else has signed in", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "signed_out";
    await answer(session, 0);
    server.trouble = "none";
    server.userId = "somebody else";
    session.look();
    await settle();
    expect(session.state.connection).toBe("other_user");
    expect(server.readings).toEqual([]);
  });
});

describe("a lost lease", () => {
  const lost = () => new Refusal(409, { code: "lease_lost", detail: "It went on." });

  it("is told with the answer, and a key moves on", async () => {
    const server = three();
    const session = await open(server);
    server.refusal = lost();
    await answer(session, 1);
    expect(session.state.lost).toMatchObject({ number: 1, answer: "Pneumonia" });
    server.refusal = null;
    session.confirm();
    await settle();
    expect(session.state.lost).toBeNull();
    expect(onScreen(session)).toBe("b");
  });

  it("is noticed when the server's list no longer has the case on screen", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(0);
    server.trouble = "offline";
    await settle();
    server.trouble = "none";
    server.waiting.shift();
    await session.start();
    expect(session.state.lost).toMatchObject({ number: 1, answer: "Normal" });
  });
});

describe("an answer that the server does not take", () => {
  it("brings its case back on screen with the answer and the reason", async () => {
    const server = three();
    const session = await open(server);
    server.refusal = new Refusal(409, { code: "protocol_changed", detail: "The question has changed." });
    await answer(session, 1);
    expect(onScreen(session)).toBe("a");
    expect(session.state.answers).toEqual({ finding: "pneumonia" });
    expect(session.state.notice).toEqual({ text: "Not saved: The question has changed.", tone: "bad" });
    expect(session.state.ahead.map((leased) => leased.case.id)).toEqual(["b", "c"]);
  });
});

describe("the last reading", () => {
  it("opens again, takes a new answer as a revision, and returns to the case before", async () => {
    const server = three();
    const session = await open(server);
    await answer(session, 0);
    await session.back();
    expect(session.state.current?.kind).toBe("past");
    expect(session.state.answers).toEqual({ finding: "normal" });
    await answer(session, 1);
    expect(server.revisions).toEqual(["pneumonia"]);
    expect(onScreen(session)).toBe("b");
  });

  it("is left as it was by Escape, and the draft of the case before is there again", async () => {
    const server = three();
    const session = await open(server);
    await answer(session, 0);
    session.desk.choose(1);
    await session.back();
    session.escape();
    await settle();
    expect(onScreen(session)).toBe("b");
    expect(session.state.answers).toEqual({ finding: "pneumonia" });
    expect(server.revisions).toEqual([]);
  });

  it("waits until it is saved", async () => {
    const session = await open(three());
    session.desk.choose(0);
    session.confirm();
    await session.back();
    expect(session.state.current?.kind).toBe("case");
    await settle();
    expect(session.state.current?.kind).toBe("past");
  });
});
