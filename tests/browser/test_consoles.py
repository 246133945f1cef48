"""The consoles in a real browser, on the whole running system: web, workers, broker."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.consoles import SLOW_MS, import_and_read, new_project, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
ULTRASOUND = "dicom_valid/dicom-test-files/WG04/J2KI/US1_J2KI"
PEOPLE = """
from accounts.models import User
for name, is_admin in (("chief", True), ("analyst", False), ("guest", False)):
    User.objects.create_user(name, password={password!r}, is_admin=is_admin)
"""


@pytest.fixture(scope="module")
def system(whole_system: Fovea) -> Fovea:
    """The whole running system, with an administrator and ML staff."""
    whole_system.run(PEOPLE.format(password=PASSWORD))
    return whole_system


@pytest.fixture
def page(chromium: Browser, system: Fovea) -> Iterator[Page]:
    """A browser of the test's own; at the end no error and no breach of the content security policy."""
    with own_page(chromium, system) as opened:
        yield opened


def a_zip(delivery: Path, more: Path, target: Path) -> Path:
    """Pack a delivery with one file more."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.write(more, "us/ultrasound")
        for file in sorted(one for one in delivery.rglob("*") if one.is_file()):
            archive.write(file, file.relative_to(delivery))
    return target


def make_project_of(page: Page, archive: Path) -> None:
    """Ask one question of the images of a zip."""
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name").fill("Zip and quarantine")
    page.get_by_label("Question", exact=True).fill("What does it show?")
    page.get_by_label("Answers, one a line").fill("Normal\nPneumonia\nCovid19")
    page.get_by_role("button", name="Make the project").click()
    page.locator("#choose-file").set_input_files(archive)
    page.get_by_label("Pictures and volumes in it").select_option("DX")
    page.get_by_label("I vouch for it").check()
    page.get_by_role("button", name="Send and import").click()
    page.wait_for_url("**/begin/people")


def test_an_administrator_imports_a_zip_and_clears_a_quarantined_image(
    page: Page, real_data: Path, tmp_path: Path
) -> None:
    images = small_delivery(real_data / "chest_xray", tmp_path / "delivery", 12)
    archive = a_zip(images, real_data / ULTRASOUND, tmp_path / "ward.zip")
    sign_in(page, "chief")
    make_project_of(page, archive)
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("link", name="ward.zip").click()
    expect(page.get_by_role("link", name="Download CSV")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("link", name="Stored · 12")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download JSON").click()
    report = json.loads(download.value.path().read_text())
    assert (report["stored"], report["quarantined"], len(report["files"])) == (12, 1, 13)

    page.get_by_role("link", name="Look at it").click()
    picture = page.get_by_alt_text("Preview of the held image")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_contain_text("no name, date, number or face")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is a case now")
    expect(page.get_by_role("heading", name="Nothing is held")).to_be_visible()
    page.get_by_role("link", name="Overview", exact=True).click()
    expect(page.get_by_alt_text("Case 13")).to_be_visible()


def test_ml_staff_press_retrain_and_see_the_curve_without_reloading(
    page: Page, system: Fovea, real_data: Path, tmp_path: Path
) -> None:
    project = "Retrain"
    project_id = new_project(system, project, "analyst")
    sign_in(page, "analyst")
    page.goto(f"/projects/{project_id}/learning")
    page.get_by_label("Fit a new model after").fill("1000")
    page.get_by_label("Share of patients for the audit stream").fill("40")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("status").first).to_contain_text("The policy is saved")
    images = small_delivery(real_data / "chest_xray", tmp_path / "delivery", 60)
    import_and_read(system, project, images, "swift")
    page.goto("/jobs?state=done")
    expect(page.get_by_role("link", name="Encode images").first).to_be_visible(timeout=SLOW_MS)
    for state in ("queued", "running"):
        page.goto(f"/jobs?state={state}")
        expect(page.get_by_role("heading", name="No job in this state")).to_be_visible(timeout=SLOW_MS)

    page.goto(f"/projects/{project_id}/learning")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    rows = page.get_by_role("table", name="Balanced accuracy on the audit stream").get_by_role("row")
    before = rows.count()
    page.get_by_role("button", name="Retrain now").click()
    expect(page.get_by_role("status").first).to_contain_text("Asked for a new model")
    expect(rows).to_have_count(max(before, 1) + 1, timeout=SLOW_MS)
    expect(page.get_by_role("img", name="Balanced accuracy on the audit stream")).to_be_visible()


def test_wrong_passwords_are_told_and_then_lock_the_door(page: Page) -> None:
    sign_in(page, "guest", "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    for _ in range(4):
        sign_in(page, "guest", "wrong password")
    expect(page.get_by_role("heading", name="Sign-in is locked")).to_be_visible()
    sign_in(page, "guest")
    expect(page.get_by_role("heading", name="Sign-in is locked")).to_be_visible()


def test_a_theme_that_was_chosen_is_kept(page: Page) -> None:
    page.goto("/sign-in")
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(ground)
    page.get_by_role("button", name="Change between dark and light").click()
    chosen = page.evaluate(ground)
    assert chosen != before
    page.reload()
    assert page.evaluate(ground) == chosen
