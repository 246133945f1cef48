"""A physician reads real images in a real browser: nothing that was answered is ever lost."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.reading import (
    Room,
    expected_picture,
    new_context,
    open_room,
    prepare,
    sign_in_here,
    small_delivery,
)
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
PROJECT, SERIES = "Chest X-rays", "Chest CT"
READERS = [f"reader{number}" for number in range(13)]


@pytest.fixture(scope="module")
def project_id(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Import real chest X-rays and make readers, one a test."""
    delivery = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("delivery"), 64)
    return prepare(fovea, delivery, PROJECT, READERS, modality="DX")


@pytest.fixture(scope="module")
def series_id(fovea: Fovea, real_data: Path) -> str:
    """Import one real CT series."""
    return prepare(fovea, real_data / "chest_ct", SERIES, ["ct-reader"], choices="tumour,none")


@pytest.fixture
def series(context: BrowserContext, fovea: Fovea, series_id: str) -> Iterator[Room]:
    """Open the room of a project with one CT series."""
    opened = open_room(context, fovea, series_id, "ct-reader")
    opened.enter()
    yield opened
    opened.leave()


def test_cases_are_read_with_a_digit_and_enter_alone(room: Room) -> None:
    seen = [room.shown()] + [room.answer(digit) for digit in (1, 2, 3, 1)]

    room.saving("All saved")
    assert len(set(seen)) == 5
    assert room.read_by_me() == 4


def test_the_picture_on_screen_is_the_frame_that_the_server_holds(room: Room) -> None:
    room.page.set_viewport_size({"width": 900, "height": 640})
    room.page.wait_for_timeout(500)
    case = room.mine()["cases"][0]["case"]
    values = room.frame(case, 0)
    window = ((values.min() + values.max() + 1) / 2, values.max() - values.min() + 1)

    drawn = room.canvas()

    difference = np.abs(drawn - expected_picture(values, window, drawn.shape))
    assert np.mean(difference) < 1
    assert np.quantile(difference, 0.99) < 2  # grey values; only the image's outermost pixels differ by more


def test_a_reload_in_the_middle_brings_back_the_case_and_its_draft(room: Room) -> None:
    before = room.answer(1)
    room.press("2")
    answer = room.chosen()
    room.saving("Draft saved")

    room.page.reload()

    assert room.shown() == before
    assert room.chosen() == answer


def test_a_page_that_is_killed_at_once_loses_no_answer(room: Room) -> None:
    room.page.context.set_offline(True)
    after = room.answer(1)
    room.press("3")
    answer = room.chosen()
    room.page.close(run_before_unload=False)
    room.page.context.set_offline(False)

    again = Room.of(room.page.context, room.url, room.project_id)

    assert again.enter() == after
    assert again.chosen() == answer
    again.saving("Draft saved")
    assert again.read_by_me() == 1


def test_the_last_reading_is_opened_again_and_revised(room: Room) -> None:
    first = room.shown()
    second = room.answer(1)
    room.press("3", "z")
    assert room.shown(other_than=second) == first
    assert room.chosen() == room.choices()[0]

    room.press("2", "Enter")

    assert room.shown(other_than=first) == second
    assert room.chosen() == room.choices()[2]
    room.saving("Draft saved")
    last = room.api(f"projects/{room.project_id}/readings/last")
    assert last["revision"] == 2
    assert last["case"]["number"] == first
    expect(room.page.locator(".bar-progress")).to_contain_text("1 read by me")


def test_escape_returns_from_the_last_reading_and_leaves_it(room: Room) -> None:
    second = room.answer(1)
    room.press("z")
    first = room.shown(other_than=second)
    room.press("2", "Escape")

    assert room.shown(other_than=first) == second
    assert room.api(f"projects/{room.project_id}/readings/last")["revision"] == 1


def test_a_case_is_skipped_with_a_reason_and_not_offered_again(room: Room) -> None:
    skipped = room.shown()
    room.press("s")
    room.wait_for("Skip this case: why?")
    room.press("Escape", "s", "1")
    room.shown(other_than=skipped)
    room.saving("All saved")

    held = [leased["case"]["number"] for leased in room.mine()["cases"]]
    assert skipped not in held
    assert room.read_by_me() == 0


def test_reading_goes_on_without_a_connection_and_is_sent_when_it_is_back(room: Room) -> None:
    room.answer(1)
    room.saving("All saved")
    room.page.context.set_offline(True)
    room.answer(2)
    room.page.locator("[data-banner=offline]").wait_for()
    room.answer(3)
    room.saving("2 answers kept here, not sent yet")

    room.page.context.set_offline(False)

    room.saving("All saved")
    assert room.page.locator(".banner").count() == 0
    assert room.read_by_me() == 3


def test_an_expired_session_loses_nothing(room: Room) -> None:
    context, name = room.page.context, room.api("session")["user"]["username"]
    context.clear_cookies()
    room.press("2", "Enter")
    room.wait_for("You were signed out.")
    room.saving("1 answer kept here, not sent yet")

    with context.expect_page() as opened:
        room.page.locator(".banner a").click()
    sign_in_here(opened.value, name)
    opened.value.close()

    room.saving("All saved")
    assert room.read_by_me() == 1


def test_a_lost_case_is_told_with_the_answer_and_a_key_moves_on(
    room: Room, chromium: Browser, fovea: Fovea, names: Iterator[str]
) -> None:
    lost = room.shown()
    room.press("2")
    answer = room.chosen()
    room.saving("Draft saved")
    room.post(f"leases/{room.mine()['cases'][0]['lease_id']}", method="DELETE")
    other = open_room(new_context(chromium), fovea, room.project_id, next(names))
    assert lost in [leased["case"]["number"] for leased in other.mine()["cases"]]

    room.press("Enter")

    room.wait_for(f"Case {lost} is no longer yours")
    expect(room.page.locator(".lost-answer")).to_contain_text(answer)
    room.press("Enter")
    assert room.shown() != lost
    assert room.read_by_me() == 0
    other.page.context.close()


def test_two_windows_of_a_reader_hold_the_same_case_and_the_newer_draft_wins(room: Room) -> None:
    other = Room.of(room.page.context, room.url, room.project_id)
    assert other.enter() == room.shown()
    other.press("3")
    other.saving("Draft saved")
    newer = other.chosen()

    room.press("1")

    room.wait_for("Another of your windows has a newer answer to this case")
    assert room.chosen() == newer


def test_an_image_that_does_not_come_is_said_and_tried_again(room: Room) -> None:
    def is_frame(url: str) -> bool:
        return "/frames/" in url

    here = room.shown()
    room.page.route(is_frame, lambda route: route.fulfill(status=404))
    room.page.reload()
    room.wait_for("This image could not be shown")
    room.press("1")
    expect(room.page.locator(".answer:has(:checked)")).to_have_count(0)

    room.page.unroute(is_frame)
    room.press("Enter")

    assert room.shown() == here


def test_a_series_scrolls_with_its_window_and_ends_calmly(series: Room) -> None:
    series.page.set_viewport_size({"width": 900, "height": 640})
    case = series.mine()["cases"][0]["case"]
    expect(series.page.locator(".slices-word")).to_have_text("17 / 34")

    series.press("ArrowDown", "ArrowDown")
    expect(series.page.locator(".slices-word")).to_have_text("19 / 34")
    attributes = case["instances"][18]["attributes"]
    window = tuple(np.atleast_1d(attributes[key])[0] for key in ("WindowCenter", "WindowWidth"))
    drawn = series.canvas()
    expected = expected_picture(series.frame(case, 18), window, drawn.shape)
    assert np.mean(np.abs(drawn - expected)) < 1

    series.press("1", "Enter")
    series.wait_for("All read")
