/**
 * Server-sent events: <div data-events="url"> gets an htmx "changed" trigger for each of its [data-on-event="name"]
 * when the server says so. The browser reconnects by itself; a line says when the page is not live.
 */
export function followEvents(trigger: (element: Element) => void): void {
  for (const root of document.querySelectorAll<HTMLElement>("[data-events]")) {
    const url = root.dataset.events;
    if (url) follow(root, url, trigger);
  }
}

function follow(root: HTMLElement, url: string, trigger: (element: Element) => void): void {
  const source = new EventSource(url);
  const state = root.querySelector<HTMLElement>("[data-live-state]");
  const say = (live: boolean) => {
    if (!state) return;
    state.textContent = live ? "Live" : "Reconnecting";
    state.className = live ? "badge ok" : "badge warn";
  };
  source.addEventListener("open", () => say(true));
  source.addEventListener("error", () => say(false));
  const names = new Set(
    [...root.querySelectorAll<HTMLElement>("[data-on-event]")].map(
      (element) => element.dataset.onEvent ?? "",
    ),
  );
  for (const name of names) {
    source.addEventListener(name, () => {
      for (const element of root.querySelectorAll(`[data-on-event="${name}"]`)) trigger(element);
    });
  }
  addEventListener("pagehide", () => source.close());
}
