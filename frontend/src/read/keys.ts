/** The keys of the reading room: one table, from which both the bindings and the help page come. */

import type { Tool } from "../viewer/gestures";
import type { Dialog } from "./state";

/** What keys and buttons can ask of the room. */
export interface RoomActions {
  readonly choose: (nth: number) => void;
  readonly answer: (key: string, value: string) => void;
  readonly turn: (step: 1 | -1) => void;
  readonly confirm: () => void;
  readonly back: () => void;
  readonly escape: () => void;
  readonly open: (dialog: Dialog) => void;
  readonly skip: (nth: number) => void;
  readonly use: (tool: Tool) => void;
  readonly adjust: (right: number, down: number) => void;
  readonly zoom: (factor: number) => void;
  readonly scroll: (slices: number) => void;
  readonly invert: () => void;
  readonly fit: () => void;
  readonly changeTheme: () => void;
}

export interface Binding {
  /** As `chord` writes them. */
  readonly chords: readonly string[];
  /** As the help page writes them. */
  readonly shown: readonly string[];
  readonly what: string;
  readonly group: "Reading" | "Image";
  readonly run: (actions: RoomActions, nth: number) => void;
}

const DIGITS: readonly string[] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const STEP = 15;
const FAR = 5;
const ENDS = 100_000;
const CLOSER = 1.25;

export const BINDINGS: readonly Binding[] = [
  {
    group: "Reading",
    chords: DIGITS,
    shown: ["1", "…", "9"],
    what: "Choose the answer",
    run: (room, nth) => room.choose(nth),
  },
  {
    group: "Reading",
    chords: ["enter"],
    shown: ["Enter"],
    what: "Submit and show the next case",
    run: (room) => room.confirm(),
  },
  {
    group: "Reading",
    chords: ["s"],
    shown: ["S"],
    what: "Skip the case, with a reason",
    run: (room) => room.open("skip"),
  },
  {
    group: "Reading",
    chords: ["z"],
    shown: ["Z"],
    what: "Back to my last reading, to revise it",
    run: (room) => room.back(),
  },
  {
    group: "Reading",
    chords: ["escape"],
    shown: ["Esc"],
    what: "Return to the current case; close",
    run: (room) => room.escape(),
  },
  {
    group: "Reading",
    chords: ["arrowleft"],
    shown: ["←"],
    what: "Previous question",
    run: (room) => room.turn(-1),
  },
  {
    group: "Reading",
    chords: ["arrowright"],
    shown: ["→"],
    what: "Next question",
    run: (room) => room.turn(1),
  },
  { group: "Reading", chords: ["?"], shown: ["?"], what: "These keys", run: (room) => room.open("keys") },
  {
    group: "Image",
    chords: ["arrowup"],
    shown: ["↑"],
    what: "Previous slice",
    run: (room) => room.scroll(-1),
  },
  { group: "Image", chords: ["arrowdown"], shown: ["↓"], what: "Next slice", run: (room) => room.scroll(1) },
  {
    group: "Image",
    chords: ["pageup"],
    shown: ["Page ↑"],
    what: "Five slices back",
    run: (room) => room.scroll(-FAR),
  },
  {
    group: "Image",
    chords: ["pagedown"],
    shown: ["Page ↓"],
    what: "Five slices on",
    run: (room) => room.scroll(FAR),
  },
  {
    group: "Image",
    chords: ["home"],
    shown: ["Home"],
    what: "First slice",
    run: (room) => room.scroll(-ENDS),
  },
  { group: "Image", chords: ["end"], shown: ["End"], what: "Last slice", run: (room) => room.scroll(ENDS) },
  {
    group: "Image",
    chords: ["w"],
    shown: ["W"],
    what: "Drag changes the window",
    run: (room) => room.use("window"),
  },
  {
    group: "Image",
    chords: ["p"],
    shown: ["P"],
    what: "Drag moves the image",
    run: (room) => room.use("pan"),
  },
  { group: "Image", chords: ["m"], shown: ["M"], what: "Drag magnifies", run: (room) => room.use("zoom") },
  {
    group: "Image",
    chords: ["shift+arrowup"],
    shown: ["Shift", "↑"],
    what: "The chosen tool, upwards",
    run: (room) => room.adjust(0, -STEP),
  },
  {
    group: "Image",
    chords: ["shift+arrowdown"],
    shown: ["Shift", "↓"],
    what: "The chosen tool, downwards",
    run: (room) => room.adjust(0, STEP),
  },
  {
    group: "Image",
    chords: ["shift+arrowleft"],
    shown: ["Shift", "←"],
    what: "The chosen tool, to the left",
    run: (room) => room.adjust(-STEP, 0),
  },
  {
    group: "Image",
    chords: ["shift+arrowright"],
    shown: ["Shift", "→"],
    what: "The chosen tool, to the right",
    run: (room) => room.adjust(STEP, 0),
  },
  { group: "Image", chords: ["+", "="], shown: ["+"], what: "Larger", run: (room) => room.zoom(CLOSER) },
  { group: "Image", chords: ["-"], shown: ["−"], what: "Smaller", run: (room) => room.zoom(1 / CLOSER) },
  {
    group: "Image",
    chords: ["i"],
    shown: ["I"],
    what: "Invert black and white",
    run: (room) => room.invert(),
  },
  { group: "Image", chords: ["f"], shown: ["F"], what: "Fit and reset the image", run: (room) => room.fit() },
];

/** A key press in the table's spelling; null where a browser's own shortcut is meant. */
export const chord = (
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">,
): string | null => {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const key = event.key.toLowerCase();
  return event.shiftKey && key.startsWith("arrow") ? `shift+${key}` : key;
};

/** What a key does while a dialog is open; null where it does nothing. */
const inDialog = (dialog: Dialog, pressed: string): ((actions: RoomActions) => void) | null => {
  if (pressed === "escape" || (dialog === "keys" && pressed === "?")) return (room) => room.escape();
  const nth = DIGITS.indexOf(pressed);
  return dialog === "skip" && nth >= 0 ? (room) => room.skip(nth) : null;
};

/** What a key does; null where it is not ours. */
export const actionFor = (dialog: Dialog, pressed: string): ((actions: RoomActions) => void) | null => {
  if (dialog !== "none") return inDialog(dialog, pressed);
  const binding = BINDINGS.find(({ chords }) => chords.includes(pressed));
  return binding ? (room) => binding.run(room, binding.chords.indexOf(pressed)) : null;
};

const ACTS_ON_ENTER = "a, button, summary, input, textarea, select";
const TAKES_ARROWS = "input, textarea, select";

/** Whether the focused element needs the key itself. */
export const belongsToFocus = (target: Element | null, pressed: string): boolean => {
  if (pressed === "enter")
    return target?.matches(ACTS_ON_ENTER) === true && !target.matches("input[type=radio]");
  if (pressed.startsWith("arrow")) return target?.matches(TAKES_ARROWS) === true;
  return target?.matches("textarea, input:not([type=radio])") === true;
};
