"""Training in a real browser, on the whole running system: asked for, followed live, judged, explained."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, import_and_read, new_project, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
NAME = "Fine-tuning"


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea) -> Iterator[Page]:
    """A browser of the test's own; at the end no error and no breach of the content security policy."""
    with own_page(chromium, whole_system) as opened:
        yield opened


def test_ml_staff_train_on_the_labels_see_the_loss_live_and_read_why_it_was_promoted_or_not(
    page: Page, whole_system: Fovea, real_data: Path, tmp_path: Path
) -> None:
    project_id = new_project(whole_system, NAME, "trainer", audit_share=0.4, refit_every=1000)
    images = small_delivery(real_data / "chest_xray", tmp_path / "delivery", 120)
    import_and_read(whole_system, NAME, images, "quick")
    sign_in(page, "trainer")
    page.goto("/jobs?state=done")
    expect(page.get_by_role("link", name="Encode images").first).to_be_visible(timeout=SLOW_MS)
    page.goto(f"/projects/{project_id}/learning")
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_text("Narrow ResNet, taught on formulas").first).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("link", name="Training", exact=True).click()
    assert violations_in_both_themes(page) == {}

    page.get_by_label("Passes over the images").fill("4")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Asked for training")
    run = page.locator("#live")
    expect(run.get_by_role("img", name="Loss by epoch").first).to_be_visible(timeout=SLOW_MS)
    expect(run.get_by_text("romoted.").first).to_be_visible(timeout=SLOW_MS)
    expect(run.get_by_label("Log of the run")).to_contain_text("finished")
    assert violations_in_both_themes(page) == {}
    page.get_by_role("link", name="Training", exact=True).click()
    expect(page.locator("#runs").get_by_text("romoted")).to_be_visible()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("table", name="Which encoder is used, and why")).to_contain_text(
        "balanced accuracy"
    )
    page.get_by_role("link", name="Card").first.click()
    expect(page.get_by_role("heading", name="Per site and scanner")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    assert download.value.path().read_text().startswith(f"# {NAME}: model ")
