"""Originals in a real browser: kept by a tick, fetched from a study's page, removed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.consoles import ADMINISTRATOR, own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PROJECT = """
from tests.factories import a_project
made = a_project()
made.name = "Originals"
made.save()
print(made.pk)
"""
DELIVER = """
from pathlib import Path
from annotation.projects.models import Project
from tests.annotation.exchange.lifecycle.patients import a_file, deliver, mine
project = Project.objects.get(pk={project!r})
deliver(project, Path({folder!r}), "came", "CANARY-PATIENT-7", 1)
print(next(one.series.study_id for one in mine(project) if one.series.modality == "CT"))
"""
DO_JOBS = """
from jobs.models import Job
from mlworker.runtime import run
for one in Job.objects.filter(name="remove_originals", state="queued"):
    run(one.pk)
"""


@pytest.fixture
def page(chromium: Browser, fovea: Fovea) -> Iterator[Page]:
    """An administrator's page; at the end no error and no breach of the policy."""
    fovea.run(ADMINISTRATOR.format(name="olga", password=PASSWORD))
    with own_page(chromium, fovea) as opened:
        sign_in(opened, "olga")
        yield opened


def test_originals_are_kept_fetched_and_removed(
    page: Page, fovea: Fovea, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = fovea.run(PROJECT).strip()
    url = f"{fovea.url}/projects/{project}"
    page.goto(f"{url}/deidentification")
    card = page.locator("#originals")
    expect(card).to_contain_text("An original names the patient.")
    card.get_by_label("Keep each admitted file").check()
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("kept as they came too")
    folder = str(tmp_path_factory.mktemp("came"))
    study = fovea.run(DELIVER.format(project=project, folder=folder)).strip()

    page.goto(f"{url}/data/studies/{study}")
    page.get_by_text("2 originals").click()
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Image 1").click()
    assert download.value.suggested_filename.endswith(".dcm")
    assert b"CANARY-PATIENT-7" in download.value.path().read_bytes()

    page.goto(f"{url}/deidentification")
    expect(card).to_contain_text("3 kept")
    assert violations(page) == []
    card.get_by_role("button", name="Remove the kept originals").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove them").click()
    expect(card).to_contain_text("removal is under way")
    fovea.run(DO_JOBS)
    page.reload()
    expect(card).to_contain_text("No original is kept now")
    page.goto(f"{url}/data/studies/{study}")
    expect(page.get_by_text("2 originals")).to_have_count(0)
