"""Reads of a reader's own work: what was read since a moment, and at which pace."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from accounts.models import User
from annotation.projects.selectors import project_for, protocol_in_force, settings_in
from annotation.readings.models import Reading, Revision
from annotation.readings.repeat_models import RepeatRevision
from annotation.readings.selectors import repeats_of, revisions_in_force

LISTED = 200
PACE_OF = 20
PACE_FROM = 3


@dataclass(frozen=True)
class OwnReading:
    """One of the reader's readings as it stands."""

    reading_id: UUID
    case_number: int
    modality: str
    revision: int
    answer: str
    submitted_at: datetime
    seconds: float


@dataclass(frozen=True)
class Today:
    """The reader's work since a moment: newest first; seconds of all revisions since then."""

    readings: list[OwnReading]
    read: int
    seconds: float
    median_seconds: float | None
    goal: int | None


def newest_revisions() -> QuerySet[Revision]:
    """List the revision in force of each reading, with what is shown of it."""
    return revisions_in_force().select_related("reading__case__series", "protocol")


def today(reader: User, project_id: UUID, since: datetime) -> Today:
    """Sum up what a reader did in a project since a moment, in a number of queries that does not grow.

    raises: Project.DoesNotExist.
    """
    project = project_for(reader, project_id)
    mine = Reading.objects.filter(reader=reader, case__project=project)
    changed = newest_revisions().filter(reading__in=mine.filter(updated_at__gte=since))
    spent = Revision.objects.filter(reading__in=mine, created_at__gte=since)
    again = list(repeats_of(reader).filter(repeat__project=project, created_at__gte=since))
    newest = list(changed.order_by("-reading__updated_at")[:LISTED])
    listed: list[Revision | RepeatRevision] = [*newest, *again]
    listed.sort(key=lambda one: one.created_at, reverse=True)
    seconds: float = spent.aggregate(seconds=Sum("seconds"))["seconds"] or 0.0
    return Today(
        readings=[own_reading(one) for one in listed[:LISTED]],
        read=mine.filter(created_at__gte=since).count() + len(again),
        seconds=seconds + sum(one.seconds for one in again),
        median_seconds=pace(reader, project.pk),
        goal=settings_in(protocol_in_force(project.pk)).daily_goal,
    )


def own_reading(revision: Revision | RepeatRevision) -> OwnReading:
    """Show a reading by its newest revision."""
    case = revision.reading.case
    return OwnReading(
        reading_id=revision.reading_id,
        case_number=case.number,
        modality=case.series.modality,
        revision=revision.number,
        answer=in_words(revision.protocol.questions, revision.answers),
        submitted_at=revision.created_at,
        seconds=revision.seconds,
    )


def in_words(questions: list[dict[str, Any]], answers: dict[str, Any]) -> str:
    """Tell the answer to the first answered question that has choices; nothing where there is none."""
    for question in questions:
        given = answers.get(question["key"])
        labels = {choice["value"]: choice["label"] for choice in question.get("choices", [])}
        values = given if isinstance(given, list) else [given]
        words = [labels[value] for value in values if isinstance(value, str) and value in labels]
        if words:
            return ", ".join(words)
    return ""


def pace(reader: User, project_id: UUID) -> float | None:
    """Median expert seconds of the reader's latest first readings; None before there are a few."""
    firsts = Revision.objects.filter(reader=reader, reading__case__project=project_id, number=1)
    seconds = list(firsts.order_by("-created_at").values_list("seconds", flat=True)[:PACE_OF])
    return median(seconds) if len(seconds) >= PACE_FROM else None


def own_revision(reader: User, reading_id: UUID) -> Revision | RepeatRevision:
    """Find the newest answers of one of the reader's own readings, in a project that is still open to them.

    raises: Revision.DoesNotExist.
    """
    again = repeats_of(reader).filter(repeat=reading_id, repeat__project__memberships__user=reader)
    repeated = again.prefetch_related("repeat__case__series__instances").first()
    if repeated is not None:
        return repeated
    mine = newest_revisions().filter(reading__reader=reader, reading__case__project__memberships__user=reader)
    return mine.prefetch_related("reading__case__series__instances").get(reading=reading_id)
