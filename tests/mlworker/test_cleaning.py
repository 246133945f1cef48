"""What nobody needs any more is removed; what somebody may still need stays."""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.exchange.imports import open_delivery
from annotation.learning.files import keep
from annotation.learning.models import Encoder
from annotation.learning.services import NewEncoder, choose_encoder, register_encoder
from annotation.projects.models import Project
from annotation.studies.models import Import
from jobs.models import Job, Lane, State
from mlworker.cleaning import ask_cleaning, clean_checkpoints, clean_incoming, clean_uploads, clean_weights
from mlworker.runtime import run
from tests.factories import a_project

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_folders() -> Iterator[None]:
    """Leave nothing of other tests."""
    for folder in (settings.HOME.spool, settings.HOME.root / "checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)
    yield
    shutil.rmtree(settings.HOME.root / "checkpoints", ignore_errors=True)


def an_upload(project: Project, state: Import.State, age: timedelta) -> Import:
    """A delivery with something in its folder."""
    made = open_delivery(project=project, source_name="x", requested_by=None, now=timezone.now() - age)
    Import.objects.filter(pk=made.pk).update(state=state)
    folder = settings.HOME.spool / str(made.pk) / "parts"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(b"half")
    return made


def test_uploads_that_nobody_will_read_are_removed() -> None:
    project, week, hour = a_project(), timedelta(days=8), timedelta(hours=1)
    states = Import.State
    gone = [
        an_upload(project, states.DONE, hour),
        an_upload(project, states.FAILED, week),
        an_upload(project, states.WAITING, week),
    ]
    kept = [
        an_upload(project, states.RUNNING, week),
        an_upload(project, states.FAILED, hour),
        an_upload(project, states.WAITING, hour),
    ]
    (settings.HOME.spool / "demo").mkdir()
    assert set(clean_uploads(timezone.now())) == {one.pk for one in gone}
    left = {one.name for one in settings.HOME.spool.iterdir()}
    assert left == {str(one.pk) for one in kept} | {"demo"}
    gone[2].refresh_from_db()
    assert gone[2].state == states.FAILED
    assert "send it again" in gone[2].error


def a_checkpoint(state: State | None, ended: datetime, *, folder: bool = False) -> Path:
    """A checkpoint, and the job that wrote it."""
    name = uuid.uuid4()
    path: Path = settings.HOME.root / "checkpoints" / (str(name) if folder else f"{name}.pt")
    path.parent.mkdir(exist_ok=True)
    if folder:
        path.mkdir()
    else:
        path.write_bytes(b"weights")
    os.utime(path, (ended.timestamp(), ended.timestamp()))
    if state is not None:
        Job.objects.create(
            name="pretrain",
            lane=Lane.TRAINING,
            arguments={"checkpoint": str(name)},
            state=state,
            created_at=ended,
            finished_at=ended if state not in (State.QUEUED, State.RUNNING) else None,
        )
    return path


def test_checkpoints_of_trainings_that_nobody_resumed_are_removed() -> None:
    now = timezone.now()
    old, new = now - timedelta(days=8), now - timedelta(days=1)
    gone = [a_checkpoint(State.CANCELLED, old), a_checkpoint(State.FAILED, old, folder=True)]
    gone.append(a_checkpoint(None, old))
    kept = [a_checkpoint(State.CANCELLED, new), a_checkpoint(State.RUNNING, old)]
    assert len(clean_checkpoints(now)) == 3
    assert [one.exists() for one in gone + kept] == [False] * 3 + [True] * 2


def a_trained_encoder(project: Project, age_days: int) -> Encoder:
    """An encoder that was trained here."""
    stored = keep(uuid.uuid4().bytes, folder="encoders", suffix=".safetensors")
    new = NewEncoder("trained", uuid.uuid4().hex * 2, 8, {}, stored.name, {"method": "SimCLR"})
    return register_encoder(dataset=project.dataset, new=new, now=timezone.now() - timedelta(days=age_days))


def test_refused_weights_go_but_for_the_newest_three_and_those_in_use() -> None:
    project = a_project()
    encoders = [a_trained_encoder(project, age) for age in range(6)]
    choose_encoder(project=project, encoder=encoders[5])
    names = [one.weights_name for one in encoders]
    assert clean_weights() == names[3:5]
    assert [default_storage.exists(one) for one in names] == [True, True, True, False, False, True]
    assert clean_weights() == []
    assert Encoder.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_for_once_a_day() -> None:
    now = timezone.now()
    job = ask_cleaning(now=now)
    assert job is not None
    half = Path(default_storage.path("quarantine/00/.new-0"))
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"a file whose writer was killed")
    os.utime(half, ((now - timedelta(days=2)).timestamp(),) * 2)
    run(job.pk)
    assert not half.exists()
    job.refresh_from_db()
    assert (job.state, job.error) == (State.DONE, "")
    assert ask_cleaning(now=now + timedelta(hours=5)) is None
    assert ask_cleaning(now=now + timedelta(hours=25)) is not None


def sent_weights(state: State | None) -> str:
    """A file that was sent, and the job that checks it."""
    name = default_storage.save(f"incoming/{uuid.uuid4().hex}.safetensors", ContentFile(b"weights"))
    if state is not None:
        arguments = {"stored": name}
        now = timezone.now()
        Job.objects.create(
            name="add_encoder", lane=Lane.TRAINING, arguments=arguments, state=state, created_at=now
        )
    return name


def test_weights_that_no_job_will_check_any_more_are_removed_after_a_day() -> None:
    names = {state: sent_weights(state) for state in (None, State.FAILED, State.QUEUED, State.RUNNING)}
    assert set(clean_incoming(timezone.now())).isdisjoint(names.values())
    removed = clean_incoming(timezone.now() + timedelta(days=2))
    assert {state for state, name in names.items() if name in removed} == {None, State.FAILED}
    left = {state for state, name in names.items() if default_storage.exists(name)}
    assert left == {State.QUEUED, State.RUNNING}


def test_an_upload_that_is_just_being_announced_is_left_alone() -> None:
    """Its folder is there a moment before its row is."""
    folder = settings.HOME.spool / str(uuid.uuid4())
    folder.mkdir(parents=True)
    assert clean_uploads(timezone.now()) == []
    assert [str(one) for one in clean_uploads(timezone.now() + timedelta(days=2))] == [folder.name]
    assert not folder.exists()
