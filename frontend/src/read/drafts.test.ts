import { expect, it, vi } from "vitest";
import { DraftSaver } from "./drafts";
import { MemoryVault, memoryStorage } from "./fakes";
import { Journal } from "./journal";

const events = () => ({ changed: vi.fn(), delayed: vi.fn(), overtaken: vi.fn(), leaseLost: vi.fn() });

const journalIn = async (vault: MemoryVault): Promise<Journal> => {
  const journal = new Journal(vault, memoryStorage(), "project", { failed: vi.fn(), closed: vi.fn() });
  await journal.belongsTo("reader", ["key"]);
  return journal;
};

it("what is changed while a save is under way is newer than what the server took", async () => {
  const vault = new MemoryVault();
  const never = new Promise<{ readonly version: number }>(() => undefined);
  const journal = await journalIn(vault);
  const saver = new DraftSaver(() => never, journal, events());
  saver.open("a", "lease", 1, null);
  saver.change({ finding: "normal" }, 1);
  void saver.flush(false);
  saver.change({ finding: "pneumonia" }, 2);
  await journal.written();

  const after = new DraftSaver(() => never, await journalIn(vault), events());
  const taken = { version: 1, answers: { finding: "normal" }, seconds: 1 };
  expect(after.open("a", "lease", 1, taken).answers).toEqual({ finding: "pneumonia" });
});
