"""A reader's workload, from the form to what the reading room says; the bell tells of a question."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import an_administrator, own_page, sign_in
from tests.browser.reading import prepare, small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
TELL = """
from django.utils import timezone
from accounts.models import User
from notices.services import notify
person = User.objects.get(username={name!r})
notify("question", [person], now=timezone.now(), who="a.meyer", number=3, project="Chest", link="/")
"""


@pytest.fixture(scope="module")
def project(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    images = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("few"), 6)
    return prepare(fovea, images, "Workload", ["w.reader"], modality="DX")


@pytest.fixture
def page(chromium: Browser, fovea: Fovea) -> Iterator[Page]:
    with own_page(chromium, fovea) as opened:
        yield opened


def test_a_paused_reader_is_told_so_and_reads_on_when_the_pause_ends(
    chromium: Browser, fovea: Fovea, page: Page, project: str
) -> None:
    sign_in(page, an_administrator(fovea, "workload-admin"))
    page.goto(f"/projects/{project}/readers")
    found = violations_in_both_themes(page)
    page.get_by_role("link", name="w.reader").click()
    page.get_by_label("Paused").check()
    page.get_by_label("Subspecialties and other tags").fill("chest")
    found |= violations_in_both_themes(page)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("It holds from the next case")).to_be_visible()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    with own_page(chromium, fovea) as room:
        sign_in(room, "w.reader")
        room.goto(f"/projects/{project}/read")
        expect(room.get_by_text("Your work in this project is paused")).to_be_visible()
        found |= violations_in_both_themes(room)
        page.get_by_role("link", name="w.reader").click()
        page.get_by_label("Paused").uncheck()
        page.get_by_role("button", name="Keep").press("Enter")
        expect(page.get_by_text("It holds from the next case")).to_be_visible()
        room.get_by_role("button", name="Look again").click()
        expect(room.get_by_text("Your work in this project is paused")).to_be_hidden()
        expect(room.get_by_text("Why this case")).to_be_visible()
    assert found == {}


def test_the_bell_counts_and_a_notice_is_opened_by_keyboard(fovea: Fovea, page: Page) -> None:
    name = an_administrator(fovea, "bell-admin")
    fovea.run(TELL.format(name=name))
    sign_in(page, name)
    bell = page.get_by_role("link", name="Notifications")
    expect(bell).to_contain_text("1")
    bell.press("Enter")
    expect(page.get_by_text("a.meyer asks you about case 3")).to_be_visible()
    assert violations_in_both_themes(page) == {}
    page.get_by_role("button", name="Open").press("Enter")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    expect(page.get_by_role("link", name="Notifications")).not_to_contain_text("1")
