"""An administrator writes hanging rules by a form, in a real browser: form and JSON in step, by keys."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import an_administrator, new_project, own_page, sign_in
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
SAVED = """
import json
from annotation.projects.models import Project
print(json.dumps(Project.objects.get(pk={project!r}).hanging_rules))
"""


@pytest.fixture(scope="module")
def administrator(fovea: Fovea) -> str:
    return an_administrator(fovea, "h.editor")


@pytest.fixture
def project(fovea: Fovea, request: pytest.FixtureRequest) -> str:
    return new_project(fovea, request.node.name[:100], "hanging-staff")


@pytest.fixture
def page(chromium: Browser, fovea: Fovea, administrator: str, project: str) -> Iterator[Page]:
    with own_page(chromium, fovea) as opened:
        sign_in(opened, administrator)
        opened.goto(f"/projects/{project}/hanging")
        opened.locator("[data-hanging=ready]").wait_for()
        yield opened


def written(page: Page) -> Any:
    """What the JSON says."""
    return json.loads(page.locator("#rules").input_value())


def add(page: Page, name: str) -> None:
    """Add a rule and name it: the name is what is typed first."""
    page.get_by_role("button", name="Add a rule").press("Enter")
    page.keyboard.type(name)


def test_a_rule_is_written_by_the_form_previewed_and_saved(page: Page, fovea: Fovea, project: str) -> None:
    add(page, "T2 in planes")
    page.get_by_label("Hung as").select_option("mpr")
    page.get_by_label("Modality", exact=True).fill("mr")
    page.get_by_label("Description has").fill("t2, axial")
    page.get_by_label("Left", exact=True).check()
    page.get_by_label("Images, at least").fill("20")
    page.get_by_label("Images, at least").press("Tab")
    when = {"modality": ["MR"], "description": ["T2", "AXIAL"], "laterality": ["L"], "frames_at_least": 20}
    expected = [{"name": "T2 in planes", "when": when, "layout": "mpr"}]
    assert written(page) == expected
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_text("A preview: nothing is saved yet.")).to_be_visible()
    page.locator("[data-hanging=ready]").wait_for()
    assert written(page) == expected
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".notices")).to_contain_text("Saved.")
    assert json.loads(fovea.run(SAVED.format(project=project))) == expected


def test_rules_are_moved_and_removed_by_keys_and_the_focus_stays(page: Page) -> None:
    for name in ("One", "Two", "Three"):
        add(page, name)
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.type("!")
    assert [rule["name"] for rule in written(page)] == ["Three!", "One", "Two"]
    page.get_by_role("button", name="Move rule 1 down").press("Enter")
    page.get_by_role("button", name="Remove rule 3").press("Enter")
    assert [rule["name"] for rule in written(page)] == ["One", "Three!"]
    expect(page.locator(".hanging-rule input").first).to_be_focused()


def test_the_json_changes_the_form_and_what_is_broken_says_so(page: Page) -> None:
    page.get_by_role("button", name="JSON", exact=True).click()
    rule = {"name": "Lungs", "when": {"modality": ["CT"]}, "layout": "stack", "preset": "Lung"}
    page.locator("#rules").fill(json.dumps([rule]))
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.get_by_label("Window")).to_have_value("Lung")
    page.get_by_role("button", name="JSON", exact=True).click()
    page.locator("#rules").fill("[{]")
    expect(page.get_by_role("button", name="Form", exact=True)).to_be_disabled()
    expect(page.get_by_text("Not a list of rules yet")).to_be_visible()


def test_a_word_that_is_not_kept_is_refused_and_can_be_mended(page: Page) -> None:
    add(page, "By name")
    page.get_by_label("Description has").fill("smith")
    page.get_by_label("Description has").press("Tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("no word that is kept of descriptions")
    expect(page.get_by_label("Description has")).to_have_value("SMITH")


def test_the_form_is_accessible_in_both_themes(page: Page) -> None:
    add(page, "One")
    add(page, "Two")
    assert violations_in_both_themes(page) == {}
