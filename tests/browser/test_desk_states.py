"""Whatever happens beside the reading: nothing is lost, nothing is hidden, and everybody can use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.desk import CHEST, ask, drag, one_key, predict, question
from tests.browser.reading import Room, new_context, open_room, small_delivery
from tests.browser.serving import Fovea
from tests.servers import ROOT

pytestmark = pytest.mark.browser
READERS = [f"state{number}" for number in range(16)]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
KILLS = 8
DIALOGS = {"s": "skip", "x": "cannot read", "g": "flag", "c": "comment", "q": "ask", "?": "keys"}


@pytest.fixture(scope="module")
def delivery(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("delivery"), 60)


@pytest.fixture(scope="module")
def project_id(fovea: Fovea, delivery: Path) -> str:
    """Real chest X-rays, asked about in every way that a form can."""
    return ask(fovea, delivery, "States", READERS, CHEST, modality="DX")


def mark_a_lesion(room: Room) -> None:
    """Answer all that an abnormal image asks, and draw one box."""
    room.press("2", "1", "ArrowRight", "1")
    room.page.evaluate("document.activeElement.blur()")
    room.press("d")
    drag(room, (0.3, 0.3), (0.5, 0.5))
    question(room, "lesions").locator(".region").wait_for()


def journal(room: Room) -> list[str]:
    """What the browser keeps of this reader's work."""
    mine = f"fovea-journal/{room.reader_id}/"
    kept = "mine => Object.entries(localStorage).filter(([key]) => key.startsWith(mine))"
    found: list[str] = room.page.evaluate(f"{kept}.map(([, text]) => text)", mine)
    return found


def test_strokes_survive_a_browser_that_is_killed_whenever_it_may_be(room: Room) -> None:
    mark_a_lesion(room)
    room.press("2")
    page = room.page
    for moment in range(KILLS):
        page.wait_for_timeout(moment * 90)
        page.close(run_before_unload=False)
        again = Room.of(room.page.context, room.url, room.project_id)
        again.enter()
        page = again.page
        expect(question(again, "lesions").locator(".region")).to_have_count(1)
        expect(question(again, "severity").locator("input:checked")).to_have_count(1)


def test_strokes_made_without_a_connection_are_sent_once_and_the_journal_is_empty_again(room: Room) -> None:
    here, room.reader_id = room.shown(), room.api("session")["user"]["id"]
    room.page.context.set_offline(True)
    mark_a_lesion(room)
    room.press("2", "Enter")
    room.shown(other_than=here)
    room.page.locator("[data-banner=offline]").wait_for()
    kept = "".join(journal(room))
    assert '"lesions"' in kept
    for private in ("PatientName", "PatientID", "StudyDate", 'attributes":{"Rows'):
        assert private not in kept

    room.page.context.set_offline(False)

    room.saving("All saved")
    assert journal(room) == []
    (box,) = room.api(f"projects/{room.project_id}/readings/last")["answers"]["lesions"]
    assert box["attributes"] == {"certainty": "high"}


def test_a_form_half_filled_in_survives_a_session_that_expired(room: Room) -> None:
    room.press("2", "1")
    room.saving("Draft saved")
    name = room.api("session")["user"]["username"]
    room.page.context.clear_cookies()
    room.press("3")
    room.wait_for("You were signed out.")
    room.saving("Draft kept here, not sent yet")

    again = open_room(room.page.context, Fovea(room.url, {}), room.project_id, name)
    again.page.close()
    room.page.bring_to_front()

    room.saving("Draft saved")
    held = room.mine()["cases"][0]["draft"]["answers"]
    assert held["signs"] == ["opacity", "device"]


def test_answers_that_gave_way_to_another_window_can_be_taken_back(room: Room) -> None:
    other = Room.of(room.page.context, room.url, room.project_id)
    other.enter()
    other.press("1")
    other.saving("Draft saved")

    room.press("2", "1")
    room.wait_for("Another of your windows has a newer answer to this case")
    expect(question(room, "finding").get_by_label("Normal", exact=True)).to_be_checked()
    room.page.get_by_role("button", name="Use mine instead").click()

    expect(question(room, "finding").get_by_label("Abnormal")).to_be_checked()
    room.saving("Draft saved")
    assert room.mine()["cases"][0]["draft"]["answers"]["finding"] == "abnormal"


def test_a_case_is_flagged_commented_and_asked_about_without_leaving_it(
    room: Room, chromium: Browser, fovea: Fovea, names: Iterator[str]
) -> None:
    here, colleague = room.shown(), next(names)
    room.press("g", "1")
    room.wait_for("The case is flagged.")
    room.press("c")
    room.page.keyboard.type("tube too deep")
    room.press("Enter")
    room.wait_for("The comment is kept with the case.")
    room.press("q")
    room.page.get_by_label("Whom").select_option(colleague)
    room.page.get_by_label("Your question").fill("Is this a nodule?")
    room.page.get_by_role("button", name="Send").click()
    room.wait_for("The question is on its way.")
    room.saving("All saved")
    assert room.shown() == here

    other = open_room(new_context(chromium), fovea, room.project_id, colleague)
    held = other.enter()
    other.page.get_by_role("button", name="1 question for you").click()
    other.page.get_by_role("button", name=f"case {here}").click()
    assert other.shown(other_than=held) == here
    other.page.get_by_label("Your reply").fill("A vessel.")
    other.press("Enter")
    assert other.shown(other_than=here) == held
    other.page.context.close()

    replies = room.api(f"projects/{room.project_id}/remarks")["replied"]
    assert [one["reply"] for one in replies] == ["A vessel."]


def test_a_case_that_nobody_can_read_is_set_aside(room: Room) -> None:
    here = room.shown()
    room.press("x")
    room.wait_for("Nobody can read this case: why?")
    room.page.get_by_label("Comment").fill("half of it is missing")
    room.page.get_by_role("button", name="Images are missing").click()
    room.shown(other_than=here)
    room.saving("All saved")
    assert here not in [leased["case"]["number"] for leased in room.mine()["cases"]]


def test_a_reading_of_today_is_found_and_revised(room: Room) -> None:
    first, second = room.shown(), room.answer(1)
    third = room.answer(1)
    room.saving("All saved")
    room.press("l")
    room.wait_for("2 read today")
    expect(room.page.locator(".today tbody tr")).to_have_count(2)
    room.page.get_by_role("button", name=f"Case {first}").click()
    assert room.shown(other_than=third) == first

    question(room, "width").locator("input").fill("44")
    room.press("Enter")

    assert room.shown(other_than=first) == third
    room.saving("All saved")
    room.press("l")
    expect(room.page.locator(".today tbody tr").first).to_contain_text("revision 2")
    expect(room.page.locator(".bar-goal")).to_have_text("2 of 40 today")
    assert second != third


def violations(room: Room) -> list[str]:
    """What axe finds wrong with the page as it is."""
    found: list[dict[str, Any]] = room.page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(({violations}) => violations)", RULES
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


def in_both_themes(room: Room, state: str) -> dict[str, list[str]]:
    found = {}
    for theme in ("dark", "light"):
        room.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        room.page.wait_for_timeout(200)
        found[f"{state}, {theme}"] = violations(room)
    return {where: wrong for where, wrong in found.items() if wrong}


def blur(room: Room) -> None:
    room.page.evaluate("document.activeElement.blur()")


def test_every_form_and_dialog_can_be_used_by_everybody(room: Room) -> None:
    room.page.evaluate(AXE.read_text())
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
    room.page.evaluate(AXE.read_text())
    room.answer(1)
    room.saving("All saved")
    room.press("l")
    room.page.locator(".today tbody tr").first.wait_for()
    found = in_both_themes(room, "today")
    room.page.locator(".today .link").first.click()
    room.wait_for("Revising your reading")
    found |= in_both_themes(room, "revising")
    room.press("Escape")
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


def test_a_suggestion_is_there_from_the_start_or_asked_for_but_never_for_a_control(
    fovea: Fovea, context: BrowserContext, delivery: Path
) -> None:
    for mode, share, seen in (("from_start", 0.0, 1), ("on_demand", 0.0, 0), ("from_start", 0.5, None)):
        project = f"States {mode} {share}"
        project_id = ask(
            fovea,
            delivery,
            project,
            ["state-hint"],
            one_key(suggestions=mode, control_share=share),
            modality="DX",
        )
        predict(fovea, project, {"normal": 0.2, "abnormal": 0.8})
        hinted = open_room(context, fovea, project_id, "state-hint")
        hinted.enter()
        shown = hinted.page.locator("[data-suggestion]")
        if seen is not None:
            expect(shown).to_have_count(seen)
        if mode == "on_demand":
            hinted.press("a")
            expect(shown).to_contain_text("80 %")
        if seen is None:
            leased = hinted.mine()["cases"]
            known = {one["case"]["number"]: one["suggestion"]["probabilities"] for one in leased}
            expect(shown).to_have_count(0 if known[hinted.shown()] is None else 1)
        hinted.page.close()
