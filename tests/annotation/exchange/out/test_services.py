"""Exports as rows and files: asked for, made by a job, fetched, expired, and audited once each."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Role, User
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import ExpiredError, file_of, remove_expired, request_export
from annotation.learning.models import Snapshot
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import set_membership
from annotation.readings.models import Revision
from audit.models import Event
from jobs.models import Job, State
from tests import factories
from tests.annotation.exchange.out.conftest import do_job, frozen, read_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    made = factories.a_project()
    factories.some_cases(made, 3)
    factories.some_cases(made, 1, split="test")
    read_all(made, lambda _case: {"finding": "normal"}, readers=1)
    return made


@pytest.fixture
def staff(project: Project) -> User:
    return factories.a_member(project, Role.ML_STAFF)


def made(project: Project, staff: User, name: str = "csv", snapshot: Snapshot | None = None) -> Export:
    """Ask, and do the job here: its spawned process would not see this test's files."""
    export = request_export(project=project, name=name, snapshot=snapshot, by=staff, now=timezone.now())
    do_job(export.job_id)
    export.refresh_from_db()
    return export


def test_an_export_freezes_the_project_and_makes_its_file(project: Project, staff: User) -> None:
    export = made(project, staff)
    assert export.snapshot is not None
    assert export.snapshot.card["cases"] == 4
    assert export.snapshot.card["readings"] == 3
    assert export.snapshot.card["by_split"] == {"not given": 3, "test": 1}
    assert default_storage.exists(export.file_name)
    assert export.file_name == f"exports/{export.file_digest[:2]}/{export.file_digest}.zip"
    assert export.report["counts"] == {"rows": 3}
    assert export.expires_at is not None
    assert export.ready_at is not None
    assert export.expires_at - export.ready_at == timedelta(days=7)
    assert Job.objects.filter(pk=str(export.job_id), state=State.DONE).exists()


def test_making_an_export_is_audited_once(project: Project, staff: User) -> None:
    export = made(project, staff)
    (event,) = Event.objects.filter(action="export.create")
    assert (event.actor, event.object_id) == (str(staff.pk), str(project.pk))
    assert event.details["export"] == str(export.pk)


def test_what_is_frozen_twice_is_one_snapshot_and_one_file(project: Project, staff: User) -> None:
    first, second = made(project, staff), made(project, staff)
    assert first.snapshot_id == second.snapshot_id
    assert first.file_name == second.file_name


def test_a_new_reading_is_another_snapshot_and_the_old_one_gives_the_old_file(
    project: Project, staff: User
) -> None:
    first = made(project, staff)
    factories.some_cases(project, 1)
    read_all(project, lambda _case: {"finding": "pneumonia"})
    second = made(project, staff)
    again = made(project, staff, snapshot=first.snapshot)
    assert second.snapshot_id != first.snapshot_id
    assert again.file_digest == first.file_digest != second.file_digest


def test_readers_are_pseudonyms_in_the_snapshot(project: Project) -> None:
    snapshot = frozen(project)
    with default_storage.open(snapshot.file_name) as stored:
        content = stored.read().decode()
    reader = Revision.objects.all()[0].reader
    assert reader is not None
    assert str(reader.pk) not in content
    assert reader.username not in content


def test_the_job_refuses_who_lost_the_role_since(project: Project, staff: User) -> None:
    export = request_export(project=project, name="csv", snapshot=None, by=staff, now=timezone.now())
    set_membership(project=project, user=staff, role=Role.READER)
    job = do_job(export.job_id)
    assert job.state == State.FAILED
    assert "no ML staff" in job.error


def test_an_expired_file_goes_and_one_that_another_export_names_stays(project: Project, staff: User) -> None:
    old, new = made(project, staff), made(project, staff)
    later = timezone.now() + timedelta(days=8)
    Export.objects.filter(pk=new.pk).update(expires_at=later + timedelta(days=1))
    assert remove_expired(now=later) == 1
    assert default_storage.exists(new.file_name)
    Export.objects.filter(pk=new.pk).update(expires_at=later - timedelta(hours=1))
    assert remove_expired(now=later) == 1
    assert not default_storage.exists(new.file_name)
    old.refresh_from_db()
    with pytest.raises(ExpiredError, match="has expired"):
        file_of(old, later)
    assert remove_expired(now=later) == 0


def test_a_snapshot_of_another_project_is_refused(project: Project, staff: User) -> None:
    foreign = frozen(factories.a_project())
    with pytest.raises(RefusedError, match="holds no readings of the project"):
        request_export(project=project, name="csv", snapshot=foreign, by=staff, now=timezone.now())


def test_a_format_that_is_not_there_is_refused(project: Project, staff: User) -> None:
    with pytest.raises(RefusedError, match="format is"):
        request_export(project=project, name="docx", snapshot=None, by=staff, now=timezone.now())
