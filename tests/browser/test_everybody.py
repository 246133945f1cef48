"""Everybody can use every state of the reading room: axe on real content, both themes, zoomed, in Chinese."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.desk import NODULES, ask, drag, mark_a_lesion, one_key, predict, question
from tests.browser.reading import Room, new_context, open_room
from tests.browser.serving import Fovea, launch

pytestmark = pytest.mark.browser
READERS = [f"everybody{number}" for number in range(16)]
DIALOGS = {"s": "skip", "x": "cannot read", "g": "flag", "c": "comment", "q": "ask", "?": "keys"}


def in_both_themes(room: Room, state: str) -> dict[str, list[str]]:
    found = violations_in_both_themes(room.page)
    return {f"{state}, {theme}": wrong for theme, wrong in found.items()}


def blur(room: Room) -> None:
    room.page.evaluate("document.activeElement.blur()")


def test_every_form_and_dialog_can_be_used_by_everybody(room: Room) -> None:
    found = in_both_themes(room, "a case")
    room.press("2", "1", "Enter")
    found |= in_both_themes(room, "problems")
    room.press("1")
    blur(room)
    room.press("d")
    drag(room, (0.3, 0.3), (0.5, 0.5))
    found |= in_both_themes(room, "a region")
    for key, state in DIALOGS.items():
        blur(room)
        room.press(key)
        room.page.locator("dialog[open]").wait_for()
        found |= in_both_themes(room, state)
        room.press("Escape")
    assert found == {}


def test_what_comes_after_reading_can_be_used_by_everybody(room: Room) -> None:
    room.answer(1)
    room.saving("All saved")
    room.press("l")
    room.page.locator(".today tbody tr").first.wait_for()
    found = in_both_themes(room, "today")
    room.page.locator(".today .link").first.click()
    room.wait_for("Revising your reading")
    found |= in_both_themes(room, "revising")
    room.press("Escape")
    room.page.get_by_text("Revising your reading").first.wait_for(state="hidden")
    room.shown()
    room.page.context.set_offline(True)
    room.press("1", "Enter")
    room.page.locator("[data-banner=offline]").wait_for()
    found |= in_both_themes(room, "offline")
    assert found == {}


@pytest.mark.parametrize(("width", "height"), [(1024, 640), (853, 533), (640, 400)])
def test_the_room_can_be_used_at_every_zoom(room: Room, width: int, height: int) -> None:
    """1280 by 800 at 125, 150 and 200 %: nothing is cut off to the side, Submit and image stay in sight."""
    room.page.set_viewport_size({"width": width, "height": height})
    room.press("2")
    question(room, "severity").wait_for()
    beyond = room.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    side = room.page.locator(".side").evaluate("side => side.scrollWidth - side.clientWidth")
    assert (beyond, side) == (0, 0)
    expect(room.page.locator(".submit")).to_be_in_viewport(ratio=0.9)
    box = room.page.locator(".canvas").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 280
    room.page.set_viewport_size({"width": 700, "height": 500})


def in_chinese(room: Room) -> None:
    """Turn the room into Chinese."""
    blur(room)
    room.press("?")
    with room.page.expect_navigation():
        room.page.get_by_label("Language").select_option("zh-hans")
    room.shown()


KEYS = {"Ctrl", "Del", "End", "Enter", "Esc", "Home", "Page", "Shift", "Space"}
LATIN = """selectors => selectors.flatMap(selector => [...document.querySelectorAll(selector)])
  .flatMap(part => [part, ...part.querySelectorAll('*')])
  .flatMap(one => [
    ...[...one.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data),
    ...['aria-label', 'title', 'placeholder'].map(name => one.getAttribute(name) ?? ''),
  ])
  .flatMap(text => text.match(/[A-Za-z][A-Za-z-]+/g) ?? [])"""


def english_in(room: Room, *selectors: str) -> set[str]:
    """Words that are not Chinese, but for names: of keys, of people, of the project, of a language."""
    found = set(room.page.evaluate(LATIN, list(selectors))) - KEYS
    return {word for word in found - {"English", "DX", "test"} if "everybody" not in word}


def test_every_form_and_dialog_can_be_used_by_everybody_in_chinese(room: Room) -> None:
    in_chinese(room)
    mark_a_lesion(room)
    found = in_both_themes(room, "a form")
    words = english_in(
        room, ".room-bar", ".rail", ".case-head", ".why", ".besides", ".side-foot", ".optional"
    )
    for key, state in DIALOGS.items():
        blur(room)
        room.press(key)
        room.page.locator("dialog[open]").wait_for()
        found |= in_both_themes(room, state)
        words |= english_in(room, "dialog[open]")
        room.press("Escape")
    blur(room)
    room.press("k")
    room.wait_for("图像缺少患者坐标位置。")
    assert found == {}
    assert words == set()


@pytest.mark.parametrize(("width", "height"), [(1024, 640), (640, 400)])
def test_a_form_can_be_used_by_everybody_at_every_zoom(room: Room, width: int, height: int) -> None:
    room.page.set_viewport_size({"width": width, "height": height})
    mark_a_lesion(room)
    found = in_both_themes(room, "a form")
    blur(room)
    room.press("?")
    room.page.locator("dialog[open]").wait_for()
    found |= in_both_themes(room, "keys")
    room.page.set_viewport_size({"width": 700, "height": 500})
    assert found == {}


def test_what_happens_to_a_case_can_be_used_by_everybody(
    room: Room, chromium: Browser, fovea: Fovea, names: Iterator[str]
) -> None:
    colleague = next(names)
    room.press("q")
    room.page.get_by_label("Whom").select_option(colleague)
    room.page.get_by_label("Your question").fill("Is this a nodule?")
    room.page.get_by_role("button", name="Send").click()
    room.saving("All saved")
    room.press("1")
    room.saving("Draft saved")
    room.post(f"leases/{room.mine()['cases'][0]['lease_id']}", method="DELETE")

    other = open_room(new_context(chromium), fovea, room.project_id, colleague)
    other.enter()
    other.page.get_by_role("button", name="1 question for you").click()
    other.page.locator("dialog[open]").wait_for()
    found = in_both_themes(other, "questions of colleagues")
    other.page.locator("dialog .link, dialog li button").first.click()
    other.page.get_by_label("Your reply").wait_for()
    found |= in_both_themes(other, "a colleague's question")
    other.page.context.close()

    room.press("Enter")
    room.page.locator(".lost-answer").wait_for()
    found |= in_both_themes(room, "a lost case")
    assert found == {}


def test_the_end_of_the_list_can_be_used_by_everybody(
    context: BrowserContext, fovea: Fovea, real_data: Path, tmp_path: Path
) -> None:
    one = next(iter(sorted((real_data / "nuclei" / "images").glob("*.png"))))
    (tmp_path / one.name).write_bytes(one.read_bytes())
    project_id = ask(fovea, tmp_path, "Everybody, one", ["end"], one_key(), modality="GM", choices="a,b")
    last = open_room(context, fovea, project_id, "end")
    last.enter()
    last.press("1", "Enter")
    last.wait_for("All read")
    assert in_both_themes(last, "all read") == {}
    last.page.close()


def test_a_suggestion_shown_or_withheld_can_be_used_by_everybody(
    context: BrowserContext, fovea: Fovea, delivery: Path
) -> None:
    document = one_key(suggestions="on_demand", control_share=0.0)
    project_id = ask(fovea, delivery, "Everybody, hints", ["hinted"], document, modality="DX")
    predict(fovea, "Everybody, hints", {"normal": 0.2, "abnormal": 0.8})
    hinted = open_room(context, fovea, project_id, "hinted")
    hinted.enter()
    found = in_both_themes(hinted, "withheld")
    hinted.press("a")
    hinted.page.locator("[data-suggestion]").wait_for()
    found |= in_both_themes(hinted, "shown")
    hinted.page.close()
    assert found == {}


def test_a_browser_without_webgl_says_so_and_measures_paints_and_reformats_all_the_same(
    chromium: Browser, fovea: Fovea, real_data: Path
) -> None:
    series = real_data / "chest_ct" / "Lung_Dx-A0001" / "dicom"
    project_id = ask(fovea, series, "Everybody, plain", ["plain"], NODULES, choices="a,b")
    browser = launch(chromium.browser_type, "--disable-3d-apis")
    room = open_room(new_context(browser), fovea, project_id, "plain")
    room.enter()
    assert room.page.evaluate("document.createElement('canvas').getContext('webgl2') === null")
    expect(room.page.locator("[data-banner=plain]")).to_contain_text("no WebGL2")
    assert in_both_themes(room, "without WebGL2") == {}

    drag(room, (0.4, 0.4), (0.55, 0.4))
    expect(question(room, "nodules").locator(".region-measure")).to_contain_text("mm")
    question(room, "parts").locator("legend").click()
    drag(room, (0.5, 0.5), (0.6, 0.55))
    room.saving("Draft saved")
    blur(room)
    room.press("k")
    room.page.wait_for_function("document.querySelectorAll('.pane').length >= 3")
    room.press("Enter")
    room.wait_for("All read")
    room.saving("All saved")
    answers = room.api(f"projects/{project_id}/readings/last")["answers"]
    assert set(answers["parts"]["classes"]) == {"core"}
    assert len(answers["nodules"]) == 1
    assert room.errors == []
    browser.close()
