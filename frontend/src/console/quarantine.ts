/** The element that a key presses or follows: each is on the page only where it can be used. */
const TARGETS: Readonly<Record<string, string>> = {
  c: "[data-key-clear]",
  d: "[data-key-discard]",
  ArrowDown: "[data-key-next]",
  ArrowRight: "[data-key-next]",
  ArrowUp: "[data-key-previous]",
  ArrowLeft: "[data-key-previous]",
};

/** C clears, D discards, arrows go to the next and the previous held file. */
export function quarantineKeys(): void {
  if (!document.querySelector("[data-quarantine]")) return;
  document.querySelector('.held [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const selector = TARGETS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const target = selector ? document.querySelector<HTMLElement>(selector) : null;
    if (!target || isEntry(event.target)) return;
    event.preventDefault();
    target.click();
  });
}

function isEntry(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}
