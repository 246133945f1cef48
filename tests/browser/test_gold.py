"""Gold cases in a real browser: staff choose them, a new reader practises, is tested, and reads on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import new_project, own_page, sign_in
from tests.browser.reading import Room, new_context, prepare, small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
PROJECT, STAFF, NEWCOMER = "Gold", "gold-staff", "gold-newcomer"
READ_BY_TWO = """
import json, uuid
from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from annotation.queue.models import Entry
from tests import factories
project = Project.objects.get(pk={project!r})
cases = list(project.cases.order_by("number")[:6])
for name in ("gold-first", "gold-second"):
    reader = User.objects.create_user(name, password="x" * 20)
    set_membership(project=project, user=reader, role="reader")
    for case in cases:
        factories.a_reading(reader, case, {{"finding": "pneumonia"}})
Entry.objects.filter(case__in=cases).update(state="done")
settings = {{"practice_cases": 2, "qualification_cases": 2, "qualification_pass": 0.5}}
project.protocols.update(settings=settings)
print(json.dumps([case.number for case in cases]))
"""


@pytest.fixture(scope="module")
def read_by_two(
    fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[int]]:
    """A project of real X-rays of which two readers have read six; new readers practise and are tested."""
    delivery = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("gold"), 12)
    new_project(fovea, PROJECT, STAFF)
    project = prepare(fovea, delivery, PROJECT, [NEWCOMER], modality="DX")
    return project, json.loads(fovea.run(READ_BY_TWO.format(project=project)))


@pytest.fixture
def page(chromium: Browser, fovea: Fovea, read_by_two: tuple[str, list[int]]) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    assert read_by_two
    with own_page(chromium, fovea) as opened:
        sign_in(opened, STAFF)
        yield opened


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = new_context(chromium)
    yield opened
    opened.close()


def test_staff_make_gold_cases_and_a_newcomer_practises_and_passes(
    page: Page, context: BrowserContext, fovea: Fovea, read_by_two: tuple[str, list[int]]
) -> None:
    project, numbers = read_by_two
    make_gold(page, f"{fovea.url}/projects/{project}", numbers)
    room = Room.of(context, fovea.url, project)
    room.sign_in(NEWCOMER)
    practise(room)
    sit_the_test(room)
    room.press("Enter")
    assert room.shown() not in numbers
    assert room.page.locator("[data-banner=practice]").count() == 0
    room.leave()
    page.goto(f"{fovea.url}/projects/{project}/gold")
    row = page.get_by_role("row").filter(has_text=NEWCOMER)
    expect(row).to_contain_text("Passed")
    expect(row).to_contain_text("1 of 2")
    assert violations_in_both_themes(page) == {}


def make_gold(page: Page, project: str, numbers: list[int]) -> None:
    """Choose five cases from what is offered, and one on its own page."""
    page.goto(f"{project}/readers")
    page.get_by_role("link", name="Gold cases").click()
    expect(page.get_by_text("4 more needed")).to_be_visible()
    for number in numbers[:5]:
        page.get_by_role("checkbox", name=f"Case {number}", exact=True).check()
    page.get_by_label("Comment, shown beside the answer in practice").fill("Look behind the heart")
    page.get_by_role("button", name="Make gold").click()
    expect(page.get_by_text("5 cases made gold")).to_be_visible()
    page.goto(f"{project}/cases/{numbers[5]}")
    page.get_by_label("Comment, shown beside the answer in practice").fill("Look behind the heart")
    page.get_by_role("button", name="Make gold").click()
    expect(page.get_by_text("1 case made gold")).to_be_visible()
    assert violations_in_both_themes(page) == {}


def practise(room: Room) -> None:
    """Answer two practice cases, the first one wrong: the reference comes after each."""
    first = room.enter()
    room.wait_for("Practice 1 of 2.")
    room.press("1", "Enter")
    room.wait_for("Not as the reference")
    room.wait_for("Look behind the heart")
    assert violations_in_both_themes(room.page) == {}
    room.press("Enter")
    room.shown(other_than=first)
    room.wait_for("Practice 2 of 2.")
    room.press("2", "Enter")
    room.wait_for("As the reference")
    room.wait_for("Next comes the test: 2 cases")
    room.press("Enter")


def sit_the_test(room: Room) -> None:
    """Answer the test, one right and one wrong: nothing is told before its end."""
    room.wait_for("Test 1 of 2.")
    first = room.shown()
    room.press("2", "Enter")
    room.shown(other_than=first)
    assert room.page.locator("[data-feedback]").count() == 0
    room.wait_for("Test 2 of 2.")
    room.press("1", "Enter")
    room.wait_for("Test passed")
    room.wait_for("1 of 2 as the reference.")
    assert violations_in_both_themes(room.page) == {}
