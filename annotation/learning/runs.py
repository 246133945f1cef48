"""Writes of training runs, as ML staff follow them: history, log, memory, result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.learning.judged_models import RunLine
from annotation.learning.models import TrainingRun

MOST_POINTS = 500
MOST_SAMPLES = 240


@dataclass(frozen=True)
class NewRun:
    """What is being trained, for whom, with which settings."""

    kind: str
    dataset_id: UUID | None = None
    project_id: UUID | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def start_run(*, job_id: UUID, new: NewRun, now: datetime) -> TrainingRun:
    """Open a job's run; a job that runs again goes on with the run that it has."""
    facts = {
        "kind": new.kind,
        "dataset_id": new.dataset_id,
        "project_id": new.project_id,
        "settings": dict(new.settings),
        "created_at": now,
    }
    run, is_new = TrainingRun.objects.get_or_create(job_id=job_id, defaults=facts)
    note_line(job_id=job_id, event="started" if is_new else "resumed", values=new.settings)
    return run


def note_line(*, job_id: UUID, event: str, values: Mapping[str, Any]) -> None:
    """Add a line to a run's log: numbers and words of the run itself, never of an image or a person."""
    plain = {key: value for key, value in values.items() if isinstance(value, str | int | float)}
    RunLine.objects.create(run_id=job_id, at=timezone.now(), event=event, values=plain)


@transaction.atomic
def append_history(*, job_id: UUID, point: Mapping[str, Any]) -> None:
    """Add a point, such as {"epoch", "loss", "seconds"}; the same epoch again replaces the old one."""
    run = TrainingRun.objects.select_for_update().get(pk=job_id)
    kept = [old for old in run.history if old.get("epoch") != point.get("epoch")]
    if len(kept) == len(run.history):
        note_line(job_id=job_id, event="epoch", values=point)
    run.history = [*kept, dict(point)][-MOST_POINTS:]
    run.save(update_fields=["history"])


@transaction.atomic
def append_sample(*, job_id: UUID, sample: Mapping[str, float]) -> bool:
    """Add what a run's processes take just now; every second one goes where there are many.

    returns: False where the job keeps no run.
    """
    run = TrainingRun.objects.select_for_update().filter(pk=job_id).first()
    if run is None:
        return False
    samples = [*run.samples, dict(sample)]
    run.samples = samples if len(samples) <= MOST_SAMPLES else samples[::2]
    run.save(update_fields=["samples"])
    return True


def note_checkpoint(*, job_id: UUID, name: str, digest: str) -> None:
    """Say where the run can be taken up again."""
    TrainingRun.objects.filter(pk=job_id).update(checkpoint_name=name, checkpoint_digest=digest)


def finish_run(*, job_id: UUID, result: Mapping[str, Any]) -> None:
    """Keep what came out."""
    TrainingRun.objects.filter(pk=job_id).update(result=dict(result))
    if TrainingRun.objects.filter(pk=job_id).exists():
        note_line(job_id=job_id, event="finished", values=result)


def lines_of(run: TrainingRun) -> QuerySet[RunLine]:
    """List a run's log, the newest line first."""
    return RunLine.objects.filter(run=run).order_by("-pk")
