"""A patient is removed from every place, others stay whole, and the certificate says what learned of it."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.exchange.lifecycle.belongings import (
    Belongings,
    UnknownPatientError,
    find,
    preview_of,
    subject_of,
)
from annotation.exchange.lifecycle.erasing import certificate_of, request_erasure
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import request_export
from annotation.learning.models import ModelVersion, Snapshot
from annotation.projects.rules import RefusedError
from annotation.readings.models import Reading
from annotation.studies.keys import dataset_key, pseudonym_of
from annotation.studies.models import Import, Instance, QuarantinedFile
from audit.models import Event
from audit.services import verify
from jobs.models import Job
from mlworker.runtime import run
from tests.annotation.exchange.lifecycle.patients import ERASED, OTHER, Scene, deliver, hits
from tests.factories import a_user

pytestmark = pytest.mark.django_db(transaction=True)


def found_by_id(scene: Scene) -> Belongings:
    """The patient, found as an administrator who has the Patient ID finds it."""
    return find(scene.project.dataset, pseudonym="", patient_id=f" {ERASED} ")


def erased(scene: Scene) -> Erasure:
    """Ask for the erasure, and do its job twice."""
    admin = a_user(is_admin=True)
    asked = request_erasure(
        project=scene.project, found=found_by_id(scene), reason="asked to", by=admin, now=timezone.now()
    )
    for _ in range(2):
        run(UUID(str(asked.job_id)))
    asked.refresh_from_db()
    assert Job.objects.get(pk=str(asked.job_id)).error == ""
    return asked


def test_nothing_of_the_patient_is_found_anywhere_afterwards(scene: Scene) -> None:
    assert {name for _, name in hits(scene.secrets)} == set(scene.secrets), "each was somewhere before"
    erased(scene)
    assert hits(scene.secrets) == []


def test_other_patients_keep_everything(scene: Scene) -> None:
    other = find(scene.project.dataset, pseudonym="", patient_id=OTHER)
    before = (other.instances.count(), other.cases.count(), other.readings.count(), other.held.count())
    erased(scene)
    again = find(scene.project.dataset, pseudonym="", patient_id=OTHER)
    assert (
        again.instances.count(),
        again.cases.count(),
        again.readings.count(),
        again.held.count(),
    ) == before
    assert min(before) > 0
    for instance in Instance.objects.all():
        assert default_storage.exists(f"instances/{instance.digest[:2]}/{instance.digest}.dcm")


def test_the_certificate_lists_what_learned_from_the_patient(scene: Scene) -> None:
    done = erased(scene)
    told = certificate_of(done)
    model = ModelVersion.objects.get()
    assert [one["artefact"] for one in told["learned"]["models"]] == [model.artefact_digest]
    assert {one["digest"] for one in told["snapshots"]} == set(
        Snapshot.objects.values_list("digest", flat=True)
    )
    assert told["removed"]["images"] == 3
    assert told["removed"]["held_files"] == 2
    assert told["removed"]["vectors"] == 2
    assert told["done_at"]
    json.dumps(told)


def test_snapshots_are_marked_and_their_files_and_exports_are_gone(scene: Scene) -> None:
    erased(scene)
    for snapshot in Snapshot.objects.all():
        assert snapshot.erased_members == 2
        assert not default_storage.exists(snapshot.file_name)
    export = Export.objects.get()
    assert export.removed_at is not None
    assert not default_storage.exists(export.file_name)
    with pytest.raises(RefusedError, match="were erased"):
        request_export(
            project=scene.project,
            name="csv",
            snapshot=export.snapshot,
            by=a_user(is_admin=True),
            now=timezone.now(),
        )


def test_the_audit_tells_of_it_without_the_patient(scene: Scene) -> None:
    done = erased(scene)
    events = Event.objects.filter(object_id=str(done.pk)).values_list("action", flat=True)
    assert list(events) == ["erasure.request", "erasure.done"]
    assert verify().intact


def test_the_preview_counts_what_will_go(scene: Scene) -> None:
    seen = preview_of(found_by_id(scene))
    assert (seen.studies, seen.images, seen.cases, seen.readings, seen.held) == (2, 3, 2, 2, 2)
    assert (seen.snapshots, seen.exports, seen.models) == (2, 1, 1)
    assert seen.unfinished_uploads == 1
    assert seen.image_bytes > 0
    assert Instance.objects.count() == 6


def test_whom_nobody_knows_is_said_to_be_unknown(scene: Scene) -> None:
    with pytest.raises(UnknownPatientError):
        find(scene.project.dataset, pseudonym="", patient_id="NOBODY")
    with pytest.raises(UnknownPatientError):
        find(scene.project.dataset, pseudonym="", patient_id="")


def test_files_that_were_held_before_their_patient_was_noted_are_found_all_the_same(scene: Scene) -> None:
    QuarantinedFile.objects.update(patient="")
    erased(scene)
    assert hits(scene.secrets) == []
    assert QuarantinedFile.objects.count() == 2


def test_an_erasure_waits_until_no_image_is_coming_in(scene: Scene) -> None:
    found = found_by_id(scene)
    Import.objects.filter(source_name="u").update(state=Import.State.RUNNING)
    with pytest.raises(RefusedError, match="wait until the import has ended"):
        request_erasure(
            project=scene.project, found=found, reason="", by=a_user(is_admin=True), now=timezone.now()
        )
    assert Erasure.objects.count() == 0


def test_the_patient_can_be_delivered_again(scene: Scene, tmp_path: Path) -> None:
    erased(scene)
    deliver(scene.project, tmp_path / "again", "again", ERASED, 1)
    assert found_by_id(scene).instances.count() == 3
    assert Reading.objects.filter(case__in=found_by_id(scene).cases).count() == 0


def test_the_subject_proves_whom_it_was_about(scene: Scene) -> None:
    subject = erased(scene).subject
    dataset_id = scene.project.dataset_id
    assert subject == subject_of(dataset_id, pseudonym_of(dataset_key(dataset_id), ERASED))


def test_nothing_is_left_in_the_uploads(scene: Scene) -> None:
    erased(scene)
    assert list(settings.HOME.spool.iterdir()) == []
    assert Import.objects.get(source_name="u").state == Import.State.FAILED
