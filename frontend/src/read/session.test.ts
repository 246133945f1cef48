import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal, Unreachable } from "../api/problems";
import type { Question } from "../protocol/types";
import { FakeServer, leasedCase, MemoryVault, memoryStorage } from "./fakes";
import { ReadingSession } from "./session";
import { suggestionShown, viewOf } from "./state";
import type { KeyValueStore } from "./takeover";

let storage: KeyValueStore;
let vault: MemoryVault;
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
    vault,
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
  vault = new MemoryVault();
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
    const [entry] = [...vault.kept].filter(([name]) => name.includes("/pending/")).map(([, one]) => one);
    expect(Object.keys(entry ?? {}).sort()).toEqual(
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

describe("somebody else at the desk", () => {
  it("is neither shown nor sent what was kept, and whose it is finds it again", async () => {
    const server = three();
    const session = await open(server);
    server.trouble = "offline";
    await answer(session, 1);
    server.trouble = "none";
    server.userId = "somebody else";
    const theirs = await open(server);
    expect(theirs.state.pending).toBe(0);
    expect(server.readings).toEqual([]);
    server.userId = "reader";
    await open(server);
    expect(server.readings.map(({ caseId }) => caseId)).toEqual(["a"]);
  });

  it("cannot open the room of a page that was another's", async () => {
    const server = three();
    const session = await open(server);
    server.userId = "somebody else";
    await session.start();
    expect(session.state.connection).toBe("other_user");
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

describe("an answer that is refused just before the connection is lost", () => {
  it("waits in the browser until it can be brought back", async () => {
    const server = three();
    const session = await open(server);
    server.refusal = new Refusal(409, { code: "protocol_changed", detail: "The question has changed." });
    const workload = vi.spyOn(server, "workload").mockRejectedValueOnce(new Unreachable("gone"));
    await answer(session, 1);
    expect(session.state.connection).toBe("offline");
    expect([...vault.kept.keys()].filter((name) => name.includes("/pending/"))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(workload).toHaveBeenCalled();
    expect(onScreen(session)).toBe("a");
    expect(session.state.answers).toEqual({ finding: "pneumonia" });
    expect([...vault.kept.keys()].filter((name) => name.includes("/pending/"))).toEqual([]);
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

  it("keeps what was changed of it when the browser is killed, until it is left or submitted", async () => {
    const server = three();
    const session = await open(server);
    await answer(session, 0);
    await session.back();
    session.desk.imageShown(session.state.showing);
    session.desk.choose(1);
    await settle();
    const again = await open(server);
    await again.back();
    expect(again.state.answers).toEqual({ finding: "pneumonia" });
    expect(again.state.notice?.text).toContain("here again");
    again.escape();
    await again.back();
    expect(again.state.answers).toEqual({ finding: "normal" });
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

describe("several questions", () => {
  const TWO: readonly Question[] = [
    {
      key: "finding",
      prompt: "Abnormal?",
      kind: "single",
      choices: [
        { value: "no", label: "No" },
        { value: "yes", label: "Yes" },
      ],
    },
    {
      key: "size",
      prompt: "Size",
      kind: "number",
      min: 1,
      when: { question: "finding", is: "yes" },
    },
  ];
  const two = () =>
    new FakeServer(leasedCase("a", 1, { questions: TWO }), leasedCase("b", 2, { questions: TWO }));

  it("move on to the next that is open", async () => {
    const session = await open(two());
    session.desk.choose(1);
    expect(session.state.active).toBe("size");
  });

  it("stay where the reader has gone when a stroke comes in late", async () => {
    const session = await open(two());
    session.desk.choose(1);
    session.desk.painted("finding", "yes");
    expect(session.state.answers).toEqual({ finding: "yes" });
    expect(session.state.active).toBe("size");
  });

  it("keep what was entered to one that is not asked any more, and do not send it", async () => {
    const server = two();
    const session = await open(server);
    session.desk.choose(1);
    session.desk.answer("size", 7, "typing");
    session.desk.answer("finding", "no");
    session.confirm();
    await settle();
    expect(server.readings[0]?.body.answers).toEqual({ finding: "no" });
    expect(server.drafts.get("a")).toBeUndefined();
  });

  it("are checked by Enter, and checked on until nothing is wrong", async () => {
    const server = two();
    const session = await open(server);
    session.desk.choose(1);
    session.desk.answer("size", 0, "typing");
    session.confirm();
    expect(session.state).toMatchObject({ isChecked: true, active: "size" });
    session.desk.answer("size", 3, "typing");
    expect(session.state.isChecked).toBe(false);
    session.confirm();
    await settle();
    expect(server.readings).toHaveLength(1);
  });
});

describe("one key alone", () => {
  it("sends the answer, says what was sent, and Z takes it back", async () => {
    const settings = { auto_advance: true };
    const server = new FakeServer(leasedCase("a", 1, { settings }), leasedCase("b", 2, { settings }));
    const session = await open(server);
    session.desk.choose(1);
    expect(onScreen(session)).toBe("b");
    expect(session.state.undo).toEqual({ number: 1, answer: "Pneumonia" });
    await settle();
    await session.back();
    expect(session.state.current?.kind).toBe("past");
  });

  it("stops saying so after a while", async () => {
    const settings = { auto_advance: true };
    const session = await open(new FakeServer(leasedCase("a", 1, { settings }), leasedCase("b", 2)));
    session.desk.choose(0);
    await vi.advanceTimersByTimeAsync(7000);
    expect(session.state.undo).toBeNull();
  });
});

describe("a suggestion", () => {
  const hinted = (mode: "on_demand" | "after_answer" | "from_start", isWithheld = false) => ({
    mode,
    question: "finding",
    probabilities: isWithheld ? null : { normal: 0.2, pneumonia: 0.8 },
    drawn: [],
  });
  const serverWith = (suggestion: ReturnType<typeof hinted>) =>
    new FakeServer(leasedCase("a", 1, { suggestion }), leasedCase("b", 2));

  it("comes after the first answer, which is kept", async () => {
    const server = serverWith(hinted("after_answer"));
    const session = await open(server);
    expect(session.state.seen).toBeNull();
    session.desk.choose(0);
    await settle();
    await answer(session, 1);
    const first = { when: "after_answer", first: { finding: "normal" } };
    expect(server.readings[0]?.body.suggestion).toEqual(first);
  });

  it("of several choices comes when all are made, and the reader submits once more", async () => {
    const choices = ["mass", "oedema"].map((value) => ({ value, label: value }));
    const several = { key: "finding", prompt: "Which?", kind: "multi", required: false, choices } as const;
    const suggestion = { ...hinted("after_answer"), probabilities: { mass: 0.9, oedema: 0.6 } };
    const kind = { suggestion, questions: [several] };
    const server = new FakeServer(leasedCase("a", 1, kind), leasedCase("b", 2, kind));
    const session = await open(server);
    session.desk.choose(0);
    await settle();
    expect(session.state.seen).toBeNull();
    session.confirm();
    await settle();
    expect(server.readings).toHaveLength(0);
    expect(session.state.seen).toEqual({ when: "after_answer", first: { finding: ["mass"] } });
    session.desk.choose(1);
    session.confirm();
    await settle();
    expect(server.readings[0]?.body.answers).toEqual({ finding: ["mass", "oedema"] });
    session.desk.imageShown(session.state.showing);
    session.confirm();
    expect(session.state.seen).toEqual({ when: "after_answer", first: { finding: [] } });
  });

  it("that flashed by was not seen", async () => {
    const server = serverWith(hinted("after_answer"));
    await answer(await open(server), 1);
    expect(server.readings[0]?.body.suggestion).toBeNull();
  });

  it("is there from the start, or comes when it is asked for", async () => {
    const atOnce = await open(serverWith(hinted("from_start")));
    expect(atOnce.state.seen?.when).toBe("before_answer");
    storage = memoryStorage();
    const asked = await open(serverWith(hinted("on_demand")));
    expect(asked.state.seen).toBeNull();
    asked.desk.seeing.ask();
    expect(asked.state.seen?.when).toBe("before_answer");
  });

  it("that is withheld is never shown", async () => {
    const session = await open(serverWith(hinted("on_demand", true)));
    session.desk.seeing.ask();
    session.desk.choose(0);
    expect(session.state.seen).toBeNull();
    expect(suggestionShown(session.state)).toBeNull();
  });
});

describe("beside the case", () => {
  it("a remark is sent once, also when its receipt was lost", async () => {
    const server = three();
    const session = await open(server);
    server.isAnswerLost = true;
    session.flow.openRemark("flag");
    session.flow.remark("important", "", "");
    await settle();
    expect(session.state.pending).toBe(1);
    server.isAnswerLost = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(server.remarked).toHaveLength(1);
    expect(onScreen(session)).toBe("a");
  });

  it("an own reading of the day is opened and left again", async () => {
    const session = await open(three());
    await answer(session, 0);
    await session.flow.openReading("r");
    expect(session.state.current?.kind).toBe("past");
    session.escape();
    expect(onScreen(session)).toBe("b");
  });

  it("a colleague's question is answered, and the case before is there again", async () => {
    const session = await open(three());
    await session.flow.openAsked("remark");
    expect(session.state.current?.kind).toBe("asked");
    await session.reply("  ");
    expect(session.state.current?.kind).toBe("asked");
    await session.reply("A vessel.");
    expect(onScreen(session)).toBe("a");
  });

  it("own keys are kept for every desk", async () => {
    const server = three();
    const session = await open(server);
    await session.flow.changeKeys({ skip: ["j"] });
    expect(server.kept.keys).toEqual({ skip: ["j"] });
    storage = memoryStorage();
    expect((await open(server)).state.keys).toEqual({ skip: ["j"] });
  });

  it("a draft whose save fails after its case was sent leaves nothing behind", async () => {
    const server = three();
    const session = await open(server);
    session.desk.choose(0);
    server.trouble = "offline";
    await vi.advanceTimersByTimeAsync(450);
    session.confirm();
    await settle();
    expect([...vault.kept.keys()].filter((key) => key.includes("/draft/"))).toEqual([]);
  });

  it("own answers that gave way to another window come back", async () => {
    const server = three();
    const session = await open(server);
    server.drafts.set("a", { version: 5, answers: { finding: "normal" }, seconds: 9 });
    session.desk.choose(1);
    await settle();
    expect(session.state.rival).toEqual({ finding: "pneumonia" });
    session.desk.takeBack();
    await settle();
    expect(session.state.answers).toEqual({ finding: "pneumonia" });
    expect(server.drafts.get("a")).toMatchObject({ version: 6, answers: { finding: "pneumonia" } });
  });
});
