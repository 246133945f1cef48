"""A new administrator makes a project and reads its first case, on the running system."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, an_administrator, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea) -> Iterator[Page]:
    with own_page(chromium, whole_system) as opened:
        yield opened


@dataclass
class Audits:
    """What axe finds on the way, and the seconds that it takes: nobody else would spend them."""

    page: Page
    found: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    def take(self) -> None:
        """Audit the page as it is."""
        began = time.monotonic()
        self.found |= violations_in_both_themes(self.page)
        self.seconds += time.monotonic() - began


def first_case_is_on_screen(page: Page) -> None:
    """Wait until the room has drawn a case that can be answered."""
    page.wait_for_url("**/read")
    expect(page.get_by_text("Why this case")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".cover")).to_be_hidden(timeout=SLOW_MS)


def test_from_a_template_to_the_first_case_of_a_folder_of_real_images(
    page: Page, whole_system: Fovea, real_data: Path, tmp_path: Path
) -> None:
    images = small_delivery(real_data / "chest_xray", tmp_path / "ward", 60)
    sign_in(page, an_administrator(whole_system, "new-admin"))
    began, audits = time.monotonic(), Audits(page)
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name").fill("Chest X-rays of the ward")
    page.get_by_label("Chest X-ray").check()
    expect(page.get_by_label("Question", exact=True)).to_be_hidden()
    audits.take()
    page.get_by_role("button", name="Make the project").click()

    audits.take()
    page.get_by_role("link", name="Back to what is asked").click()
    expect(page.get_by_label("Name")).to_have_value("Chest X-rays of the ward")
    expect(page.get_by_label("Chest X-ray")).to_be_checked()
    page.get_by_role("button", name="Keep, and on to the images").click()
    page.locator("#choose-folder").set_input_files(images)
    page.get_by_label("Pictures and volumes in it").select_option("DX")
    page.get_by_label("I vouch for it").check()
    page.get_by_role("button", name="Send and import").click()

    page.wait_for_url("**/begin/people", timeout=SLOW_MS)
    page.get_by_label("One reader, every fifth case two").check()
    button = page.get_by_role("button", name="Read the first case")
    expect(button).to_be_enabled(timeout=SLOW_MS)
    audits.take()
    button.focus()
    page.keyboard.press("Enter")
    first_case_is_on_screen(page)
    seconds = time.monotonic() - began - audits.seconds
    print(f"new project to the first case on screen: {seconds:.0f} s")
    assert seconds < 120
    assert audits.found == {}


def test_example_images_lead_to_a_case_by_keyboard_alone(page: Page, whole_system: Fovea) -> None:
    sign_in(page, an_administrator(whole_system, "keys-admin"))
    page.goto("/projects/new")
    page.get_by_label("Name").focus()
    page.keyboard.type("Phantoms to try")
    page.get_by_label("Question", exact=True).focus()
    page.keyboard.type("Is there a lesion?")
    page.keyboard.press("Tab")
    page.keyboard.type("Yes\nNo")
    page.get_by_role("button", name="Make the project").press("Enter")
    page.get_by_role("button", name="Use the examples").press("Enter")
    page.wait_for_url("**/begin/people")
    button = page.get_by_role("button", name="Read the first case")
    expect(button).to_be_enabled(timeout=SLOW_MS)
    button.press("Enter")
    first_case_is_on_screen(page)
