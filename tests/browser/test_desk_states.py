"""Whatever happens beside the reading: nothing is lost and nothing is hidden."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.desk import ask, journal, mark_a_lesion, one_key, predict, question
from tests.browser.reading import Room, new_context, open_room
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
READERS = [f"state{number}" for number in range(16)]
KILLS = 8
WORDS = "tube too deep"


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
    here, reader = room.shown(), room.api("session")["user"]
    room.page.context.set_offline(True)
    mark_a_lesion(room)
    room.press("2")
    question(room, "note").locator("textarea").fill(WORDS)
    room.press("Enter")
    room.shown(other_than=here)
    room.page.locator("[data-banner=offline]").wait_for()
    (sealed,) = [body for name, body in journal(room, reader["id"]).items() if "/pending/" in name]
    for open_text in (WORDS, "lesions", "abnormal", "PatientName", "StudyDate"):
        assert open_text not in sealed

    room.page.context.set_offline(False)

    room.saving("All saved")
    assert journal(room, reader["id"]) == {}
    answers = room.api(f"projects/{room.project_id}/readings/last")["answers"]
    assert answers["lesions"][0]["attributes"] == {"certainty": "high"}
    assert answers["note"] == WORDS


def test_what_a_reader_left_in_the_browser_is_opened_and_sent_by_nobody_else(
    room: Room, fovea: Fovea, names: Iterator[str]
) -> None:
    here, reader = room.shown(), room.api("session")["user"]
    room.page.context.set_offline(True)
    room.press("1", "Enter")
    room.shown(other_than=here)
    left = journal(room, reader["id"])
    room.page.close()
    room.page.context.set_offline(False)

    other = open_room(room.page.context, fovea, room.project_id, next(names))
    other.enter()
    expect(other.page.locator(".saving")).to_have_text("")
    assert journal(other, reader["id"]) == left
    other.page.close()

    again = open_room(room.page.context, fovea, room.project_id, reader["username"])
    again.enter()
    again.saving("All saved")
    assert (again.read_by_me(), journal(again, reader["id"])) == (1, {})


def test_what_an_earlier_version_kept_open_is_sealed_once_and_sent(room: Room) -> None:
    reader, held = room.api("session")["user"]["id"], room.mine()["cases"][0]
    entry = {
        "kind": "reading",
        "idempotency_key": "5b7c9d1e-0000-4000-8000-000000000001",
        "case_id": held["case"]["id"],
        "number": held["case"]["number"],
        "at": 1,
        "lease_id": held["lease_id"],
        "answers": {"finding": "normal", "note": WORDS},
        "seconds": 3,
        "protocol_version": held["protocol"]["version"],
        "suggestion": None,
    }
    name = f"fovea-journal/{reader}/{room.project_id}/pending/{entry['idempotency_key']}"
    room.page.evaluate("([name, entry]) => localStorage.setItem(name, entry)", [name, json.dumps(entry)])

    room.page.reload()

    room.saving("All saved")
    assert room.api(f"projects/{room.project_id}/readings/last")["answers"]["note"] == WORDS
    assert room.page.evaluate("name => localStorage.getItem(name)", name) is None


def test_a_window_whose_reader_has_gone_sends_nothing_as_somebody_else(
    room: Room, fovea: Fovea, names: Iterator[str]
) -> None:
    here, name = room.shown(), room.api("session")["user"]["username"]
    open_room(room.page.context, fovea, room.project_id, next(names)).page.close()

    room.press("1", "Enter")

    room.wait_for("Somebody else has signed in")
    assert room.read_by_me() == 0
    open_room(room.page.context, fovea, room.project_id, name).page.close()
    room.page.reload()
    room.saving("All saved")
    last = room.api(f"projects/{room.project_id}/readings/last")
    assert (last["case"]["number"], last["answers"]) == (here, {"finding": "normal"})


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
    asker = room.api("session")["user"]["username"]
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
    other.page.get_by_role("button", name=f"{asker}, case {here}", exact=True).click()
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
    room.page.get_by_role("button", name=f"Case {first}", exact=True).click()
    assert room.shown(other_than=third) == first

    question(room, "width").locator("input").fill("44")
    room.press("Enter")

    assert room.shown(other_than=first) == third
    room.saving("All saved")
    room.press("l")
    expect(room.page.locator(".today tbody tr").first).to_contain_text("revision 2")
    expect(room.page.locator(".bar-goal")).to_have_text("2 of 40 today")
    assert second != third


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
