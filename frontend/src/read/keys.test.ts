import { describe, expect, it, vi } from "vitest";
import { EN } from "../words/en";
import {
  actionFor,
  BINDINGS,
  bindingsWith,
  chord,
  conflictOf,
  type RoomActions,
  shownKeys,
  withKey,
} from "./keys";

const press = (key: string, held: Partial<KeyboardEvent> = {}) => ({
  key,
  code: "",
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

const room = (): RoomActions =>
  new Proxy({} as Record<string, unknown>, {
    get: (acts, name: string) => {
      acts[name] ??= vi.fn();
      return acts[name];
    },
  }) as unknown as RoomActions;

describe("the key table", () => {
  it("binds no key twice", () => {
    const chords = BINDINGS.flatMap((binding) => binding.chords);
    expect(new Set(chords).size).toBe(chords.length);
  });

  it("names no act twice, and tells of every one on the help page", () => {
    expect(new Set(BINDINGS.map(({ act }) => act)).size).toBe(BINDINGS.length);
    expect(
      BINDINGS.filter((binding) => shownKeys(binding).length === 0 || EN[binding.what].length === 0),
    ).toEqual([]);
  });

  it("chooses the third answer with 3", () => {
    const actions = room();
    actionFor("none", "3")?.(actions);
    expect(actions.choose).toHaveBeenCalledWith(2);
  });

  it("picks a reason, not an answer, with a digit while skipping", () => {
    const actions = room();
    actionFor("skip", "2")?.(actions);
    expect(actions.pick).toHaveBeenCalledWith(1);
  });

  it("does nothing with Enter while the keys are shown", () => {
    expect(actionFor("keys", "enter")).toBeNull();
  });

  it("leaves the browser's own shortcuts alone, all but undo and redo", () => {
    expect(chord(press("s", { ctrlKey: true }))).toBeNull();
    expect(chord(press("r", { metaKey: true }))).toBeNull();
    expect(chord(press("z", { metaKey: true }))).toBe("ctrl+z");
    expect(chord(press("Z", { ctrlKey: true, shiftKey: true }))).toBe("ctrl+y");
  });

  it("reads capital letters as the same key and tells arrows and digits with Shift apart", () => {
    expect(chord(press("S", { shiftKey: true }))).toBe("s");
    expect(chord(press("ArrowUp", { shiftKey: true }))).toBe("shift+arrowup");
    expect(chord(press("!", { shiftKey: true, code: "Digit1" }))).toBe("shift+1");
  });
});

describe("own keys", () => {
  it("take the place of the table's", () => {
    const changes = withKey({}, "skip", "j");
    const actions = room();
    actionFor("none", "j", bindingsWith(changes))?.(actions);
    expect(actions.open).toHaveBeenCalledWith("skip");
    expect(actionFor("none", "s", bindingsWith(changes))).toBeNull();
  });

  it("are refused where they do something else, and free where that has moved away", () => {
    expect(conflictOf({}, "skip", "z")?.act).toBe("back");
    expect(conflictOf(withKey({}, "back", "j"), "skip", "z")).toBeNull();
    expect(conflictOf({}, "skip", "s")).toBeNull();
  });

  it("never take what every reader needs", () => {
    expect(bindingsWith({ confirm: ["j"] }).find(({ act }) => act === "confirm")?.chords).toEqual(["enter"]);
  });

  it("leave no change where they are the table's again", () => {
    expect(withKey(withKey({}, "skip", "j"), "skip", "s")).toEqual({});
  });
});
