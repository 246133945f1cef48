"""What is deleted is seen by nobody at once, comes back whole in time, and is removed for good afterwards."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Role, User
from annotation.exchange.dicomweb_scope import scope_of
from annotation.exchange.imports import open_delivery, run_delivery
from annotation.exchange.lifecycle.deleting import Asked, delete_project, delete_study
from annotation.exchange.lifecycle.returning import bring_back
from annotation.exchange.out.freezing import freeze
from annotation.exchange.out.frozen import Frozen
from annotation.learning.selectors import labelled
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import case_for, projects_for
from annotation.queue.models import Entry
from annotation.queue.services import lease_next
from annotation.readings.adjudication_models import Dispute
from annotation.readings.gold_models import GoldCase
from annotation.readings.models import Reading
from annotation.readings.repeat_models import Repeat
from annotation.studies.models import Deletion, Instance, Patient
from annotation.studies.selectors import instances_for
from audit.models import Event
from mlworker.removing import ask_removal
from mlworker.runtime import run
from tests.annotation.exchange.conftest import write
from tests.annotation.exchange.lifecycle.patients import ERASED, Scene, a_file, mine
from tests.factories import a_client, a_member, a_user

pytestmark = pytest.mark.django_db(transaction=True)


def asked(now: datetime | None = None) -> Asked:
    """An administrator with a reason."""
    return Asked(a_user(is_admin=True), "wrong examination", now or timezone.now())


def everyone(scene: Scene) -> list[User]:
    """A reader, ML staff and an administrator."""
    return [scene.reader, a_member(scene.project, Role.ML_STAFF), a_user(is_admin=True)]


def seen_by(user: User, case: Case) -> tuple[bool, bool, int]:
    """Whether a person finds the case, its series over DICOMweb, and how many of its images."""
    series = scope_of(user, case.project_id).series().filter(pk=case.series_id)
    try:
        found = case_for(user, case.pk) is not None
    except Case.DoesNotExist:
        found = False
    return found, series.exists(), instances_for(user, case.pk).count()


def test_a_deleted_study_is_seen_by_nobody(scene: Scene) -> None:
    case, people = mine(scene.project)[0], everyone(scene)
    assert all(seen_by(one, case)[:2] == (True, True) for one in people)
    delete_study(project=scene.project, number=case.number, asked=asked())
    assert [seen_by(one, case) for one in people] == [(False, False, 0)] * 3
    client = a_client(people[2])
    assert client.get(f"/api/v1/cases/{case.pk}/thumbnail").status_code == 404
    assert client.get(f"/projects/{scene.project.pk}/cases/{case.number}").status_code == 404
    assert case.pk not in {row.case_id for row in labelled(scene.project.pk)}
    assert not scene.project.entries.filter(case=case).exists()


def test_a_deleted_study_is_in_no_snapshot_and_no_export(scene: Scene) -> None:
    before = freeze(project=scene.project, now=timezone.now(), progress=lambda _part, _words: None)
    case = mine(scene.project)[0]
    delete_study(project=scene.project, number=case.number, asked=asked())
    assert case.number not in [one.number for one in Frozen(before).cases()]
    after = freeze(project=scene.project, now=timezone.now(), progress=lambda _part, _words: None)
    assert after.card["cases"] == before.card["cases"] - 1
    assert not scene.project.exports.filter(expires_at__gt=timezone.now()).exists()


def test_a_study_that_is_brought_back_is_as_it_was(scene: Scene) -> None:
    case, reader = mine(scene.project)[0], scene.reader
    before = [seen_by(reader, case), Entry.objects.values().get(pk=case.pk), Reading.objects.count()]
    gone = delete_study(project=scene.project, number=case.number, asked=asked())
    bring_back(deletion_id=gone.pk, by=a_user(is_admin=True), now=timezone.now())
    assert [seen_by(reader, case), Entry.objects.values().get(pk=case.pk), Reading.objects.count()] == before
    assert Project.every.count() == 1
    actions = Event.objects.filter(action__startswith="deletion.").values_list("action", flat=True)
    assert list(actions) == ["deletion.study", "deletion.return"]


def test_a_deleted_case_is_in_dispute_in_practice_and_planned_again_nowhere(scene: Scene) -> None:
    case, now = mine(scene.project)[0], timezone.now()
    admin, project = a_user(is_admin=True), scene.project
    Dispute.objects.create(case=case, project=project, keys=[], opened_at=now, changed_at=now)
    Repeat.objects.create(case=case, project=project, reader=scene.reader, due_at=now)
    GoldCase.objects.create(
        case=case, project=project, answers={}, protocol_version=1, made_by=admin, created_at=now
    )
    gone = delete_study(project=project, number=case.number, asked=asked())
    for rows in (project.disputes, project.repeats, project.gold_cases):
        assert not rows.exists()
    bring_back(deletion_id=gone.pk, by=admin, now=now)
    for rows in (project.disputes, project.repeats, project.gold_cases):
        assert rows.get().case == case


def test_a_study_that_came_again_meanwhile_is_not_brought_back(scene: Scene, tmp_path: Path) -> None:
    case = mine(scene.project)[0]
    gone = delete_study(project=scene.project, number=case.number, asked=asked())
    series = 11 if case.series.modality == "CT" else 12
    write(tmp_path / "again", "1.dcm", a_file(ERASED, series, 1, modality=case.series.modality))
    again = open_delivery(project=scene.project, source_name="", requested_by=None, now=timezone.now())
    run_delivery(again.pk, source=tmp_path / "again", progress=lambda _part, _words: None)
    assert len(mine(scene.project)) == 2
    with pytest.raises(RefusedError, match="imported again"):
        bring_back(deletion_id=gone.pk, by=a_user(is_admin=True), now=timezone.now())


def test_who_holds_a_deleted_case_loses_it(scene: Scene) -> None:
    case = mine(scene.project)[0]
    Entry.objects.filter(pk=case.pk).update(state=Entry.State.WAITING)
    reader = a_member(scene.project, Role.READER)
    assert case in [one.case for one in lease_next(
        reader=reader, project_id=scene.project.pk, now=timezone.now()
    ).cases]  # fmt: skip
    delete_study(project=scene.project, number=case.number, asked=asked())
    assert lease_next(reader=reader, project_id=scene.project.pk, now=timezone.now()).cases == []


def test_a_deleted_project_is_there_for_nobody_and_comes_back_with_its_members(scene: Scene) -> None:
    project, people = scene.project, everyone(scene)
    gone = delete_project(project=project, asked=asked())
    assert [list(projects_for(one)) for one in people] == [[], [], []]
    case = Case.objects.filter(project=project)[0]
    assert all(instances_for(one, case.pk).count() == 0 for one in people)
    assert a_client(people[2]).get(f"/projects/{project.pk}").status_code == 404
    bring_back(deletion_id=gone.pk, by=a_user(is_admin=True), now=timezone.now())
    assert [list(projects_for(one)) for one in people] == [[project]] * 3
    assert Project.objects.get().name == project.name


def test_images_that_another_project_reads_stay_when_one_is_deleted(scene: Scene) -> None:
    Project.objects.create(name="second", dataset=scene.project.dataset, created_at=timezone.now())
    gone = delete_project(project=scene.project, asked=asked(timezone.now() - timedelta(days=9)))
    remove_overdue()
    gone.refresh_from_db()
    assert gone.removed_at is not None
    assert Instance.objects.count() == 6


def test_a_reason_is_asked_for(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="say why"):
        delete_project(project=scene.project, asked=Asked(a_user(is_admin=True), "  ", timezone.now()))
    assert Deletion.objects.count() == 0


def remove_overdue() -> None:
    """Do what the sweep asks for."""
    job = ask_removal(now=timezone.now())
    assert job is not None
    run(UUID(str(job.pk)))
    job.refresh_from_db()
    assert job.error == ""


def test_after_the_grace_period_images_are_gone_and_what_was_read_is_kept(scene: Scene) -> None:
    case = mine(scene.project)[0]
    digests = list(case.series.instances.values_list("digest", flat=True))
    gone = delete_study(
        project=scene.project, number=case.number, asked=asked(timezone.now() - timedelta(days=8))
    )
    remove_overdue()
    gone.refresh_from_db()
    assert gone.removed_at is not None
    assert not Instance.objects.filter(digest__in=digests).exists()
    for digest in digests:
        assert not default_storage.exists(f"instances/{digest[:2]}/{digest}.dcm")
        assert not default_storage.exists(f"thumbnails/{digest[:2]}/{digest}.png")
    assert Reading.objects.filter(case=case).count() == 1, "the labels' history stays"
    assert ask_removal(now=timezone.now()) is None
    with pytest.raises(RefusedError, match="cannot be brought back"):
        bring_back(deletion_id=gone.pk, by=a_user(is_admin=True), now=timezone.now())
    assert Instance.objects.count() == 6 - len(digests)


def test_before_the_grace_period_is_over_nothing_is_removed(scene: Scene) -> None:
    delete_project(project=scene.project, asked=asked(timezone.now() - timedelta(days=6)))
    assert ask_removal(now=timezone.now()) is None


def test_a_deleted_project_s_images_are_gone_after_the_grace_period(scene: Scene) -> None:
    delete_project(project=scene.project, asked=asked(timezone.now() - timedelta(days=8)))
    remove_overdue()
    assert Instance.objects.count() == 0
    for folder in ("instances", "thumbnails", "quarantine"):
        assert not [one for one in (settings.HOME.files / folder).rglob("*") if one.is_file()]
    assert Patient.objects.count() == 2
    assert Reading.objects.count() == 4
