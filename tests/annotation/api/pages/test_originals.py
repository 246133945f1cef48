"""Originals, as an administrator chooses, fetches and removes them, and as nobody else does."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotation.exchange.imports import open_delivery, run_delivery
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.models import Import, Instance
from annotation.studies.originals import kept_in
from audit.models import Event
from jobs.models import Job
from mlworker.runtime import run
from tests import phantoms
from tests.annotation.studies.canaries import canary, found_in, plant
from tests.factories import a_client, a_project, a_user

pytestmark = pytest.mark.django_db(transaction=True)
WORD = canary(0)


@pytest.fixture
def project(settings: Any) -> Project:
    shutil.rmtree(settings.HOME.files / files.ORIGINALS, ignore_errors=True)
    return a_project()


def address(project: Project, name: str) -> str:
    return reverse(name, kwargs={"project_id": project.pk})


def turn(admin: Client, project: Project, *, on: bool) -> str:
    answer = admin.post(address(project, "keep-originals"), {"keeps": "on"} if on else {}, follow=True)
    project.dataset.refresh_from_db()
    return answer.content.decode()


@pytest.fixture
def came(admin: Client, project: Project, tmp_path: Path) -> bytes:
    """A slice full of canaries, imported where originals are kept."""
    turn(admin, project, on=True)
    made, preamble = plant(phantoms.a_slice(1))
    content = phantoms.dicom(made, preamble=preamble)
    (tmp_path / "ct.dcm").write_bytes(content)
    delivery = open_delivery(project=project, source_name="ward", requested_by=None, now=timezone.now())
    run_delivery(delivery.pk, source=tmp_path, progress=lambda _share, _words: None)
    return content


def original(project: Project) -> str:
    one = Instance.objects.select_related("series").get()
    named = {"project_id": project.pk, "study_id": one.series.study_id, "instance_id": one.pk}
    return reverse("fetch-original", kwargs=named)


def study_page(client: Client, project: Project) -> str:
    one = Instance.objects.select_related("series").get()
    named = {"project_id": project.pk, "study_id": one.series.study_id}
    return client.get(reverse("study", kwargs=named)).content.decode()


def test_keeping_is_off_and_explained(admin: Client, project: Project) -> None:
    page = admin.get(address(project, "deidentification")).content.decode()
    assert "An original names the patient" in page
    assert 'name="keeps">' in page
    assert "No original is kept now" in page


def test_the_choice_is_saved_said_and_audited(admin: Client, project: Project) -> None:
    page = turn(admin, project, on=True)
    assert "kept as they came too" in page
    assert 'name="keeps" checked>' in page
    assert Event.objects.get(action="originals.keep").details == {"before": False, "after": True}
    assert "No further originals are kept" in turn(admin, project, on=False)


def test_an_admin_fetches_the_file_as_it_came(
    admin: Client, project: Project, came: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert original(project) in study_page(admin, project)
    answer = admin.get(original(project))
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.getvalue() == came
    one = Instance.objects.get()
    assert answer["Content-Disposition"] == f'attachment; filename="{one.source_digest}.dcm"'
    assert answer["Content-Length"] == str(len(came))
    assert "no-store" in answer["Cache-Control"]
    event = Event.objects.get(action="original.fetch")
    assert (event.object_type, event.object_id, event.outcome) == ("instance", str(one.pk), "ok")
    assert found_in(caplog.text.encode()) == []
    assert found_in(json.dumps(list(Event.objects.values()), default=str).encode()) == []


def test_the_password_is_asked_for_first(project: Project, came: bytes) -> None:
    client = Client()
    client.force_login(User.objects.get(is_admin=True), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(original(project))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/confirm?")
    assert not Event.objects.filter(action="original.fetch").exists()


def test_the_password_is_asked_for_before_originals_are_kept_or_removed(project: Project) -> None:
    client = a_client(a_user(is_admin=True))
    onward = address(project, "deidentification")
    for name in ("keep-originals", "remove-originals"):
        answer = client.post(address(project, name), {"keeps": "on"})
        assert answer["Location"] == f"/confirm?{urlencode({'next': onward})}"
    project.dataset.refresh_from_db()
    assert project.dataset.keeps_originals is False
    assert not Job.objects.filter(name="remove_originals").exists()


def test_nobody_else_gets_one_or_is_shown_that_there_are_any(
    project: Project, came: bytes, ml_staff: Client, reader: Client, stranger: Client
) -> None:
    statuses = [client.get(original(project)).status_code for client in (ml_staff, reader, stranger)]
    assert statuses == [403, 403, 404]
    assert "original" not in study_page(ml_staff, project)
    assert not Event.objects.filter(action="original.fetch").exists()


def test_another_project_s_study_or_image_gives_none(admin: Client, project: Project, came: bytes) -> None:
    other = a_project()
    one = Instance.objects.select_related("series").get()
    for project_id, study_id, instance_id in (
        (other.pk, one.series.study_id, one.pk),
        (project.pk, other.pk, one.pk),
        (project.pk, one.series.study_id, other.pk),
    ):
        named = {"project_id": project_id, "study_id": study_id, "instance_id": instance_id}
        assert admin.get(reverse("fetch-original", kwargs=named)).status_code == 404


def test_one_that_cannot_be_opened_says_so(admin: Client, project: Project, came: bytes) -> None:
    name = files.original_name(Instance.objects.get().source_digest)
    Path(default_storage.path(name)).write_bytes(b"something else")
    assert "cannot be opened" in admin.get(original(project), follow=True).content.decode()
    files.remove(name)
    assert "it is gone" in admin.get(original(project), follow=True).content.decode()
    assert not Event.objects.filter(action="original.fetch").exists()


def test_all_are_removed_by_a_job_and_the_images_stay(admin: Client, project: Project, came: bytes) -> None:
    name = files.original_name(Instance.objects.get().source_digest)
    page = admin.post(address(project, "remove-originals"), follow=True).content.decode()
    assert "removal is under way" in page
    run(Job.objects.get(name="remove_originals").pk)
    assert not default_storage.exists(name)
    assert kept_in(project.dataset) == (0, 0)
    assert Instance.objects.count() == 1
    assert Event.objects.get(action="originals.remove").details["originals"] == 1
    assert admin.get(original(project)).status_code == 404
    assert "original" not in study_page(admin, project)


def test_a_certificate_says_how_many_are_kept(admin: Client, project: Project, came: bytes) -> None:
    url = reverse("certificate", kwargs={"import_id": Import.objects.get().pk})
    assert json.loads(admin.get(url, {"as": "json"}).content)["originals_kept"] == 1
    assert "1 kept as they came, sealed" in admin.get(url).content.decode()
    Instance.objects.update(original_bytes=None)
    assert "None kept" in admin.get(url).content.decode()


def test_no_api_page_or_picture_holds_the_patient(admin: Client, project: Project, came: bytes) -> None:
    case = project.cases.get()
    admin_pages = [
        address(project, name) for name in ("deidentification", "storage", "data", "import", "project")
    ]
    pages = [admin.get(page).content for page in admin_pages]
    pages += [a_client(User.objects.get(is_admin=True)).get(f"/api/v1/cases/{case.pk}/hanging").content]
    assert [found_in(page) for page in pages] == [[]] * len(pages)
    assert WORD in came
