"""Checks of a project's labels: asked for, kept by a job, read by ML staff and administrators."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.check_models import LabelCheck
from annotation.learning.selectors import learning_project
from annotation.projects.models import Project
from annotation.projects.services import record_act
from annotation.readings.models import Revision
from jobs.models import Job, Lane

# A reader's usual time is known from so many readings; a fifth of it is too little to have looked.
FEWEST_READINGS, HASTY = 20, 0.2
MOST_KEPT = 200


class Spent(NamedTuple):
    """How long one reading took."""

    case: int
    reader: str
    seconds: float


@dataclass(frozen=True)
class Checked:
    """What a job found; doubted and hasty as LabelCheck keeps them."""

    doubted: Sequence[dict[str, Any]]
    hasty: Sequence[dict[str, Any]]
    labels: int
    readings: int
    seconds: float


@transaction.atomic
def request_check(*, project: Project, by: User) -> Job:
    """Ask the light lane to look for labels that are likely wrong; the request is audited."""
    job = ask_for_project("check_labels", project_id=project.pk, lane=Lane.LIGHT, by=by)
    record_act("labels.check", project.pk, by=by, details={})
    return job


def keep_check(*, project: Project, found: Checked, job_id: UUID, now: datetime) -> LabelCheck:
    """Keep what a job found in place of what older ones did; the same job again changes nothing."""
    values = {
        "doubted": list(found.doubted)[:MOST_KEPT],
        "hasty": list(found.hasty)[:MOST_KEPT],
        "labels": found.labels,
        "readings": found.readings,
        "job_id": job_id,
        "seconds": found.seconds,
        "created_at": now,
    }
    kept, _ = LabelCheck.objects.update_or_create(project=project, defaults=values)
    return kept


def check_for(user: User, project_id: UUID) -> LabelCheck | None:
    """Find what is known of a project's labels.

    raises: Project.DoesNotExist, ForbiddenError to readers.
    """
    return LabelCheck.objects.filter(project=learning_project(user, project_id)).first()


def times_of(project_id: UUID) -> Iterator[Spent]:
    """Give how long readers' first readings took; for machine work, so not scoped."""
    firsts = Revision.objects.filter(reading__case__project=project_id, number=1, reader__isnull=False)
    rows = firsts.order_by("pk").values_list("reading__case__number", "reader", "seconds")
    for number, reader, seconds in rows.iterator():
        yield Spent(number, str(reader), seconds)


def hasty_among(spent: Sequence[Spent]) -> list[dict[str, Any]]:
    """List readings that took less than a fifth of what is usual for their reader, the fastest first."""
    by_reader: dict[str, list[float]] = {}
    for one in spent:
        by_reader.setdefault(one.reader, []).append(one.seconds)
    usual = {reader: median(times) for reader, times in by_reader.items() if len(times) >= FEWEST_READINGS}
    found = [
        {"number": one.case, "reader": one.reader, "seconds": one.seconds, "usual": usual[one.reader]}
        for one in spent
        if one.reader in usual and one.seconds < HASTY * usual[one.reader]
    ]
    return sorted(found, key=lambda one: one["seconds"] / one["usual"])
