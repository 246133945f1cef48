"""Deleting, bringing back, erasing, storage and quotas, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.annotation.exchange.lifecycle.patients import ERASED
from tests.browser.axe import violations
from tests.browser.consoles import ADMINISTRATOR, own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SCENE = """
from pathlib import Path
from tests.annotation.exchange.lifecycle.patients import a_scene, mine
made = a_scene(Path({folder!r})).project
made.name = {name!r}
made.save()
print(made.pk, mine(made)[0].number)
"""
DO_JOBS = """
from jobs.models import Job
from mlworker.runtime import run
for one in Job.objects.filter(name="erase", state="queued"):
    run(one.pk)
"""


@pytest.fixture(scope="module")
def scene(fovea: Fovea, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A project with two patients; gives its address and the number of a case of the one to be erased."""
    fovea.run(ADMINISTRATOR.format(name="lydia", password=PASSWORD))
    folder = str(tmp_path_factory.mktemp("patients"))
    project_id, number = fovea.run(SCENE.format(folder=folder, name="Life cycle")).split()
    return f"{fovea.url}/projects/{project_id}", number


@pytest.fixture
def page(chromium: Browser, fovea: Fovea) -> Iterator[Page]:
    """An administrator's page; at the end no error and no breach of the policy."""
    with own_page(chromium, fovea) as opened:
        sign_in(opened, "lydia")
        yield opened


def confirm(page: Page, word: str) -> None:
    """Say yes to the question that a dangerous button asks."""
    page.get_by_role("dialog").get_by_role("button", name=word).click()


def test_a_study_is_deleted_and_brought_back(page: Page, scene: tuple[str, str]) -> None:
    url, number = scene
    page.goto(f"{url}/cases/{number}")
    page.get_by_label("Why").fill("wrong examination")
    page.get_by_role("button", name="Delete the study").click()
    confirm(page, "Delete it")
    expect(page.get_by_role("status")).to_contain_text(f"Case {number} is deleted")
    assert page.goto(f"{url}/cases/{number}").status == 404  # type: ignore[union-attr]
    page.goto(f"{url}/storage")
    expect(page.get_by_role("row", name="wrong examination")).to_contain_text("Kept until")
    assert violations(page) == []
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("status")).to_contain_text("is back")
    assert page.goto(f"{url}/cases/{number}").status == 200  # type: ignore[union-attr]


def test_a_quota_stops_an_upload_before_it_is_sent(page: Page, scene: tuple[str, str]) -> None:
    url, _ = scene
    page.goto(f"{url}/storage")
    page.get_by_label("Images, in GiB").fill("0.001")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("are used (")).to_be_visible()
    page.goto(f"{url}/import")
    files = [{"name": "big.dcm", "mimeType": "application/dicom", "buffer": bytes(2_000_000)}]
    page.locator("#choose-file").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send and import").click()
    expect(page.get_by_role("alert")).to_contain_text("quota of 1.0 MiB is used up")
    page.goto(f"{url}/storage")
    page.get_by_label("Images, in GiB").fill("")
    page.get_by_role("button", name="Save").click()


def test_a_patient_is_found_looked_at_and_erased(page: Page, fovea: Fovea, scene: tuple[str, str]) -> None:
    url, number = scene
    page.goto(f"{url}/erasure")
    page.get_by_label("Patient ID").fill("NOBODY")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is kept of this patient")
    expect(page.get_by_label("Patient ID")).to_have_value("")
    page.get_by_label("Patient ID").fill(ERASED)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="This will be removed")).to_be_visible()
    assert ERASED not in page.content()
    assert ERASED not in page.url
    assert violations(page) == []
    page.get_by_label("Why").fill("consent withdrawn")
    page.get_by_role("button", name="Erase the patient").click()
    confirm(page, "Erase")
    expect(page.get_by_role("status")).to_contain_text("is asked for")
    fovea.run(DO_JOBS)
    page.reload()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download").click()
    told = json.loads(Path(fetched.value.path()).read_text())
    assert told["removed"]["images"] == 3
    assert len(told["learned"]["models"]) == 1
    assert page.goto(f"{url}/cases/{number}").status == 404  # type: ignore[union-attr]


def test_a_project_is_deleted_and_brought_back(page: Page, fovea: Fovea, scene: tuple[str, str]) -> None:
    url, _ = scene
    page.goto(f"{url}/storage")
    page.get_by_label("Its name").fill("Life cycle")
    page.get_by_label("Why").fill("the study has ended")
    page.get_by_role("button", name="Delete the project").click()
    confirm(page, "Delete it")
    expect(page.get_by_role("status")).to_contain_text("The project is deleted")
    assert page.goto(url).status == 404  # type: ignore[union-attr]
    page.goto(f"{fovea.url}/deleted")
    assert violations(page) == []
    page.get_by_role("row", name="the study has ended").get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("heading", name="Storage")).to_be_visible()
