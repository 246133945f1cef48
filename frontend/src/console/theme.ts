const KEY = "fovea-theme";

/** The theme that is on screen now: the kept choice, else the system's. */
function shown(): "dark" | "light" {
  const kept = document.documentElement.dataset.theme;
  if (kept === "dark" || kept === "light") return kept;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** Let every [data-theme-toggle] change the theme and keep it. */
export function themeToggles(): void {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const next = shown() === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      localStorage.setItem(KEY, next);
    });
  }
}
