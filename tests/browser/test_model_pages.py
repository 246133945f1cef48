"""Models in a real browser: compared, their mistakes looked at and read again, and one taken out."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, import_and_read, new_project, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
NAME, STAFF = "Models side by side", "modeller"
ANOTHER_READER = """
from annotation.projects.models import Project
from tests.factories import a_reader
print(a_reader(Project.objects.get(name={name!r}), "second-look").pk)
"""


@pytest.fixture(scope="module")
def project_id(whole_system: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a project whose models can be judged."""
    made = new_project(whole_system, NAME, STAFF, audit_share=0.4, refit_every=40)
    images = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("models"), 120)
    import_and_read(whole_system, NAME, images, "prompt")
    whole_system.run(ANOTHER_READER.format(name=NAME))
    return made


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea, project_id: str) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    assert project_id
    with own_page(chromium, whole_system) as opened:
        sign_in(opened, STAFF)
        yield opened


def two_models(page: Page, project_id: str) -> None:
    """Retrain until there are two versions."""
    for count in (1, 2):
        page.goto(f"/projects/{project_id}/learning")
        page.get_by_role("button", name="Retrain now").click()
        page.goto(f"/projects/{project_id}/learning/models")
        boxes = page.get_by_role("checkbox", name="Compare model")
        deadline = SLOW_MS // 1000
        while boxes.count() < count and deadline:
            page.wait_for_timeout(1000)
            page.reload()
            deadline -= 1
        assert boxes.count() >= count


def test_models_are_compared_and_a_cell_opens_its_cases(page: Page, project_id: str) -> None:
    two_models(page, project_id)
    assert violations_in_both_themes(page) == {}
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", name="What is taken for what")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("img", name="Figures of each model").first).to_be_visible()
    expect(page.get_by_role("img", name="How often each model is right").first).to_be_visible()
    assert violations_in_both_themes(page) == {}
    page.locator(".confusion td a").first.click()
    expect(page.locator(".judged img").first).to_be_visible()


def test_mistakes_are_filtered_and_read_again_with_controls(page: Page, project_id: str) -> None:
    page.goto(f"/projects/{project_id}/learning/errors")
    page.get_by_role("button", name="Judge").click()
    expect(page.locator("#data-busy")).to_have_count(0, timeout=SLOW_MS)
    expect(page.locator(".judged img").first).to_be_visible(timeout=SLOW_MS)
    assert violations_in_both_themes(page) == {}
    page.get_by_label("Kind of mistake").select_option(index=1)
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".judged img").first).to_be_visible()
    page.get_by_role("button", name="read again").click()
    expect(page.get_by_role("status").first).to_contain_text("of them controls")


def test_a_model_is_taken_out_as_a_file(page: Page, project_id: str) -> None:
    page.goto(f"/projects/{project_id}/learning/models")
    page.get_by_role("link", name="Card").first.click()
    expect(page.get_by_role("heading", name="Download")).to_be_visible()
    assert violations_in_both_themes(page) == {}
    page.get_by_role("radio", name="ONNX").check()
    page.get_by_role("button", name="Make the file").click()
    link = page.get_by_role("link", name="Download ONNX")
    expect(link.first).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as download:
        link.first.click()
    with zipfile.ZipFile(download.value.path()) as file:
        assert {"model.onnx", "README.md", "license.txt"} <= set(file.namelist())
