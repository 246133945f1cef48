// Runs before the first paint, so that a kept choice of theme never flashes. The toggle itself is in console.ts.
(() => {
  const kept = localStorage.getItem("fovea-theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
