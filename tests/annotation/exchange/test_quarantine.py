"""An administrator decides: clear, and the image becomes a case; discard, and it is gone."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.exchange.quarantine import NotClearableError, clear_quarantined, discard_quarantined
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.studies import files
from annotation.studies.models import ImportedFile, QuarantinedFile
from annotation.studies.selectors import quarantine_for, quarantine_preview
from annotation.studies.services import NotHeldError
from audit.models import Event
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, write
from tests.factories import a_reader, a_user

KINDS = QuarantinedFile.Kind


def held(kind: QuarantinedFile.Kind) -> QuarantinedFile:
    return QuarantinedFile.objects.get(kind=kind)


def test_a_cleared_image_becomes_a_case(deliver: Deliver, folder: Path, project: Project) -> None:
    deliver(folder)
    admin, before = a_user(is_admin=True), Case.objects.count()
    waiting = held(KINDS.PIXELS)
    instance = clear_quarantined(quarantined_id=waiting.pk, by=admin, now=timezone.now())
    case = Case.objects.get(series=instance.series)
    assert Case.objects.count() == before + 1
    assert case.project == project
    assert Entry.objects.filter(case=case).exists() == (case.stream != Case.Stream.HELD_OUT)
    assert ImportedFile.objects.get(path="us.dcm").instance == instance
    event = Event.objects.get(object_id=str(waiting.pk))
    assert (event.action, event.actor) == ("quarantine.cleared", str(admin.pk))


def test_a_cleared_image_delivered_again_is_there_already(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    clear_quarantined(quarantined_id=held(KINDS.PIXELS).pk, by=a_user(is_admin=True), now=timezone.now())
    _, report = deliver(folder)
    assert (report.stored, report.duplicate, report.quarantined) == (0, 8, 1)


@pytest.mark.django_db(transaction=True)
def test_decided_files_leave_no_bytes_in_quarantine(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    admin = a_user(is_admin=True)
    cleared, discarded = held(KINDS.PIXELS), held(KINDS.REJECTED)
    clear_quarantined(quarantined_id=cleared.pk, by=admin, now=timezone.now())
    discard_quarantined(quarantined_id=discarded.pk, by=admin, now=timezone.now())
    for one in (cleared, discarded):
        assert not default_storage.exists(files.quarantine_name(one.source_digest))
        assert not default_storage.exists(files.preview_name(one.source_digest))


def test_a_discarded_file_stays_out(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    discard_quarantined(quarantined_id=held(KINDS.PIXELS).pk, by=a_user(is_admin=True), now=timezone.now())
    _, report = deliver(folder)
    assert (report.stored, report.duplicate, report.quarantined) == (0, 7, 2)
    assert held(KINDS.PIXELS).state == QuarantinedFile.State.DISCARDED


def test_a_file_is_decided_once(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    admin, waiting = a_user(is_admin=True), held(KINDS.PIXELS)
    discard_quarantined(quarantined_id=waiting.pk, by=admin, now=timezone.now())
    with pytest.raises(NotHeldError, match="discarded already"):
        discard_quarantined(quarantined_id=waiting.pk, by=admin, now=timezone.now())


def test_what_cannot_be_read_cannot_be_cleared(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    with pytest.raises(NotClearableError, match="not an image"):
        clear_quarantined(
            quarantined_id=held(KINDS.REJECTED).pk, by=a_user(is_admin=True), now=timezone.now()
        )


def test_clearing_cannot_overwrite_an_image_of_the_same_uid(deliver: Deliver, tmp_path: Path) -> None:
    write(tmp_path, "d/1.dcm", phantoms.dicom(phantoms.a_slice(1)))
    write(tmp_path, "d/2.dcm", phantoms.dicom(phantoms.a_slice(1, modality="US")))
    deliver(tmp_path / "d")
    waiting = held(KINDS.PIXELS)
    with pytest.raises(NotClearableError, match="SOP Instance UID is stored already"):
        clear_quarantined(quarantined_id=waiting.pk, by=a_user(is_admin=True), now=timezone.now())
    waiting.refresh_from_db()
    assert waiting.state == QuarantinedFile.State.HELD


def test_held_pixels_are_shown_to_administrators_alone(
    deliver: Deliver, folder: Path, project: Project
) -> None:
    deliver(folder)
    waiting = held(KINDS.PIXELS)
    admin, reader = a_user(is_admin=True), a_reader(project)
    assert waiting in quarantine_for(admin, project.pk)
    assert quarantine_preview(admin, waiting.pk).content.startswith(b"\x89PNG")
    assert not quarantine_for(reader, project.pk).exists()
    with pytest.raises(QuarantinedFile.DoesNotExist):
        quarantine_preview(reader, waiting.pk)
