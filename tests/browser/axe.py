"""What axe-core finds wrong with a page as it is (WCAG 2.2 AA)."""

from typing import Any

from playwright.sync_api import Page

from tests.servers import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """Name each rule that is broken, with the first place that breaks it."""
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(({violations}) => violations)", RULES
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]
