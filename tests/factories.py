"""Rows that tests start from: made through the services where there is one, in bulk where there is none."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.confirming import note_password
from accounts.models import Role, User
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.projects.services import NewCase, add_cases, create_project, set_membership
from annotation.queue.models import Entry
from annotation.queue.rankings import add_entries
from annotation.readings.gold_models import Qualification
from annotation.readings.models import Revision
from annotation.readings.services import Answered, add_reading, examine
from annotation.studies.models import Dataset, Instance, Patient, Series, Study

PASSWORD = "correct horse battery staple"
CHOICES = [("normal", "Normal"), ("pneumonia", "Pneumonia")]
ROWS, COLUMNS, OFFSET = 8, 6, 128


def a_user(username: str = "", *, is_admin: bool = False) -> User:
    """Someone who can sign in with PASSWORD."""
    name = username or f"user-{uuid.uuid4().hex[:8]}"
    user: User = User.objects.create_user(username=name, password=PASSWORD)
    if is_admin:
        User.objects.filter(pk=user.pk).update(is_admin=True)
        user.refresh_from_db()
    return user


def a_project(name: str = "", *, choices: Sequence[tuple[str, str]] = CHOICES) -> Project:
    """A project that asks one question."""
    return create_project(
        name=name or f"project-{uuid.uuid4().hex[:8]}",
        choices=choices,
        prompt="What do you see?",
        now=timezone.now(),
    )


def a_member(project: Project, role: Role = Role.READER, username: str = "") -> User:
    """Someone with a role in the project."""
    user = a_user(username)
    set_membership(project=project, user=user, role=role)
    return user


def a_reader(project: Project, username: str = "") -> User:
    """Someone who reads in the project."""
    return a_member(project, Role.READER, username)


def some_series(dataset: Dataset, count: int = 1, *, frames: int = 1) -> list[Series]:
    """Series of one stored instance and one patient each: random 8-bit pixels whose files are there."""
    patients = Patient.objects.bulk_create(
        Patient(dataset=dataset, pseudonym=uuid.uuid4().hex) for _ in range(count)
    )
    studies = Study.objects.bulk_create(
        Study(dataset=dataset, patient=patient, study_instance_uid=a_uid()) for patient in patients
    )
    series = Series.objects.bulk_create(
        Series(study=study, series_instance_uid=a_uid(), modality="CR") for study in studies
    )
    instances = Instance.objects.bulk_create(an_instance(dataset, one, frames=frames) for one in series)
    for one, instance in zip(series, instances, strict=True):
        one.content_digest = hashlib.sha256(instance.digest.encode()).hexdigest()
    Series.objects.bulk_update(series, ["content_digest"], batch_size=200)
    return series


def an_instance(dataset: Dataset, series: Series, *, frames: int = 1, number: int = 1) -> Instance:
    """An unsaved instance whose file (a header of OFFSET bytes, then the frames) is in the store."""
    content = bytes(OFFSET) + np.random.default_rng().bytes(ROWS * COLUMNS * frames)
    digest = hashlib.sha256(content).hexdigest()
    default_storage.save(f"instances/{digest[:2]}/{digest}.dcm", ContentFile(content))
    return Instance(
        dataset=dataset,
        series=series,
        sop_instance_uid=a_uid(),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        instance_number=number,
        digest=digest,
        source_digest=digest,
        frames=frames,
        rows=ROWS,
        columns=COLUMNS,
        bits_allocated=8,
        pixel_offset=OFFSET,
        frame_bytes=ROWS * COLUMNS,
        attributes=attributes_of(frames),
        stored_at=timezone.now(),
    )


def attributes_of(frames: int = 1) -> dict[str, Any]:
    """What a viewer needs to know of such an instance."""
    return {
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "NumberOfFrames": frames,
        "Modality": "CR",
    }


def a_uid() -> str:
    """A DICOM UID made from a UUID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def some_cases(
    project: Project, count: int = 1, *, split: str = "", audit_share: float = 0.0, frames: int = 1
) -> list[Case]:
    """Cases with stored pixels, queued as a delivery's would be; all in the pool unless said otherwise."""
    items = [
        NewCase(series_id=series.pk, patient_id=series.study.patient_id, split=split)
        for series in some_series(project.dataset, count, frames=frames)
    ]
    cases = add_cases(project=project, items=items, now=timezone.now(), audit_share=audit_share)
    add_entries(project=project, cases=cases)
    return cases


def a_reading(reader: User, case: Case, answers: dict[str, Any], *, seconds: float = 5.0) -> Revision:
    """What a reader says of a case, by no lease: the queue is as if they had read it."""
    now, protocol = timezone.now(), protocol_in_force(case.project_id)
    answered = Answered(answers, seconds, protocol.version, uuid.uuid4())
    examined = examine(case=case, protocol=protocol, answered=answered)
    assert examined.problems == []
    revision = add_reading(reader=reader, case=case, examined=examined, answered=answered, now=now)
    Entry.objects.filter(case=case).update(state=Entry.State.DONE)
    return revision


def an_untested(reader: User, project: Project) -> None:
    """Let a reader's readings count only once they have passed a test."""
    chosen = protocol_in_force(project.pk)
    chosen.settings = {**chosen.settings, "qualification_cases": 2}
    chosen.save(update_fields=["settings"])
    Qualification.objects.create(project=project, reader=reader, asked_at=timezone.now())


def a_client(user: User | None = None, *, csrf: bool = False) -> Client:
    """A browser, signed in where somebody is named; csrf: tokens are checked as for a real one."""
    client = Client(enforce_csrf_checks=csrf)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def typed(client: Client) -> Client:
    """Note that the password of who is signed in was typed a moment ago."""
    session = client.session
    note_password(session)
    session.save()
    return client


def as_json(body: dict[str, Any] | None) -> str:
    """A request's body; nothing for none."""
    return "" if body is None else json.dumps(body)
