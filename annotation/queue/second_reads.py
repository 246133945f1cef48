"""Second readings where a label is most likely wrong: how many are due, which cases, and their places.

A doubted case waits as any second reading does, blind and first in line, so that neither its reader nor the
order tells it apart. What tells it apart is its score, how likely the label is wrong: kept with the pick, and
shown to no reader.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import floor
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotation.learning.asking import ask_for_project
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.projects.splits import unlearnable_parts
from annotation.queue.batches import lock_project
from annotation.queue.designs import SECOND_PLACE, free_readers
from annotation.queue.models import Entry
from annotation.queue.rules import SECOND_READING
from annotation.readings.models import Reading
from annotation.readings.qualifying import unqualified_in
from jobs.models import Lane

# Placed together, so that heads are fitted once for several; what is due is let wait until then.
FEWEST_TOGETHER = 5
DIGITS = 6
# Of the most doubted cases, so many for each that is due are looked at for a reader who is left.
LOOKED_AT, MOST_LOOKED_AT = 20, 5000


class ReadCase(NamedTuple):
    """A case of the pool that readers have read, for machine work."""

    case_id: UUID
    number: int
    content_digest: str
    patient_id: UUID


@dataclass(frozen=True)
class Doubt:
    """How likely a case's label is wrong, 0 – 1."""

    case_id: UUID
    score: float


def due(readings: int, second: int, share: float) -> int:
    """How many second readings may be asked for, so that they are at most a share of all readings.

    readings: given and waited for, second ones among them. share: below 1.
    """
    return max(0, floor((share * readings - second) / (1.0 - share) + 1e-9))


def due_in(project_id: UUID) -> int:
    """How many second readings a project's protocol lets its machine ask for now."""
    share = settings_in(protocol_in_force(project_id)).doubted_share
    if not share:
        return 0
    second = doubted_in(project_id)
    waiting = second.exclude(state=Entry.State.DONE).count()
    given = Reading.objects.filter(case__project=project_id, reader__isnull=False).count()
    return due(given + waiting, second.count(), share)


def doubted_in(project_id: UUID) -> QuerySet[Entry]:
    """List cases that got, or wait for, a reading because their label was doubted."""
    return Entry.objects.filter(project=project_id, reason=SECOND_READING, score__isnull=False)


def ask_where_doubted(project_id: UUID) -> None:
    """Ask the light lane for second readings, where enough are due to go together."""
    if due_in(project_id) >= FEWEST_TOGETHER:
        ask_for_project("place_second_reads", project_id=project_id, lane=Lane.LIGHT)


def read_in_pool(project_id: UUID) -> list[ReadCase]:
    """List what readers have read of the pool, and models may learn from; not scoped by a user."""
    read = Reading.objects.filter(case__project=project_id, reader__isnull=False).values("case")
    cases = Case.objects.filter(project=project_id, stream=Case.Stream.POOL, pk__in=read)
    rows = cases.exclude(part__in=unlearnable_parts(project_id)).order_by("number")
    return [
        ReadCase(*row) for row in rows.values_list("pk", "number", "series__content_digest", "patient_id")
    ]


def may_be_doubted(project_id: UUID) -> set[UUID]:
    """Name read cases that may be read once more: in no query batch, undisputed, and never doubted before.

    Nor a gold case, whose answer new readers are shown.
    """
    return set(open_to_doubt(project_id).values_list("case_id", flat=True))


def open_to_doubt(project_id: UUID) -> QuerySet[Entry]:
    """List the places of cases as may_be_doubted names them."""
    done = Entry.objects.filter(project=project_id, state=Entry.State.DONE, batch=None)
    done = done.filter(case__gold=None, case__dispute=None)
    return done.exclude(reason=SECOND_READING, score__isnull=False)


@transaction.atomic
def place_second_reads(*, project: Project, doubts: Sequence[Doubt]) -> int:
    """Put the most doubted cases first in line for another reader, as many as are due.

    doubts: of read cases; the most doubted go first, and again changes nothing.
    returns: how many were placed.
    """
    ordered = sorted(doubts, key=lambda one: (-one.score, one.case_id))
    lock_project(project.pk)
    wanted = due_in(project.pk)
    scores = {one.case_id: one.score for one in ordered[: min(LOOKED_AT * wanted, MOST_LOOKED_AT)]}
    readable = readable_again(project.pk, scores)
    placed = [case_id for case_id in scores if case_id in readable][:wanted]
    entries = Entry.objects.select_for_update(of=("self",)).filter(pk__in=placed)
    for entry in entries.order_by("case_id"):
        place = {**SECOND_PLACE, "score": round(scores[entry.pk], DIGITS)}
        Entry.objects.filter(pk=entry.pk).update(**place)
    return len(placed)


def readable_again(project_id: UUID, cases: Collection[UUID]) -> set[UUID]:
    """Name those cases that somebody is left to read whose readings count; in one query."""
    free = free_readers(project_id, OuterRef(OuterRef("pk")), again=True)
    free = free.exclude(user__in=unqualified_in(project_id))
    return set(open_to_doubt(project_id).filter(Exists(free), pk__in=cases).values_list("case_id", flat=True))
