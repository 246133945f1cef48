"""Labels out, in a real browser on the whole running system: asked for, confirmed, followed, fetched."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.consoles import SLOW_MS, new_project, own_page, sign_in
from tests.browser.reading import small_delivery
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
READ = """
import uuid
from django.core.management import call_command
from django.utils import timezone
from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
call_command("import", {source!r}, project={name!r}, modality="DX")
project = Project.objects.get(name={name!r})
reader = User.objects.create_user("oscar", password={password!r})
set_membership(project=project, user=reader, role="reader")
work = lease_next(reader=reader, project_id=project.pk, now=timezone.now())
while work.cases:
    held, answered = work.cases[0], Answered({{"finding": "pneumonia"}}, 1.0, 1, uuid.uuid4())
    work = submit(
        reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=timezone.now()
    ).workload
"""
FORGET = """
from django.contrib.sessions.models import Session
from django.contrib.sessions.backends.db import SessionStore
for one in Session.objects.all():
    store = SessionStore(one.session_key)
    store["password_typed_at"] = 0.0
    store.save()
"""


@pytest.fixture(scope="module")
def project_url(whole_system: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project of a few chest X-rays, all of them read; beside it one that nobody has read."""
    delivery = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("out") / "delivery", 9)
    project = new_project(whole_system, "Labels out", "olga")
    whole_system.run(READ.format(name="Labels out", source=str(delivery), password=PASSWORD))
    return f"/projects/{project}/exports"


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea) -> Iterator[Page]:
    with own_page(chromium, whole_system) as opened:
        yield opened


def test_ml_staff_export_and_fetch_a_table_and_are_asked_for_the_password_once(
    page: Page, whole_system: Fovea, project_url: str, tmp_path: Path
) -> None:
    sign_in(page, "olga")
    page.goto(project_url)
    expect(page.get_by_text("Nothing was exported yet")).to_be_visible()
    whole_system.run(FORGET)
    page.get_by_role("radio", name="Parquet").check()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The password is wrong")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Parquet")).to_be_checked()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("Ready")).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Parquet").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        assert "readings.parquet" in archive.namelist()
    expect(page.get_by_role("cell", name="9", exact=True).first).to_be_visible()


def test_fetching_late_asks_for_the_password_and_leads_back_to_the_file(
    page: Page, whole_system: Fovea, project_url: str
) -> None:
    sign_in(page, "olga")
    page.goto(project_url)
    expect(page.get_by_role("link", name="Download Parquet")).to_be_visible(timeout=SLOW_MS)
    whole_system.run(FORGET)
    page.get_by_role("link", name="Download Parquet").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("status").get_by_role("link", name="Download Parquet").click()
    assert download.value.suggested_filename.endswith("-parquet.zip")


def test_an_export_that_cannot_be_made_says_why(page: Page, project_url: str) -> None:
    sign_in(page, "olga")
    page.goto(project_url)
    page.get_by_role("radio", name="COCO").check()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("the protocol asks for no boxes, outlines or masks")).to_be_visible(
        timeout=SLOW_MS
    )
    expect(page.get_by_text("Failed")).to_be_visible()
