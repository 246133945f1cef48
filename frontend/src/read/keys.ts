/** The keys of the reading room: one table, from which the bindings, the help page and its editor come. */

import type { RemarkKind } from "../api/types";
import type { PointerTool } from "../viewer/stage";
import type { WordKey } from "../words/say";
import type { Dialog } from "./state";

/** What keys can ask of the room. */
export interface RoomActions {
  readonly choose: (nth: number) => void;
  readonly turn: (step: 1 | -1) => void;
  readonly confirm: () => void;
  readonly back: () => void;
  readonly escape: () => void;
  readonly open: (dialog: Dialog) => void;
  readonly pick: (nth: number) => void;
  readonly remark: (kind: RemarkKind) => void;
  readonly suggest: () => void;
  readonly takeBack: () => void;
  readonly takeSuggestion: () => void;
  readonly takeAll: () => void;
  readonly leaveSuggestion: () => void;
  readonly nextSuggestion: () => void;
  readonly use: (tool: PointerTool) => void;
  readonly draw: () => void;
  readonly removeRegion: () => void;
  readonly nextRegion: () => void;
  readonly erase: () => void;
  readonly brush: (factor: number) => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly adjust: (right: number, down: number) => void;
  readonly press: () => void;
  readonly zoom: (factor: number) => void;
  readonly scroll: (slices: number) => void;
  readonly preset: (nth: number) => void;
  readonly rotate: () => void;
  readonly flip: (direction: "horizontal" | "vertical") => void;
  readonly invert: () => void;
  readonly fit: () => void;
  readonly layout: () => void;
  readonly turnPlanes: (degrees: number) => void;
  readonly changeTheme: () => void;
}

export interface Binding {
  /** Name of the act, as it is kept on the server. */
  readonly act: string;
  /** As `chord` writes them. */
  readonly chords: readonly string[];
  readonly what: WordKey;
  readonly group: "group_reading" | "group_image" | "group_drawing";
  /** Every reader's: muscle memory and screen readers rely on it. */
  readonly isFixed?: boolean;
  readonly run: (actions: RoomActions, nth: number) => void;
}

/** Acts with other keys than the table's. */
export type KeyChanges = Readonly<Record<string, readonly string[]>>;
export const NO_CHANGES: KeyChanges = {};

const DIGITS: readonly string[] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const STEP = 15;
const FAR = 5;
const ENDS = 100_000;
const CLOSER = 1.25;
const LARGER = 1.3;
/** Degrees. */
const TURN = 5;

type Row = readonly [
  act: string,
  chords: readonly string[],
  what: WordKey,
  run: (actions: RoomActions, nth: number) => void,
];

const inGroup = (group: Binding["group"], rows: readonly Row[], isFixed = false): Binding[] =>
  rows.map(([act, chords, what, run]) => ({ act, chords, what, group, isFixed, run }));

const FIXED = inGroup(
  "group_reading",
  [
    ["choose", DIGITS, "key_choose", (room, nth) => room.choose(nth)],
    ["confirm", ["enter"], "key_confirm", (room) => room.confirm()],
    ["escape", ["escape"], "key_escape", (room) => room.escape()],
    ["previous_question", ["arrowleft"], "key_previous_question", (room) => room.turn(-1)],
    ["next_question", ["arrowright"], "key_next_question", (room) => room.turn(1)],
  ],
  true,
);

const READING = inGroup("group_reading", [
  ["back", ["z"], "key_back", (room) => room.back()],
  ["skip", ["s"], "key_skip", (room) => room.open("skip")],
  ["unreadable", ["x"], "key_unreadable", (room) => room.open("unreadable")],
  ["comment", ["c"], "key_comment", (room) => room.remark("comment")],
  ["flag", ["g"], "key_flag", (room) => room.remark("flag")],
  ["ask", ["q"], "key_ask", (room) => room.remark("question")],
  ["today", ["l"], "key_today", (room) => room.open("today")],
  ["suggestion", ["a"], "key_suggestion", (room) => room.suggest()],
  ["take_suggestion", ["t"], "key_take_suggestion", (room) => room.takeSuggestion()],
  ["take_all", ["."], "key_take_all", (room) => room.takeAll()],
  ["leave_suggestion", ["j"], "key_leave_suggestion", (room) => room.leaveSuggestion()],
  ["next_suggestion", [","], "key_next_suggestion", (room) => room.nextSuggestion()],
  ["take_back", ["b"], "key_take_back", (room) => room.takeBack()],
  ["keys", ["?"], "key_keys", (room) => room.open("keys")],
]);

const IMAGE = inGroup("group_image", [
  ["slice_back", ["arrowup"], "key_slice_back", (room) => room.scroll(-1)],
  ["slice_on", ["arrowdown"], "key_slice_on", (room) => room.scroll(1)],
  ["slices_back", ["pageup"], "key_slices_back", (room) => room.scroll(-FAR)],
  ["slices_on", ["pagedown"], "key_slices_on", (room) => room.scroll(FAR)],
  ["first_slice", ["home"], "key_first_slice", (room) => room.scroll(-ENDS)],
  ["last_slice", ["end"], "key_last_slice", (room) => room.scroll(ENDS)],
  ["window", ["w"], "key_window", (room) => room.use("window")],
  ["preset", DIGITS.map((digit) => `shift+${digit}`), "key_preset", (room, nth) => room.preset(nth)],
  ["pan", ["p"], "key_pan", (room) => room.use("pan")],
  ["magnify", ["m"], "key_zoom", (room) => room.use("zoom")],
  ["probe", ["o"], "key_probe", (room) => room.use("probe")],
  ["larger", ["+", "="], "key_larger", (room) => room.zoom(CLOSER)],
  ["smaller", ["-"], "key_smaller", (room) => room.zoom(1 / CLOSER)],
  ["rotate", ["r"], "key_rotate", (room) => room.rotate()],
  ["flip_across", ["h"], "key_flip_across", (room) => room.flip("horizontal")],
  ["flip_down", ["v"], "key_flip_down", (room) => room.flip("vertical")],
  ["invert", ["i"], "key_invert", (room) => room.invert()],
  ["fit", ["f"], "key_fit", (room) => room.fit()],
  ["layout", ["k"], "key_layout", (room) => room.layout()],
  ["planes_left", [";"], "key_planes_left", (room) => room.turnPlanes(-TURN)],
  ["planes_right", ["'"], "key_planes_right", (room) => room.turnPlanes(TURN)],
]);

const DRAWING = inGroup("group_drawing", [
  ["draw", ["d"], "key_draw", (room) => room.draw()],
  ["press", [" "], "key_press", (room) => room.press()],
  ["tool_up", ["shift+arrowup"], "key_tool_up", (room) => room.adjust(0, -STEP)],
  ["tool_down", ["shift+arrowdown"], "key_tool_down", (room) => room.adjust(0, STEP)],
  ["tool_left", ["shift+arrowleft"], "key_tool_left", (room) => room.adjust(-STEP, 0)],
  ["tool_right", ["shift+arrowright"], "key_tool_right", (room) => room.adjust(STEP, 0)],
  ["undo", ["ctrl+z", "u"], "key_undo", (room) => room.undo()],
  ["redo", ["ctrl+y", "y"], "key_redo", (room) => room.redo()],
  ["next_region", ["n"], "key_next_region", (room) => room.nextRegion()],
  ["remove_region", ["delete", "backspace"], "key_remove_region", (room) => room.removeRegion()],
  ["erase", ["e"], "key_erase", (room) => room.erase()],
  ["brush_smaller", ["["], "key_brush_smaller", (room) => room.brush(1 / LARGER)],
  ["brush_larger", ["]"], "key_brush_larger", (room) => room.brush(LARGER)],
]);

export const BINDINGS: readonly Binding[] = [...FIXED, ...READING, ...IMAGE, ...DRAWING];

/** The table with a reader's own keys. */
export const bindingsWith = (changes: KeyChanges): readonly Binding[] =>
  BINDINGS.map((binding) => {
    const own = binding.isFixed ? undefined : changes[binding.act];
    return own ? { ...binding, chords: own } : binding;
  });

/** What else a key does already; null where it is free. */
export const conflictOf = (changes: KeyChanges, act: string, pressed: string): Binding | null =>
  bindingsWith(changes).find((other) => other.act !== act && other.chords.includes(pressed)) ?? null;

/** Keys with another one for an act; the table's own key leaves no change behind. */
export const withKey = (changes: KeyChanges, act: string, pressed: string): KeyChanges => {
  const { [act]: _, ...others } = changes;
  const isOwn = BINDINGS.find((binding) => binding.act === act)?.chords[0] === pressed;
  return isOwn ? others : { ...others, [act]: [pressed] };
};

/** Shortcuts with Ctrl or Cmd that are the room's; all others are the browser's. */
const WITH_CONTROL = new Set(["z", "y"]);

type Press = Pick<KeyboardEvent, "key" | "code" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

const withControl = ({ key, shiftKey, altKey }: Press): string | null => {
  const letter = key.toLowerCase();
  if (altKey || !WITH_CONTROL.has(letter)) return null;
  return letter === "z" && shiftKey ? "ctrl+y" : `ctrl+${letter}`;
};

/** A key press in the table's spelling; null where a browser's own shortcut is meant. */
export const chord = (event: Press): string | null => {
  if (event.ctrlKey || event.metaKey) return withControl(event);
  if (event.altKey) return null;
  const key = event.key.toLowerCase();
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (event.shiftKey && digit) return `shift+${digit}`;
  return event.shiftKey && key.startsWith("arrow") ? `shift+${key}` : key;
};

const NAMES: Readonly<Record<string, string>> = {
  enter: "Enter",
  escape: "Esc",
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  pageup: "Page ↑",
  pagedown: "Page ↓",
  home: "Home",
  end: "End",
  delete: "Del",
  backspace: "⌫",
  " ": "Space",
  "-": "−",
  shift: "Shift",
  ctrl: "Ctrl",
};

const nameOf = (key: string): string => NAMES[key] ?? key.toUpperCase();

/** A chord as keycaps. */
export const keycaps = (pressed: string): readonly string[] =>
  pressed === "+" ? ["+"] : pressed.split("+").map(nameOf);

/** The first keys of an act, as the help page and the buttons show them. */
export const shownKeys = ({ chords }: Binding): readonly string[] => {
  if (chords.length < DIGITS.length) return chords[0] ? keycaps(chords[0]) : [];
  const held = chords[0]?.startsWith("shift+") ? ["Shift"] : [];
  return [...held, "1", "…", "9"];
};

/** What a key does while a dialog is open; null where it does nothing. */
const inDialog = (dialog: Dialog, pressed: string): ((actions: RoomActions) => void) | null => {
  if (pressed === "escape" || (dialog === "keys" && pressed === "?")) return (room) => room.escape();
  const nth = DIGITS.indexOf(pressed);
  return nth >= 0 ? (room) => room.pick(nth) : null;
};

/** What a key does; null where it is not ours. */
export const actionFor = (
  dialog: Dialog,
  pressed: string,
  bindings: readonly Binding[] = BINDINGS,
): ((actions: RoomActions) => void) | null => {
  if (dialog !== "none") return inDialog(dialog, pressed);
  const binding = bindings.find(({ chords }) => chords.includes(pressed));
  return binding ? (room) => binding.run(room, binding.chords.indexOf(pressed)) : null;
};

const ACTS_ON_ENTER = "a, button, summary, select";
const TAKES_ARROWS = "input, textarea, select, [role=radiogroup] *";
const TAKES_WORDS = "textarea, input[type=text]:not([inputmode=decimal]), select";
const TAKES_NUMBERS = "input[inputmode=decimal], input[type=range]";
const OF_NUMBERS = /^([0-9.,\-+]|backspace|delete|home|end|arrow.*|ctrl\+.)$/;

/** Whether the focused element needs the key itself. */
export const belongsToFocus = (target: Element | null, pressed: string): boolean => {
  if (!target) return false;
  if (pressed === "enter") return target.matches(ACTS_ON_ENTER);
  if (pressed === "escape") return false;
  if (pressed === " ") return target.matches("input, textarea, select, button, summary, a");
  if (target.matches(TAKES_WORDS)) return true;
  if (target.matches(TAKES_NUMBERS)) return OF_NUMBERS.test(pressed);
  return pressed.startsWith("arrow") && target.matches(TAKES_ARROWS);
};
