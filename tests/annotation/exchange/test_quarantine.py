"""An administrator decides: clear, and the image becomes a case; discard, and it is gone."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.exchange.quarantine import (
    NotClearableError,
    bring_back,
    clear_alike,
    clear_quarantined,
    discard_quarantined,
)
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.studies import files
from annotation.studies.models import ImportedFile, Instance, QuarantinedFile
from annotation.studies.selectors import quarantine_for, quarantine_preview
from annotation.studies.services import GRACE, NotHeldError, drop_discarded
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
    admin, now = a_user(is_admin=True), timezone.now()
    cleared, discarded = held(KINDS.PIXELS), held(KINDS.REJECTED)
    clear_quarantined(quarantined_id=cleared.pk, by=admin, now=now)
    discard_quarantined(quarantined_id=discarded.pk, by=admin, now=now)
    assert default_storage.exists(files.quarantine_name(discarded.source_digest)), "it can be brought back"
    assert drop_discarded(now=now + GRACE) == 0
    assert drop_discarded(now=now + GRACE * 2) == 1
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


def test_a_discard_is_taken_back_while_the_bytes_are_there(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    admin, now, waiting = a_user(is_admin=True), timezone.now(), held(KINDS.PIXELS)
    discard_quarantined(quarantined_id=waiting.pk, by=admin, now=now)
    returned = bring_back(quarantined_id=waiting.pk, by=admin, now=now + GRACE / 2)
    assert (returned.state, returned.decided_by, returned.kept_until) == (
        QuarantinedFile.State.HELD,
        None,
        None,
    )
    assert clear_quarantined(quarantined_id=waiting.pk, by=admin, now=now)
    with pytest.raises(NotHeldError, match="cannot be brought back"):
        bring_back(quarantined_id=waiting.pk, by=admin, now=now)
    actions = Event.objects.filter(object_id=str(waiting.pk)).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["quarantine.discarded", "quarantine.returned", "quarantine.cleared"]


def test_a_discard_is_final_after_its_grace(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    admin, now, waiting = a_user(is_admin=True), timezone.now(), held(KINDS.PIXELS)
    discard_quarantined(quarantined_id=waiting.pk, by=admin, now=now)
    with pytest.raises(NotHeldError, match="cannot be brought back"):
        bring_back(quarantined_id=waiting.pk, by=admin, now=now + GRACE * 2)


def test_masked_boxes_are_gone_from_the_stored_file_in_every_frame(deliver: Deliver, tmp_path: Path) -> None:
    made = phantoms.a_slice(modality="US")
    made.NumberOfFrames = 3
    pixels = np.full((3, 24, 20), 700, np.int16)
    pixels[:, 20, 10] = (-5, -6, -7)
    made.PixelData = pixels.tobytes()
    write(tmp_path, "d/cine.dcm", phantoms.dicom(made))
    deliver(tmp_path / "d")
    waiting = held(KINDS.PIXELS)
    instance = clear_quarantined(
        quarantined_id=waiting.pk, by=a_user(is_admin=True), now=timezone.now(), masks=[(2, 1, 9, 4)]
    )
    kept = dcm_of(instance)
    pixels[:, 1:4, 2:9] = np.array([-5, -6, -7]).reshape(3, 1, 1)
    assert (kept.pixel_array == pixels).all()
    assert [item.CodeValue for item in kept.DeidentificationMethodCodeSequence][:2] == ["113100", "113101"]
    waiting.refresh_from_db()
    assert waiting.masks == [[2, 1, 9, 4]]


def test_one_decision_masks_all_of_a_device_and_series(deliver: Deliver, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        made = phantoms.a_slice(number, modality="US")
        made.StationName = "US-ROOM-4" if number < 3 else "US-ROOM-5"
        write(tmp_path, f"d/{number}.dcm", phantoms.dicom(made))
    deliver(tmp_path / "d")
    chosen = QuarantinedFile.objects.get(arrivals__path="1.dcm")
    cleared = clear_alike(
        quarantined_id=chosen.pk, by=a_user(is_admin=True), now=timezone.now(), masks=[(0, 0, 20, 3)]
    )
    assert (cleared.done, cleared.left, cleared.problems) == (2, 0, [])
    left = QuarantinedFile.objects.filter(state=QuarantinedFile.State.HELD)
    assert [one.arrivals.get().path for one in left] == ["3.dcm"]
    for instance in Instance.objects.all():
        rows = dcm_of(instance).pixel_array
        assert (rows[:3] == rows.min()).all()


def test_a_box_outside_of_the_image_is_refused(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    with pytest.raises(NotClearableError, match="outside"):
        clear_quarantined(
            quarantined_id=held(KINDS.PIXELS).pk,
            by=a_user(is_admin=True),
            now=timezone.now(),
            masks=[(0, 0, 4000, 5)],
        )
    assert held(KINDS.PIXELS).state == QuarantinedFile.State.HELD


def dcm_of(instance: Instance) -> Dataset:
    with default_storage.open(files.instance_name(instance.digest)) as stored:
        return dcmread(io.BytesIO(stored.read()))


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
