"""What administrators do with people, health and the log, in a real browser, both themes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import an_administrator, own_page, sign_in
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
CHOSEN = "a password of my own choice"


@pytest.fixture
def page(chromium: Browser, fovea: Fovea) -> Iterator[Page]:
    with own_page(chromium, fovea) as opened:
        yield opened


def test_a_person_is_invited_chooses_a_password_and_is_signed_out_by_the_administrator(
    chromium: Browser, fovea: Fovea, page: Page
) -> None:
    sign_in(page, an_administrator(fovea, "people-admin"))
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Name to sign in with").fill("k.invited")
    page.get_by_role("button", name="Invite").click()
    link = page.locator(".once").inner_text()
    found = violations_in_both_themes(page)

    with own_page(chromium, fovea) as other:
        other.goto(link)
        found |= violations_in_both_themes(other)
        other.get_by_label("New password", exact=True).fill(CHOSEN)
        other.get_by_label("New password confirmation").fill(CHOSEN)
        other.get_by_role("button", name="Keep this password").click()
        expect(other.get_by_text("Your password is kept")).to_be_visible()
        sign_in(other, "k.invited", CHOSEN)
        expect(other.get_by_text("not a member of a project yet")).to_be_visible()

        page.get_by_role("link", name="Next: give a role").click()
        page.get_by_role("button", name="End all sessions").click()
        page.locator("dialog[open]").get_by_role("button", name="End sessions").click()
        expect(page.get_by_text("1 open sessions were ended")).to_be_visible()
        other.reload()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert {theme: wrong for theme, wrong in found.items() if wrong} == {}


def test_the_log_is_searched_and_exported(fovea: Fovea, page: Page, tmp_path: Path) -> None:
    name = an_administrator(fovea, "log-admin")
    sign_in(page, name)
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Who").fill("log-adm")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export JSON lines").click()
    waiting.value.save_as(tmp_path / "log.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(one["action"], one["actor_name"]) for one in lines] == [
        ("sign_in", name),
        ("audit.export", name),
    ]


def test_every_page_of_the_console_can_be_used_by_everybody(fovea: Fovea, page: Page) -> None:
    sign_in(page, an_administrator(fovea, "axe-admin"))
    found: dict[str, list[str]] = {}
    pages = "/people /people/new /health /audit /webhooks /webhooks/new /readers /settings"
    for address in f"{pages} /notifications /notifications/settings".split():
        page.goto(address)
        if address == "/health":
            expect(page.get_by_text("Asking each of them")).to_be_hidden()
        found |= {f"{address}, {theme}": bad for theme, bad in violations_in_both_themes(page).items()}
    page.goto("/people")
    page.get_by_role("link", name="axe-admin").first.click()
    found |= {f"a person, {theme}": bad for theme, bad in violations_in_both_themes(page).items()}
    assert found == {}
