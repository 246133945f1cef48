"""The page for labels: what was said stands again where it was wrong, and where it is said once more."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from annotation.exchange.labels.models import LabelImport
from annotation.projects.models import Project
from tests.annotation.api.pages.addresses import address

pytestmark = pytest.mark.django_db


def handed(client: Client, project: Project, **said: str) -> tuple[int, str]:
    """Hand a table in; gives the status and the page."""
    told = {"source_name": "Labeler", "format": "csv", "use": "kept", "mapping": "", **said}
    file = SimpleUploadedFile("given.csv", b"path,label\na.png,normal\n")
    answer = client.post(address(project, "start-labels"), {**told, "file": file})
    return answer.status_code, answer.content.decode()


def test_a_mapping_that_is_wrong_is_said_in_words_and_stands_again(
    ml_staff: Client, project: Project
) -> None:
    status, page = handed(ml_staff, project, mapping="label=tumour")
    assert status == 422
    assert "asks no question" in page
    assert ">label=tumour</textarea>" in page
    assert not LabelImport.objects.exists()


def test_what_is_no_mapping_is_named(ml_staff: Client, project: Project) -> None:
    status, page = handed(ml_staff, project, mapping="label finding")
    assert status == 422
    assert "is no mapping" in page


def test_a_file_is_kept_and_its_check_asked_for(ml_staff: Client, project: Project) -> None:
    status, _ = handed(ml_staff, project, mapping="label=finding")
    made = LabelImport.objects.get()
    assert (status, made.state, made.mapping) == (302, "checking", {"label": "finding"})
    assert made.job_id is not None


def test_an_import_can_be_said_once_more(ml_staff: Client, project: Project) -> None:
    made = LabelImport.objects.create(
        project=project,
        source_name="Site B",
        use="reference",
        format="coco",
        mapping={"a": "finding"},
        file_title="x.json",
        created_at=timezone.now(),
    )
    page = ml_staff.get(address(project, "labels"), {"again": str(made.pk)}).content.decode()
    assert 'value="Site B"' in page
    assert ">a=finding</textarea>" in page
    assert 'value="coco" checked' in page
    assert ml_staff.get(address(project, "labels"), {"again": "none"}).status_code == 200
