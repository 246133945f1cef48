"""The end of kept originals: with their patient, their study, their data set; and in a backup."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.exchange.imports import open_delivery, run_delivery
from annotation.exchange.lifecycle.backup.making import make_backup, stored_names
from annotation.exchange.lifecycle.belongings import find, preview_of
from annotation.exchange.lifecycle.deleting import delete_project, delete_study
from annotation.exchange.lifecycle.usage import QuotaError, check_room, set_quota, usage_of
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.models import Dataset, Instance
from annotation.studies.originals import kept_in, opened
from mlworker.cleaning import clean_originals
from tests.annotation.exchange.conftest import write
from tests.annotation.exchange.lifecycle import patients
from tests.annotation.exchange.lifecycle.patients import ERASED, Scene, a_file, hits, mine
from tests.annotation.exchange.lifecycle.test_backup import manage_in, restored_in
from tests.annotation.exchange.lifecycle.test_deleting import asked, remove_overdue
from tests.annotation.exchange.lifecycle.test_erasing import erased
from tests.factories import a_project, a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
OPEN_ALL = (
    "from annotation.studies.models import Instance; from annotation.studies.originals import opened; "
    "print('opened', sum(len(b''.join(opened(one))) for one in Instance.objects.all()))"
)


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have scenes played where originals are kept."""

    def keeping() -> Project:
        project = a_project()
        Dataset.objects.filter(pk=project.dataset_id).update(keeps_originals=True)
        return project

    monkeypatch.setattr(patients, "a_project", keeping)


def stored() -> set[str]:
    return set(stored_names(files.ORIGINALS))


def expected() -> set[str]:
    return {files.original_name(one.source_digest) for one in Instance.objects.all()}


def test_an_erased_patient_s_originals_go_and_were_never_in_the_clear(scene: Scene) -> None:
    assert stored() == expected()
    assert len(stored()) == 6
    seen = preview_of(find(scene.project.dataset, pseudonym="", patient_id=ERASED))
    assert seen.originals == 3
    in_originals = [place for place, _ in hits(scene.secrets) if place.startswith(f"files/{files.ORIGINALS}")]
    assert in_originals == []
    asked_for = erased(scene)
    assert stored() == expected()
    assert len(stored()) == 3
    assert asked_for.certificate["removed"]["originals"] == 3
    assert hits(scene.secrets) == []


def test_an_original_that_no_row_names_any_more_goes_with_its_patient(scene: Scene) -> None:
    Instance.objects.update(original_bytes=None)
    erased(scene)
    assert stored() == expected()


def test_a_deleted_study_s_originals_go_when_nobody_brings_it_back(scene: Scene) -> None:
    case = mine(scene.project)[0]
    gone = expected() & {files.original_name(one.source_digest) for one in case.series.instances.all()}
    delete_study(project=scene.project, number=case.number, asked=asked(timezone.now() - timedelta(days=8)))
    assert gone < stored()
    remove_overdue()
    assert stored() == expected()
    assert not gone & stored()


def test_a_file_that_came_again_keeps_its_original_when_its_first_study_is_removed(
    scene: Scene, tmp_path: Path
) -> None:
    case = next(one for one in mine(scene.project) if one.series.modality == "MR")
    delete_study(project=scene.project, number=case.number, asked=asked(timezone.now() - timedelta(days=8)))
    write(tmp_path / "again", "1.dcm", a_file(ERASED, 12, 3, modality="MR"))
    again = open_delivery(project=scene.project, source_name="", requested_by=None, now=timezone.now())
    run_delivery(again.pk, source=tmp_path / "again", progress=lambda _part, _words: None)
    assert Instance.objects.count() == 7
    remove_overdue()
    assert stored() == expected()
    assert len(stored()) == 6


def test_a_deleted_project_s_originals_go(scene: Scene) -> None:
    delete_project(project=scene.project, asked=asked(timezone.now() - timedelta(days=8)))
    remove_overdue()
    assert stored() == set()


def test_they_are_counted_and_the_quota_knows_them(scene: Scene) -> None:
    used = usage_of(scene.project)
    assert used.originals == kept_in(scene.project.dataset)[1] == sum(map(default_storage.size, stored()))
    assert ("Originals", used.originals) in [row[:2] for row in used.rows()]
    assert used.counted == used.images + used.originals + used.held
    set_quota(project=scene.project, bytes_=used.counted, cases=None, by=a_user(is_admin=True))
    with pytest.raises(QuotaError, match="is used up"):
        check_room(scene.project.pk)


def test_a_restored_backup_opens_them(scene: Scene, tmp_path: Path) -> None:
    lengths = 0
    for one in Instance.objects.all():
        with closing(opened(one)) as original:
            lengths += original.length
    made = make_backup(tmp_path / "backups", now=timezone.now(), progress=lambda _part, _words: None)
    done = restored_in(tmp_path / "fresh", tmp_path / "backups", "--at", made.stamp)
    assert done.returncode == 0, done.stdout + done.stderr
    home = tmp_path / "fresh"
    for name in stored():
        assert (home / "files" / name).read_bytes() == files.read_whole(name)
    told = manage_in(home, "shell", "-c", OPEN_ALL)
    assert f"opened {lengths}" in told.stdout, told.stderr


def test_what_a_broken_import_left_goes_a_day_later(scene: Scene) -> None:
    left = Instance.objects.order_by("pk")[0]
    Instance.objects.filter(pk=left.pk).update(original_bytes=None)
    assert clean_originals(timezone.now()) == 0, "an import may be about to write its row"
    assert clean_originals(timezone.now() + timedelta(days=2)) == 1
    assert stored() == expected() - {files.original_name(left.source_digest)}
