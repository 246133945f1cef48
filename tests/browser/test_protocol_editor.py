"""An administrator changes what is asked, in a real browser: form, JSON and server in step, nothing lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import an_administrator, new_project, own_page, sign_in
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
IN_FORCE = """
import json
from annotation.projects.selectors import protocol_in_force
found = protocol_in_force({project!r})
print(json.dumps([found.version, found.questions, found.settings]))
"""


@pytest.fixture(scope="module")
def administrator(fovea: Fovea) -> str:
    return an_administrator(fovea, "p.editor")


@pytest.fixture
def project(fovea: Fovea, request: pytest.FixtureRequest) -> str:
    return new_project(fovea, request.node.name[:100], "protocol-staff")


@pytest.fixture
def page(chromium: Browser, fovea: Fovea, administrator: str, project: str) -> Iterator[Page]:
    """The editor, open and checked by the server."""
    with own_page(chromium, fovea) as opened:
        sign_in(opened, administrator)
        opened.goto(f"/projects/{project}/protocol")
        checked(opened)
        yield opened


def checked(page: Page) -> None:
    page.locator("[data-protocol-ready=checked]").wait_for()


def written(page: Page) -> Any:
    """What the JSON says."""
    return json.loads(page.locator("#protocol-document").input_value())


def in_force(fovea: Fovea, project: str) -> Any:
    return json.loads(fovea.run(IN_FORCE.format(project=project)))


def save(page: Page) -> None:
    page.get_by_role("button", name="Save as version").click()
    expect(page.locator(".notices")).to_contain_text("is in force")
    checked(page)


def test_a_question_is_added_by_the_form_alone_and_saved(page: Page, fovea: Fovea, project: str) -> None:
    page.get_by_role("button", name="Several answers", exact=True).click()
    page.keyboard.type("Which signs are there?")
    card = page.locator(".question-card").nth(1)
    card.get_by_label("Words of choice 1").fill("Mass")
    card.get_by_label("Words of choice 2").fill("Effusion")
    card.get_by_role("button", name="Add a choice").click()
    card.get_by_label("Words of choice 3").fill("Pleural thickening")
    card.get_by_role("button", name="Move choice 3 up").click()
    card.get_by_role("button", name="Ask it only where …").click()
    card.get_by_label("Pneumonia").check()
    card.get_by_label("Most choices").fill("2")
    page.get_by_label("Go on to the next case by itself").check()
    expect(page.locator(".protocol-save summary")).to_have_text("2 changes to version 1")
    save(page)
    version, questions, settings = in_force(fovea, project)
    assert (version, settings) == (2, {"auto_advance": True})
    assert questions[1] == {
        "key": "which_signs_are_there",
        "prompt": "Which signs are there?",
        "kind": "multi",
        "when": {"question": "finding", "is": "pneumonia"},
        "choices": [
            {"value": "mass", "label": "Mass"},
            {"value": "pleural_thickening", "label": "Pleural thickening"},
            {"value": "effusion", "label": "Effusion"},
        ],
        "max": 2,
    }
    expect(page.locator(".protocol-versions tbody tr").first).to_contain_text(
        "Question “which_signs_are_there” is new"
    )


def test_form_and_json_stay_in_step(page: Page) -> None:
    page.locator(".question-title").first.click()
    page.get_by_label("What readers are asked").fill("So what?")
    assert written(page)["questions"][0]["prompt"] == "So what?"
    page.get_by_role("button", name="JSON", exact=True).click()
    changed = written(page)
    changed["questions"].append({"key": "note", "prompt": "Why?", "kind": "text"})
    page.locator("#protocol-document").fill(json.dumps(changed))
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.locator(".question-card")).to_have_count(2)
    expect(page.locator(".question-title").nth(1)).to_contain_text("Why?")


def test_what_is_wrong_is_told_at_its_question_while_it_is_typed(page: Page) -> None:
    page.locator(".question-title").first.click()
    page.get_by_label("Name in the data").fill("Not a key")
    expect(page.locator(".question-card.wrong .problem")).to_contain_text("begin with a letter a – z")
    expect(page.get_by_role("button", name="Save as version 2")).to_be_disabled()
    page.get_by_role("button", name="JSON", exact=True).click()
    page.locator("#protocol-document").fill("{")
    expect(page.locator(".protocol-save")).to_contain_text("Not JSON yet")
    expect(page.get_by_role("button", name="Form", exact=True)).to_be_disabled()


def test_questions_are_moved_copied_and_deleted(page: Page) -> None:
    page.get_by_role("button", name="Copy question 1").click()
    page.get_by_role("button", name="Words", exact=True).click()
    page.get_by_role("button", name="Move question 3 up").click()
    assert [one["kind"] for one in written(page)["questions"]] == ["single", "text", "single"]
    assert written(page)["questions"][2]["key"] == "finding_2"
    page.get_by_role("button", name="Delete question 1").click()
    assert [one["kind"] for one in written(page)["questions"]] == ["text", "single"]


def test_a_ready_made_protocol_is_tried_in_the_preview_before_it_is_saved(
    page: Page, fovea: Fovea, project: str
) -> None:
    page.locator("[data-protocol-template]").select_option("lung_nodule")
    expect(page.locator("[data-protocol-editor] > .notice")).to_contain_text("Fleischner")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview).to_contain_text("Is there a lung nodule?")
    expect(preview).not_to_contain_text("Measure each nodule")
    preview.get_by_role("radio", name="Nodule", exact=True).check()
    expect(preview).to_contain_text("Measure each nodule")
    expect(preview).to_contain_text("Right upper lobe")
    save(page)
    assert in_force(fovea, project)[1][1]["kind"] == "bidirectional"


def test_two_administrators_do_not_overwrite_each_other(page: Page, fovea: Fovea, project: str) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    checked(other)
    for one, words in ((other, "First?"), (page, "Second?")):
        one.locator(".question-title").first.click()
        one.get_by_label("What readers are asked").fill(words)
    save(other)
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.locator("[data-protocol-refused]")).to_contain_text("Version 2 was saved since you opened")
    assert written(page)["questions"][0]["prompt"] == "Second?"
    assert in_force(fovea, project)[1][0]["prompt"] == "First?"


def test_leaving_with_changes_asks_first(page: Page) -> None:
    page.get_by_role("button", name="Number", exact=True).click()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.goto("/")
    assert asked == ["beforeunload"]


def test_the_editor_can_be_used_by_everybody(page: Page) -> None:
    page.locator("[data-protocol-template]").select_option("brain_tumour")
    for title in page.locator(".question-title").all():
        title.click()
    expect(page.get_by_role("button", name="Save as version 2")).to_be_enabled()
    assert violations_in_both_themes(page) == {}
