import { openMasking } from "./masking";

/** The element that a key presses or follows: each is on the page only where it can be used. */
const TARGETS: Readonly<Record<string, string>> = {
  c: "[data-key-clear]",
  d: "[data-key-discard]",
  m: "[data-boxes-form]:not([hidden]) [data-key-mask]",
  a: "[data-boxes-form]:not([hidden]) [data-key-alike]",
  b: "[data-key-return]",
  ArrowDown: "[data-key-next]",
  ArrowRight: "[data-key-next]",
  ArrowUp: "[data-key-previous]",
  ArrowLeft: "[data-key-previous]",
};

/** C clears, M masks, A masks all alike, D discards, B brings back; keys of the boxes come first; arrows go to the next and the previous held file. */
export function quarantineKeys(): void {
  if (!document.querySelector("[data-quarantine]")) return;
  document.querySelector('.held [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  const boxKeys = openMasking();
  document.addEventListener("keydown", (event) => {
    if (!isOurs(event)) return;
    if (boxKeys(event) || isPressed(event.key)) event.preventDefault();
  });
}

/** Whether a key is meant for the page: no dialog is open, nothing is typed, no browser's own short cut. */
function isOurs(event: KeyboardEvent): boolean {
  if (document.querySelector("dialog[open]") || isEntry(event.target)) return false;
  return !event.metaKey && !event.altKey && (!event.ctrlKey || event.key === "z");
}

/** Press or follow what a key stands for, where it can be used. */
function isPressed(key: string): boolean {
  const selector = TARGETS[key.length === 1 ? key.toLowerCase() : key];
  const target = selector ? document.querySelector<HTMLElement>(selector) : null;
  target?.click();
  return target !== null;
}

function isEntry(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}
