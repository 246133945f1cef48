"""What readers did on each day: summed in the transaction of each reading, read without walking readings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from math import log2
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Sum

from annotation.readings.effort_models import Effort
from annotation.readings.models import Reading, Revision

CLASSES_AN_OCTAVE: Final = 8  # a class of time is 9 % wide, so its middle is 4.5 % off at most
SHORTEST_SECONDS: Final = 0.25


def time_class(seconds: float) -> int:
    """Place a time in its class: classes grow by an eighth of an octave."""
    return round(CLASSES_AN_OCTAVE * log2(max(seconds, SHORTEST_SECONDS)))


def median_seconds(counts: Mapping[int, int]) -> float | None:
    """Median of times by class, within 4.5 %; None of none."""
    half, seen = sum(counts.values()) / 2, 0
    for place in sorted(counts):
        seen += counts[place]
        if seen >= half:
            return float(2 ** (place / CLASSES_AN_OCTAVE))
    return None


def merged(times: Iterable[Mapping[str, int]]) -> Counter[int]:
    """Add up days' times by class."""
    counts: Counter[int] = Counter()
    for day in times:
        counts.update({int(place): count for place, count in day.items()})
    return counts


def note_effort(revision: Revision) -> None:
    """Add a reader's revision to their day, in its transaction; sources have no effort."""
    reading = revision.reading
    if reading.reader_id is None:
        return
    if revision.number == 1:
        note_first(reading, revision.seconds, revision.created_at, is_again=is_second(reading))
        return
    worker = Worker(reading.case.project_id, reading.reader_id)
    note_more(worker, revision.seconds, revision.created_at, revisions=1)


def note_first(reading: Reading, seconds: float, at: datetime, *, is_again: bool) -> None:
    """Add a case that was read to its reader's day. is_again: a colleague had read it before."""
    day = day_with(seconds, Worker(reading.case.project_id, reading.reader_id), at)
    day.readings += 1
    day.second_readings += is_again
    place = str(time_class(seconds))
    day.times = day.times | {place: day.times.get(place, 0) + 1}
    day.save()


class Worker(NamedTuple):
    """Somebody at work in a project."""

    project_id: UUID
    person_id: UUID | None


def note_more(worker: Worker, seconds: float, at: datetime, *, revisions: int = 0) -> None:
    """Add time that read no new case to a person's day. revisions: of one's own readings."""
    day = day_with(seconds, worker, at)
    day.revisions += revisions
    day.save()


def note_decision(worker: Worker, seconds: float, at: datetime) -> None:
    """Add a case that was decided, or decided otherwise, to its adjudicator's day."""
    day = day_with(seconds, worker, at)
    day.decision_seconds += seconds
    day.decisions += 1
    day.save()


def day_with(seconds: float, worker: Worker, at: datetime) -> Effort:
    """Lock the row of a person's day, or make it, and add time to it; the caller saves it."""
    row, _ = Effort.objects.select_for_update().get_or_create(
        project_id=worker.project_id, reader_id=worker.person_id, day=at.date(), defaults={"last_at": at}
    )
    row.seconds += seconds
    row.last_at = at
    return row


def is_second(reading: Reading) -> bool:
    """Whether a colleague had read the case before."""
    others = Reading.objects.filter(case=reading.case_id, reader__isnull=False).exclude(pk=reading.pk)
    return others.filter(created_at__lte=reading.created_at).exists()


def days_since(project_id: UUID, reader_id: UUID, first: date) -> QuerySet[Effort]:
    """List a reader's days in a project; not scoped: for the reader's own turn."""
    return Effort.objects.filter(project=project_id, reader=reader_id, day__gte=first)


def spent_hours(project_id: UUID) -> float:
    """Add up the expert hours of a project; not scoped."""
    found = Effort.objects.filter(project=project_id).aggregate(seconds=Sum("seconds"))
    return float(found["seconds"] or 0.0) / 3600
