"""Writes of training runs, as ML staff follow them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.learning.models import TrainingRun

MOST_POINTS = 500


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
    return TrainingRun.objects.get_or_create(job_id=job_id, defaults=facts)[0]


@transaction.atomic
def append_history(*, job_id: UUID, point: Mapping[str, Any]) -> None:
    """Add a point, such as {"epoch", "loss", "seconds"}; the same epoch again replaces the old one."""
    run = TrainingRun.objects.select_for_update().get(pk=job_id)
    kept = [old for old in run.history if old.get("epoch") != point.get("epoch")]
    run.history = [*kept, dict(point)][-MOST_POINTS:]
    run.save(update_fields=["history"])


def note_checkpoint(*, job_id: UUID, name: str, digest: str) -> None:
    """Say where the run can be taken up again."""
    TrainingRun.objects.filter(pk=job_id).update(checkpoint_name=name, checkpoint_digest=digest)


def finish_run(*, job_id: UUID, result: Mapping[str, Any]) -> None:
    """Keep what came out."""
    TrainingRun.objects.filter(pk=job_id).update(result=dict(result))
