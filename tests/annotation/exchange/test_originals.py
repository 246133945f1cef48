"""Files as they came: kept sealed where the data set says so, and nowhere in the clear."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings
from django.utils import timezone

from accounts.sealing import HEADER_BYTES, SealBrokenError
from annotation.exchange.deliveries import FolderFile
from annotation.exchange.lifecycle.backup.making import stored_names
from annotation.exchange.quarantine import clear_quarantined, discard_quarantined
from annotation.projects.models import Project
from annotation.studies import files, originals
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import Arrival, Intake, Treatment
from annotation.studies.models import Dataset, Instance, QuarantinedFile
from annotation.studies.originals import kept_in, opened, remove_some
from annotation.studies.services import drop_discarded, store
from audit.models import Event
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, write
from tests.annotation.studies.test_volumes import a_nifti
from tests.factories import a_user

Callbacks = Callable[..., AbstractContextManager[object]]


@pytest.fixture(autouse=True)
def no_originals(settings: Any) -> None:
    """Begin with none in the file store."""
    shutil.rmtree(settings.HOME.files / files.ORIGINALS, ignore_errors=True)


def keep(project: Project, *, keeps: bool = True) -> None:
    originals.keep_originals(dataset=project.dataset, keeps=keeps, by=a_user(is_admin=True))
    project.dataset.refresh_from_db()


def content_of(instance: Instance) -> bytes:
    with closing(opened(instance)) as original:
        content = b"".join(original)
        assert original.length == len(content)
        return content


def stored_originals() -> list[str]:
    return sorted(stored_names(files.ORIGINALS))


def names_of(instances: list[Instance]) -> list[str]:
    return sorted(files.original_name(one.source_digest) for one in instances)


def test_the_originals_of_all_admitted_files_are_kept(
    project: Project, deliver: Deliver, folder: Path
) -> None:
    keep(project)
    deliver(folder)
    stored = list(Instance.objects.all())
    assert len(stored) == 7
    assert stored_originals() == names_of(stored), "and of no file that waits or was refused"
    came = {path.read_bytes() for path in folder.rglob("*.*")}
    for one in stored:
        content = content_of(one)
        assert content in came
        assert default_storage.size(files.original_name(one.source_digest)) == one.original_bytes
        assert content[:64] not in files.read_whole(files.original_name(one.source_digest))
    assert kept_in(project.dataset) == (7, sum(one.original_bytes or 0 for one in stored))


def test_nothing_is_kept_unless_the_data_set_says_so(
    project: Project, deliver: Deliver, folder: Path
) -> None:
    deliver(folder)
    assert stored_originals() == []
    assert kept_in(project.dataset) == (0, 0)
    assert set(Instance.objects.values_list("original_bytes", flat=True)) == {None}


def test_volumes_are_kept_as_they_came(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    keep(project)
    volume = a_nifti((20, 20, 6))
    write(tmp_path / "d", "brain.nii", volume)
    deliver(tmp_path / "d")
    assert content_of(Instance.objects.get()) == volume
    with closing(opened(Instance.objects.get())) as original:
        assert original.suffix == ".nii"


def test_a_file_that_comes_again_changes_nothing(project: Project, deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    keep(project)
    deliver(folder)
    assert stored_originals() == [], "it was there before originals were kept"
    write(folder, "ct/9.dcm", phantoms.dicom(phantoms.a_slice(9)))
    deliver(folder)
    [name] = stored_originals()
    before = files.read_whole(name)
    deliver(folder)
    assert stored_originals() == [name]
    assert files.read_whole(name) == before


def test_the_same_image_in_another_file_keeps_the_first_one_s_alone(
    project: Project, deliver: Deliver, tmp_path: Path, django_capture_on_commit_callbacks: Callbacks
) -> None:
    keep(project)
    write(tmp_path / "d", "a.dcm", phantoms.dicom(phantoms.a_slice(1)))
    deliver(tmp_path / "d")
    again = phantoms.a_slice(1)
    again.PatientAddress = "elsewhere"
    write(tmp_path / "e", "a.dcm", phantoms.dicom(again))
    with django_capture_on_commit_callbacks(execute=True):
        delivery, _ = deliver(tmp_path / "e")
    assert delivery.duplicate == 1
    assert stored_originals() == names_of([Instance.objects.get()])


def test_what_is_turned_off_while_files_come_is_not_kept(
    project: Project, deliver: Deliver, folder: Path, django_capture_on_commit_callbacks: Callbacks
) -> None:
    keep(project)
    early = Dataset.objects.get(pk=project.dataset_id)
    keep(project, keeps=False)
    with Sandbox(1) as door, django_capture_on_commit_callbacks(execute=True):
        slice_1 = FolderFile("1.dcm", 1000, folder / "ct/1.dcm")
        [judged] = Intake(early, Treatment(), door).judged([[Arrival(slice_1)]])
        assert len(stored_originals()) == 1
        store(dataset=early, judged=judged, project_id=project.pk, now=timezone.now())
    assert stored_originals() == []
    assert kept_in(project.dataset) == (0, 0)


def held_ultrasound(project: Project, deliver: Deliver, folder: Path) -> QuarantinedFile:
    deliver(folder)
    return QuarantinedFile.objects.get(kind=QuarantinedFile.Kind.PIXELS)


@pytest.mark.parametrize("masks", [[], [[0, 0, 4, 4]]])
def test_a_file_that_an_admin_lets_in_keeps_its_original_too(
    project: Project,
    deliver: Deliver,
    folder: Path,
    masks: list[list[int]],
    django_capture_on_commit_callbacks: Callbacks,
) -> None:
    held = held_ultrasound(project, deliver, folder)
    keep(project)
    with django_capture_on_commit_callbacks(execute=True):
        one = clear_quarantined(
            quarantined_id=held.pk, by=a_user(is_admin=True), now=timezone.now(), masks=masks
        )
    assert content_of(one) == (folder / "us.dcm").read_bytes()
    assert stored_originals() == names_of([one])
    assert not default_storage.exists(files.quarantine_name(held.source_digest))


def test_without_the_setting_a_cleared_file_s_original_is_gone(
    project: Project, deliver: Deliver, folder: Path, django_capture_on_commit_callbacks: Callbacks
) -> None:
    held = held_ultrasound(project, deliver, folder)
    with django_capture_on_commit_callbacks(execute=True):
        clear_quarantined(quarantined_id=held.pk, by=a_user(is_admin=True), now=timezone.now())
    assert stored_originals() == []
    assert not default_storage.exists(files.quarantine_name(held.source_digest))


def test_a_discarded_file_is_not_kept(
    project: Project, deliver: Deliver, folder: Path, django_capture_on_commit_callbacks: Callbacks
) -> None:
    keep(project)
    held = held_ultrasound(project, deliver, folder)
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        discard_quarantined(quarantined_id=held.pk, by=a_user(is_admin=True), now=now)
        drop_discarded(now=now + timedelta(days=8))
    assert not default_storage.exists(files.quarantine_name(held.source_digest))
    assert not default_storage.exists(files.original_name(held.source_digest))


def test_another_installation_s_original_and_a_changed_one_are_refused(
    project: Project, deliver: Deliver, folder: Path
) -> None:
    keep(project)
    deliver(folder)
    one = Instance.objects.all()[0]
    with override_settings(SECRET_KEY="x" * 50), pytest.raises(SealBrokenError):
        opened(one)
    path = Path(default_storage.path(files.original_name(one.source_digest)))
    content = bytearray(path.read_bytes())
    content[HEADER_BYTES] ^= 1
    path.write_bytes(content)
    with pytest.raises(SealBrokenError):
        opened(one)


def test_the_choice_is_audited_and_turning_it_off_keeps_what_is_kept(
    project: Project, deliver: Deliver, folder: Path
) -> None:
    keep(project)
    deliver(folder)
    keep(project, keeps=False)
    write(folder, "ct/9.dcm", phantoms.dicom(phantoms.a_slice(9)))
    deliver(folder)
    assert len(stored_originals()) == kept_in(project.dataset)[0] == 7
    told = [one.details for one in Event.objects.filter(action="originals.keep").order_by("sequence")]
    assert told == [{"before": False, "after": True}, {"before": True, "after": False}]


def test_they_are_removed_some_at_a_time(
    project: Project, deliver: Deliver, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(project)
    deliver(folder)
    monkeypatch.setattr(originals, "AT_ONCE", 4)
    assert [remove_some(project.dataset) for _ in range(3)] == [4, 3, 0]
    assert stored_originals() == []
    assert Instance.objects.count() == 7
