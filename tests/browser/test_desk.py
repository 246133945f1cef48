"""A physician answers questions of every kind: chosen, typed, drawn, painted, with keys of one's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.desk import DISC_AND_CUP, NODULES, ask, drag, one_key, predict, question
from tests.browser.reading import Room, new_context, open_room
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
READERS = [f"desk{number}" for number in range(8)]


@pytest.fixture
def opened(context: BrowserContext, fovea: Fovea, real_data: Path) -> Iterator[Any]:
    """Open rooms of other projects."""
    rooms: list[Room] = []

    def enter(source: Path, project: str, document: dict[str, Any], **options: str) -> Room:
        project_id = ask(fovea, source, project, ["desk-other"], document, **options)
        rooms.append(open_room(context, fovea, project_id, "desk-other"))
        rooms[-1].enter()
        return rooms[-1]

    yield enter
    for one in rooms:
        one.leave()


def last_answers(room: Room) -> Any:
    room.saving("All saved")
    return room.api(f"projects/{room.project_id}/readings/last")["answers"]


def test_a_form_of_several_questions_is_filled_in_by_keys_alone(room: Room) -> None:
    here = room.shown()
    room.press("2", "1", "3", "ArrowRight", "1")
    room.press("ArrowRight")
    room.page.keyboard.type("55")
    room.press("ArrowRight", "ArrowLeft", "Enter")
    room.shown(other_than=here)
    assert last_answers(room) == {
        "finding": "abnormal",
        "signs": ["opacity", "device"],
        "severity": "1",
        "width": 55,
    }


def test_what_was_entered_comes_back_with_its_question_and_is_not_sent_without_it(room: Room) -> None:
    room.press("2", "1")
    question(room, "signs").wait_for()
    question(room, "finding").get_by_text("Normal", exact=True).click()
    expect(question(room, "signs")).to_have_count(0)
    question(room, "finding").get_by_text("Abnormal").click()
    expect(question(room, "signs").get_by_label("Opacity")).to_be_checked()

    question(room, "finding").get_by_text("Normal", exact=True).click()
    here = room.shown()
    room.press("Enter")
    room.shown(other_than=here)

    assert last_answers(room) == {"finding": "normal"}


def test_enter_shows_what_is_to_be_mended_and_goes_to_the_first(room: Room) -> None:
    here = room.shown()
    room.press("2", "1")
    question(room, "width").locator("input").fill("7")
    room.press("Enter")

    expect(question(room, "severity").locator(".problem")).to_have_text("Not answered yet.")
    expect(question(room, "width").locator(".problem")).to_have_text("At least 20.")
    expect(question(room, "severity")).to_be_focused()

    room.press("2")
    expect(question(room, "severity").locator(".problem")).to_have_count(0)
    question(room, "width").locator("input").fill("70")
    room.press("Enter")
    assert room.shown(other_than=here) != here


def test_a_box_is_one_drag_and_its_attribute_one_key(room: Room) -> None:
    here = room.shown()
    room.press("2", "1", "ArrowRight", "1")
    room.page.evaluate("document.activeElement.blur()")
    room.press("d")
    drag(room, (0.3, 0.3), (0.5, 0.5))
    row = question(room, "lesions").locator(".region")
    expect(row).to_contain_text("Opacity 1")
    expect(row.locator(".region-measure")).to_contain_text("px²")
    room.press("2", "Enter")
    room.shown(other_than=here)

    (box,) = last_answers(room)["lesions"]
    assert (box["label"], box["attributes"], box["origin"]) == ("opacity", {"certainty": "high"}, "reader")
    assert len(box["points"]) == 2


def test_a_region_is_drawn_again_after_a_reload_and_taken_away_by_key(room: Room) -> None:
    room.press("2", "1", "ArrowRight", "1")
    room.page.evaluate("document.activeElement.blur()")
    room.press("d")
    drag(room, (0.3, 0.3), (0.5, 0.5))
    question(room, "lesions").locator(".region").wait_for()
    room.saving("Draft saved")

    room.page.reload()
    room.shown()

    expect(question(room, "lesions").locator(".region")).to_have_count(1)
    room.page.evaluate("document.activeElement.blur()")
    room.press("n", "Delete")
    expect(question(room, "lesions").locator(".region")).to_have_count(0)
    room.press("Control+z")
    expect(question(room, "lesions").locator(".region")).to_have_count(1)


def test_diameters_are_measured_in_mm_and_the_longest_is_shown_live(opened: Any, real_data: Path) -> None:
    room = opened(real_data / "chest_ct", "Desk CT", NODULES, choices="a,b")
    drag(room, (0.4, 0.4), (0.55, 0.4))
    row = question(room, "nodules").locator(".region")
    expect(row.locator(".region-measure")).to_contain_text("mm")
    longest = question(room, "longest").locator("output")
    expect(longest).not_to_have_text("not drawn yet")

    question(room, "parts").locator("legend").click()
    drag(room, (0.5, 0.5), (0.6, 0.55))
    room.saving("Draft saved")
    question(room, "quality").locator("legend").click()
    room.press("1")
    expect(question(room, "quality")).to_contain_text("1 of 34 images answered")
    room.page.keyboard.press("Enter")
    room.wait_for("All read")

    past = room.api(f"projects/{room.project_id}/readings/last")
    assert past["answers"]["parts"]["classes"].keys() == {"core"}
    assert past["answers"]["parts"]["shape"][0] == 34
    assert list(past["answers"]["quality"].values()) == ["yes"]
    server = past["measurements"][past["answers"]["nodules"][0]["id"]]["long_axis_mm"]
    assert past["measurements"]["longest"] == pytest.approx(server)


def test_the_ratio_of_cup_and_disc_is_computed_while_drawing(opened: Any, real_data: Path) -> None:
    room = opened(
        real_data / "fundus_vessels" / "images", "Desk fundus", DISC_AND_CUP, choices="a,b", modality="OP"
    )
    drag(room, (0.3, 0.2), (0.6, 0.6))
    question(room, "disc").locator(".region").wait_for()
    question(room, "cup").locator("legend").click()
    drag(room, (0.4, 0.3), (0.5, 0.5))
    ratio = question(room, "ratio").locator("output")
    expect(ratio).to_have_text("0.50")


def test_one_key_alone_reads_a_case_where_the_project_wants_it_and_can_be_taken_back(
    opened: Any, delivery: Path
) -> None:
    room = opened(delivery, "Desk one key", one_key(auto_advance=True), modality="DX")
    first = room.shown()
    room.press("2")
    second = room.shown(other_than=first)
    expect(room.page.locator(".undo")).to_contain_text(f"Case {first}: Abnormal")

    room.saving("All saved")
    room.press("z")
    assert room.shown(other_than=second) == first
    room.press("1", "Enter")
    assert room.shown(other_than=first) == second
    assert last_answers(room) == {"finding": "normal"}
    assert room.api(f"projects/{room.project_id}/readings/last")["revision"] == 2


def test_a_suggestion_comes_after_the_first_answer_and_what_became_of_it_is_kept(
    fovea: Fovea, opened: Any, delivery: Path
) -> None:
    document = one_key(suggestions="after_answer", control_share=0.0)
    room = opened(delivery, "Desk suggestion", document, modality="DX")
    predict(fovea, "Desk suggestion", {"normal": 0.2, "abnormal": 0.8})
    room.answer(1), room.answer(1), room.answer(1)  # what was leased before the model had seen it
    shown = room.page.locator("[data-suggestion]")
    expect(shown).to_have_count(0)
    room.press("1")
    expect(shown).to_contain_text("80 %")
    room.page.wait_for_timeout(500)
    here = room.shown()
    room.press("2", "Enter")
    room.shown(other_than=here)
    room.saving("All saved")

    kept = json.loads(fovea.run(KEPT.format(project="Desk suggestion")))
    assert (kept["shown"], kept["first"], kept["accepted"], kept["changed"]) == (
        "after_answer",
        "normal",
        True,
        True,
    )


KEPT = """
import json
from annotation.readings.models import Revision
made = Revision.objects.filter(reading__case__project__name={project!r}).latest("created_at")
print(json.dumps(made.suggestion))
"""


def test_a_key_is_changed_refused_where_it_is_taken_and_kept_for_the_next_desk(
    room: Room, chromium: Browser, fovea: Fovea
) -> None:
    room.press("?")
    row = room.page.get_by_role("row", name="Skip the case")
    row.get_by_role("button").click()
    room.press("z")
    expect(row.get_by_role("alert")).to_have_text("Z is taken: Back to my last reading, to revise it")
    room.press("F9")
    expect(row.locator("kbd")).to_have_text("F9")
    room.press("Escape", "F9")
    room.wait_for("Skip this case: why?")
    room.press("Escape", "s")
    expect(room.page.locator("dialog")).to_have_count(0)

    name = room.api("session")["user"]["username"]
    elsewhere = open_room(new_context(chromium), fovea, room.project_id, name)
    elsewhere.enter()
    elsewhere.press("F9")
    elsewhere.wait_for("Skip this case: why?")
    elsewhere.press("Escape", "?")
    elsewhere.page.get_by_role("button", name="All keys as they were").click()
    elsewhere.press("Escape", "s")
    elsewhere.wait_for("Skip this case: why?")
    elsewhere.page.context.close()


def test_the_room_speaks_chinese_to_who_wants_it(room: Room) -> None:
    room.press("?")
    with room.page.expect_navigation():
        room.page.get_by_label("Language").select_option("zh-hans")
    room.shown()
    expect(room.page.locator(".submit")).to_contain_text("提交，下一例")
    assert room.page.get_attribute("html", "lang") == "zh-Hans"
