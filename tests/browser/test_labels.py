"""Labels in, in a real browser on the whole running system: handed in, previewed, agreed to, shown."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, new_project, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
IMPORT = """
from django.core.management import call_command
call_command("import", {source!r}, project={name!r}, modality="DX")
"""


@pytest.fixture(scope="module")
def delivery(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("in") / "delivery", 9)


@pytest.fixture(scope="module")
def labels_url(whole_system: Fovea, delivery: Path) -> str:
    """A project of a few chest X-rays that nobody has read."""
    project = new_project(whole_system, "Labels in", "lena")
    whole_system.run(IMPORT.format(name="Labels in", source=str(delivery)))
    return f"/projects/{project}/labels"


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea) -> Iterator[Page]:
    with own_page(chromium, whole_system) as opened:
        yield opened


def a_table(delivery: Path, target: Path) -> Path:
    """The delivery's labels; the last is a word of others, and one more is of a picture that is not there."""
    rows = [
        (row["path"], row["label"])
        for row in csv.DictReader((delivery / "labels.csv").read_text().splitlines())
    ]
    rows = [*rows[:-1], (rows[-1][0], "PNA"), ("elsewhere.png", "pneumonia")]
    target.write_text("\n".join(["path,diagnosis", *(f"{path},{label}" for path, label in rows)]))
    return target


def test_labels_are_previewed_agreed_to_and_shown_under_their_source_by_keyboard_alone(
    page: Page, labels_url: str, delivery: Path, tmp_path: Path
) -> None:
    table = a_table(delivery, tmp_path / "chexpert.csv")
    sign_in(page, "lena")
    page.goto(labels_url)
    assert violations_in_both_themes(page) == {}
    page.get_by_label("Source").focus()
    page.keyboard.type("CheXpert labeler v1")
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_label("Mapping").focus()
    page.keyboard.type("diagnosis=tumour")
    page.get_by_role("button", name="Check it").press("Enter")
    expect(page.get_by_text('asks no question "tumour"')).to_be_visible()
    assert page.get_by_label("Mapping").input_value() == "diagnosis=tumour"

    page.get_by_label("Mapping").fill("diagnosis=finding")
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_role("button", name="Check it").press("Enter")
    expect(page.get_by_role("heading", name="Write 8 readings?")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text('"PNA" is no choice of question "finding"')).to_be_visible()
    expect(page.get_by_text("elsewhere.png: no stored file has this name")).to_be_visible()
    assert violations_in_both_themes(page) == {}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert "PNA" in Path(download.value.path()).read_text()

    page.get_by_role("button", name="Write 8 readings").press("Enter")
    expect(page.get_by_text("Written.")).to_be_visible(timeout=SLOW_MS)
    page.goto(labels_url.replace("/labels", "/cases/1"))
    expect(page.get_by_role("cell", name="CheXpert labeler v1")).to_be_visible()
    page.goto(labels_url)
    expect(page.get_by_role("cell", name="Done")).to_be_visible()


def test_the_same_file_again_says_that_all_is_there(page: Page, labels_url: str, delivery: Path) -> None:
    sign_in(page, "lena")
    for state in ("Write 9 readings?", "Nothing to write"):
        page.goto(labels_url)
        page.get_by_label("Source").fill("The data set's own")
        page.get_by_label("File", exact=True).set_input_files(delivery / "labels.csv")
        page.get_by_label("Mapping").fill("label=finding")
        page.get_by_role("button", name="Check it").click()
        expect(page.get_by_role("heading", name=state)).to_be_visible(timeout=SLOW_MS)
        write = page.get_by_role("button", name="Write 9 readings")
        if write.count():
            write.click()
            expect(page.get_by_text("Written.")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Discard the file").click()
    expect(page.get_by_text("was discarded: nothing of it was written")).to_be_visible()
