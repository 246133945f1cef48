"""What axe-core finds wrong with a page as it is (WCAG 2.2 AA)."""

from typing import Any

from playwright.sync_api import Page

from tests.servers import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
THEMED = "theme => { document.documentElement.dataset.theme = theme }"
SETTLED = """async () => {
  await new Promise(done => requestAnimationFrame(done));
  const passing = document.getAnimations().filter(one => one.effect?.getTiming().iterations !== Infinity);
  await Promise.allSettled(passing.map(one => one.finished));
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """Name each rule that is broken once colours have come, with the first place that breaks it."""
    page.evaluate(SETTLED)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(({violations}) => violations)", RULES
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


def violations_in_both_themes(page: Page) -> dict[str, list[str]]:
    """Name the rules that are broken in either theme."""
    found = {}
    for theme in ("dark", "light"):
        page.evaluate(THEMED, theme)
        found[theme] = violations(page)
    return {theme: wrong for theme, wrong in found.items() if wrong}
