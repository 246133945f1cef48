import { describe, expect, it, vi } from "vitest";
import { actionFor, BINDINGS, chord, type RoomActions } from "./keys";

const press = (key: string, held: Partial<KeyboardEvent> = {}) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

const room = (): RoomActions => ({
  choose: vi.fn(),
  answer: vi.fn(),
  turn: vi.fn(),
  confirm: vi.fn(),
  back: vi.fn(),
  escape: vi.fn(),
  open: vi.fn(),
  skip: vi.fn(),
  use: vi.fn(),
  adjust: vi.fn(),
  zoom: vi.fn(),
  scroll: vi.fn(),
  invert: vi.fn(),
  fit: vi.fn(),
  changeTheme: vi.fn(),
});

describe("the key table", () => {
  it("binds no key twice", () => {
    const chords = BINDINGS.flatMap((binding) => binding.chords);
    expect(new Set(chords).size).toBe(chords.length);
  });

  it("tells of every key on the help page", () => {
    expect(BINDINGS.filter(({ shown, what }) => shown.length === 0 || what === "")).toEqual([]);
  });

  it("chooses the third answer with 3", () => {
    const actions = room();
    actionFor("none", "3")?.(actions);
    expect(actions.choose).toHaveBeenCalledWith(2);
  });

  it("picks a reason, not an answer, with a digit while skipping", () => {
    const actions = room();
    actionFor("skip", "2")?.(actions);
    expect(actions.skip).toHaveBeenCalledWith(1);
  });

  it("does nothing with Enter while the keys are shown", () => {
    expect(actionFor("keys", "enter")).toBeNull();
  });

  it("leaves the browser's own shortcuts alone", () => {
    expect(chord(press("s", { ctrlKey: true }))).toBeNull();
    expect(chord(press("z", { metaKey: true }))).toBeNull();
  });

  it("reads capital letters as the same key and tells arrows with Shift apart", () => {
    expect(chord(press("S", { shiftKey: true }))).toBe("s");
    expect(chord(press("ArrowUp", { shiftKey: true }))).toBe("shift+arrowup");
  });
});
