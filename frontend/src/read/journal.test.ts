import { describe, expect, it, vi } from "vitest";
import { MemoryVault, memoryStorage } from "./fakes";
import { Journal, type PendingReading } from "./journal";

const reading = (key: string, at: number): PendingReading => ({
  kind: "reading",
  idempotency_key: key,
  case_id: `case-${key}`,
  number: 1,
  at,
  lease_id: "lease",
  answers: { note: "a nodule" },
  seconds: 3,
  protocol_version: 1,
  suggestion: null,
});
const draft = (answers = {}) => ({ case_id: "a", version: 1, answers, seconds: 2 });

const journalOf = async (vault: MemoryVault, before = memoryStorage(), userId = "reader") => {
  const events = { failed: vi.fn(), closed: vi.fn() };
  const journal = new Journal(vault, before, "project", events);
  await journal.belongsTo(userId, [`key of ${userId}`]);
  return { journal, events };
};

describe("the journal", () => {
  it("is there again, in the order of the work, after the browser was killed", async () => {
    const vault = new MemoryVault();
    const { journal } = await journalOf(vault);
    journal.add(reading("second", 2));
    journal.add(reading("first", 1));
    journal.keepDraft(draft({ finding: "yes" }));
    await journal.written();
    const { journal: again } = await journalOf(vault);
    expect(again.pending().map(({ idempotency_key }) => idempotency_key)).toEqual(["first", "second"]);
    expect(again.draft("a")?.answers).toEqual({ finding: "yes" });
  });

  it("takes what one act changes in one transaction: an answer is never without its draft and itself", async () => {
    const vault = new MemoryVault();
    const { journal } = await journalOf(vault);
    journal.keepDraft(draft());
    await journal.written();
    const write = vi.spyOn(vault, "write");
    journal.dropDraft("a");
    journal.add(reading("one", 1));
    await journal.written();
    expect(write).toHaveBeenCalledOnce();
    expect([...vault.kept.keys()]).toEqual(["fovea-journal/reader/project/pending/one"]);
  });

  it("keeps what is changed while it writes", async () => {
    const vault = new MemoryVault();
    const { journal } = await journalOf(vault);
    journal.keepDraft(draft({ finding: "no" }));
    await Promise.resolve();
    journal.keepDraft(draft({ finding: "yes" }));
    await journal.written();
    expect(vault.kept.get("fovea-journal/reader/project/draft/a")).toMatchObject({
      answers: { finding: "yes" },
    });
  });

  it("says that nothing can be kept, goes on from memory, and keeps all with the next change", async () => {
    const vault = new MemoryVault();
    const { journal, events } = await journalOf(vault);
    vault.isFull = true;
    journal.add(reading("one", 1));
    await journal.written();
    expect(events.failed).toHaveBeenCalledOnce();
    expect(journal.pending()).toHaveLength(1);
    vault.isFull = false;
    journal.keepDraft(draft());
    await journal.written();
    expect(vault.kept.size).toBe(2);
  });

  it("finds what another tab left", async () => {
    const vault = new MemoryVault();
    const [{ journal: here }, { journal: there }] = [await journalOf(vault), await journalOf(vault)];
    there.add(reading("one", 1));
    await there.written();
    expect(here.pending()).toEqual([]);
    await here.refresh();
    expect(here.pending()).toHaveLength(1);
  });

  it("of somebody else is neither shown nor sent, and stays for whose it is", async () => {
    const vault = new MemoryVault();
    const { journal } = await journalOf(vault);
    journal.add(reading("one", 1));
    await journal.written();
    const { journal: other } = await journalOf(vault, memoryStorage(), "somebody else");
    expect(other.pending()).toEqual([]);
    expect((await journalOf(vault)).journal.pending()).toHaveLength(1);
  });

  it("tells of what was sealed with a key that is gone, and leaves it", async () => {
    const vault = new MemoryVault();
    const { journal } = await journalOf(vault);
    journal.add(reading("one", 1));
    await journal.written();
    const events = { failed: vi.fn(), closed: vi.fn() };
    const later = new Journal(vault, memoryStorage(), "project", events);
    await later.belongsTo("reader", ["another key"]);
    expect(events.closed).toHaveBeenCalledWith(1);
    expect(vault.kept.size).toBe(1);
  });

  it("takes over what was kept unsealed, once, and that of nobody else", async () => {
    const [vault, before] = [new MemoryVault(), memoryStorage()];
    before.setItem("fovea-journal/reader/project/pending/one", JSON.stringify(reading("one", 1)));
    before.setItem("fovea-journal/other/project/pending/two", JSON.stringify(reading("two", 2)));
    before.setItem("fovea-preferences/reader", "{}");
    const { journal } = await journalOf(vault, before);
    expect(journal.pending().map(({ idempotency_key }) => idempotency_key)).toEqual(["one"]);
    expect([before.key(0), before.key(1)]).toEqual([
      "fovea-journal/other/project/pending/two",
      "fovea-preferences/reader",
    ]);
  });
});
