"""Options of de-identification, one file before and after, and a delivery's certificate."""

import json
import logging
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pydicom import dcmread

from annotation.exchange.imports import open_delivery, run_delivery
from annotation.projects.models import Project
from annotation.studies.files import instance_name
from annotation.studies.models import Import, Instance, QuarantinedFile
from audit.models import Event
from tests import phantoms
from tests.annotation.studies.canaries import canary, found_in, plant

CHOSEN = {"option": ["patient", "dates"]}


def address(project: Project, name: str = "deidentification") -> str:
    return reverse(name, kwargs={"project_id": project.pk})


def delivered(project: Project, folder: Path) -> Import:
    delivery = open_delivery(project=project, source_name="ward", requested_by=None, now=timezone.now())
    run_delivery(delivery.pk, source=folder, progress=lambda _share, _words: None)
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two CT slices full of canaries, an ultrasound image, and a file that is no image."""
    for number in (1, 2):
        made, preamble = plant(phantoms.a_slice(number))
        made.PatientAge, made.PatientWeight, made.PatientSex = "093Y", "71.5", "F"
        (tmp_path / f"{number}.dcm").write_bytes(phantoms.dicom(made, preamble=preamble))
    (tmp_path / "us.dcm").write_bytes(phantoms.dicom(phantoms.a_slice(3, modality="US")))
    (tmp_path / "notes.dcm").write_bytes(b"no DICOM at all")
    return tmp_path


def test_options_are_explained_and_the_default_is_ticked(admin: Client, project: Project) -> None:
    page = admin.get(address(project)).content.decode()
    assert "edition 2026c" in page
    assert page.count('name="option"') == 5
    assert 'value="dates" checked' in page
    assert 'value="patient" checked' not in page


def test_a_choice_holds_for_later_imports_and_is_audited(
    admin: Client, project: Project, folder: Path
) -> None:
    early = open_delivery(project=project, source_name="early", requested_by=None, now=timezone.now())
    assert "Saved" in admin.post(address(project), CHOSEN, follow=True).content.decode()
    project.refresh_from_db()
    later = delivered(Project.objects.get(pk=project.pk), folder)
    assert (early.options, later.options) == (["dates", "descriptors"], ["dates", "patient"])
    kept = dcmread(stored_path(Instance.objects.order_by("instance_number")[0]))
    assert (kept.PatientAge, kept.PatientSex, kept.PatientWeight) == ("090Y", "F", 71.5)
    assert [one.CodeValue for one in kept.DeidentificationMethodCodeSequence] == [
        "113100",
        "113107",
        "113108",
    ]
    event = Event.objects.get(action="deidentification.options")
    assert event.details == {"before": "dates descriptors", "after": "dates patient"}


def stored_path(instance: Instance) -> str:
    return default_storage.path(instance_name(instance.digest))


def test_without_dates_none_is_left_and_the_file_says_so(
    admin: Client, project: Project, folder: Path
) -> None:
    admin.post(address(project), {"option": []})
    delivered(Project.objects.get(pk=project.pk), folder)
    kept = dcmread(stored_path(Instance.objects.all()[0]))
    assert (kept.StudyDate, kept.StudyTime) == ("", "")
    assert "AcquisitionDate" not in kept
    assert kept.LongitudinalTemporalInformationModified == "REMOVED"
    assert [one.CodeValue for one in kept.DeidentificationMethodCodeSequence] == ["113100"]


def test_a_file_is_shown_before_and_after_and_nothing_of_it_stays(
    admin: Client, project: Project, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    content = (folder / "1.dcm").read_bytes()
    answer = admin.post(
        address(project, "try-file"), {"file": SimpleUploadedFile("x.dcm", content), "option": ["patient"]}
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert canary(0).decode() in page, "it is the administrator's own file"
    assert '<span class="deed dropped">dropped</span>' in page
    assert "090Y" in page
    assert "Not saved" in page
    assert not Instance.objects.exists()
    assert not QuarantinedFile.objects.exists()
    assert found_in(caplog.text.encode()) == []
    assert found_in(json.dumps(list(Event.objects.values()), default=str).encode()) == []


def test_a_file_that_cannot_be_used_says_why(admin: Client, project: Project) -> None:
    sent = {"file": SimpleUploadedFile("x.dcm", b"no image at all")}
    assert "would go to quarantine" in admin.post(address(project, "try-file"), sent).content.decode()


def test_no_file_is_asked_for_again(admin: Client, project: Project) -> None:
    answer = admin.post(address(project, "try-file"))
    assert answer.status_code == 422
    assert "Choose a file first" in answer.content.decode()


def test_a_certificate_counts_what_was_done_and_states_no_value(
    admin: Client, project: Project, folder: Path
) -> None:
    delivery = delivered(project, folder)
    url = reverse("certificate", kwargs={"import_id": delivery.pk})
    stated = json.loads(admin.get(url, {"as": "json"}).content)
    assert stated["standard"] == {"part": "DICOM PS3.15 Annex E", "table": "E.1-1", "edition": "2026c"}
    assert stated["files"] == {"total": 4, "stored": 2, "duplicate": 0, "quarantined": 2}
    performed = {one["code"] for one in stated["options"] if one["performed"]}
    assert performed == {"113100", "113105", "113107"}
    by_tag = {one["tag"]: one for one in stated["attributes"]}
    assert by_tag["(0020,000D)"]["replaced"] == 2
    assert by_tag["(0008,0020)"]["shifted"] == 2
    assert by_tag["(0010,4000)"]["dropped"] == 2
    assert by_tag["private"]["dropped"] == 8
    reasons = {one["reason"].split(":")[0]: one["files"] for one in stated["quarantine"]}
    assert len(reasons) == 2
    pages = [admin.get(url).content, admin.get(url, {"as": "html"}).content]
    assert all(b"Certificate of de-identification" in page for page in pages)
    assert found_in(b"".join([json.dumps(stated).encode(), *pages])) == []


def test_a_masked_image_is_counted_in_its_delivery_s_certificate(
    admin: Client, project: Project, folder: Path
) -> None:
    delivery = delivered(project, folder)
    held = QuarantinedFile.objects.get(kind=QuarantinedFile.Kind.PIXELS)
    admin.post(reverse("clear-quarantined", kwargs={"quarantined_id": held.pk}), {"masks": "[[0, 0, 5, 5]]"})
    stated = json.loads(
        admin.get(reverse("certificate", kwargs={"import_id": delivery.pk}), {"as": "json"}).content
    )
    assert {one["code"]: one["performed"] for one in stated["options"]}["113101"]
    assert {one["tag"]: one for one in stated["attributes"]}["(0020,000D)"]["replaced"] == 3
    assert {one["state"] for one in stated["quarantine"]} == {"Held", "Cleared"}
