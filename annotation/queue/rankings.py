"""The order of the queue: cases that enter it, and rankings that put the best first. One transaction each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from annotation.projects.models import Case, Membership, Project
from annotation.queue.models import UNRANKED, Entry, Ranking
from annotation.queue.rules import RANKED_PLACES, SECOND_READING, shuffle_of


@dataclass(frozen=True)
class Place:
    """What a ranking says of one case; probabilities: the model's mean prediction, by class value."""

    case_id: UUID
    rank: int
    score: float | None
    draw_probability: float | None
    reason: str
    probabilities: dict[str, float] | None = None


class RankingFacts(TypedDict):
    """How a ranking was made."""

    model_id: UUID | None
    strategy: str
    seed: int
    pool_size: int
    label_count: int


def add_entries(*, project: Project, cases: Sequence[Case]) -> None:
    """Queue cases, unranked, in random order; what is held out or queued already is left alone."""
    entries = [
        Entry(case=case, project=project, shuffle=shuffle_of(case.pk))
        for case in cases
        if case.stream != Case.Stream.HELD_OUT
    ]
    Entry.objects.bulk_create(entries, ignore_conflicts=True)


@transaction.atomic
def replace_ranking(
    *,
    project_id: UUID,
    job_id: UUID,
    places: Sequence[Place],
    now: datetime,
    **facts: Unpack[RankingFacts],
) -> Ranking:
    """Put a new order of the pool in force; a job's ranking is written once, and no lease is touched."""
    written = Ranking.objects.filter(job_id=job_id).first()
    if written is not None:
        return written
    list(Membership.objects.select_for_update().filter(project=project_id).order_by("pk"))
    ranking = Ranking.objects.create(project_id=project_id, job_id=job_id, created_at=now, **facts)
    best = {place.case_id: place for place in sorted(places, key=lambda place: place.rank)[:RANKED_PLACES]}
    entries = lock_ranked(project_id, best)
    waiting_ranked(project_id).update(**UNRANKED_VALUES)
    placed = [apply_place(entry, best[entry.case_id], ranking) for entry in entries if entry.case_id in best]
    Entry.objects.bulk_create(
        placed, update_conflicts=True, unique_fields=["case"], update_fields=list(UNRANKED_VALUES)
    )
    return ranking


UNRANKED_VALUES: dict[str, Any] = {
    "rank": UNRANKED,
    "score": None,
    "draw_probability": None,
    "reason": "unranked",
    "probabilities": None,
    "ranking": None,
}


def waiting_ranked(project_id: UUID) -> QuerySet[Entry]:
    """List what the ranking in force placed; query batches and second readings stand outside of it."""
    waiting = Entry.objects.filter(project=project_id, state=Entry.State.WAITING)
    return waiting.filter(rank__lt=UNRANKED, batch=None).exclude(reason=SECOND_READING)


def lock_ranked(project_id: UUID, best: Collection[UUID]) -> list[Entry]:
    """Lock, case by case, what the old ranking placed and what the new one places, if it can be given out."""
    ranked = waiting_ranked(project_id).values_list("pk", flat=True)
    unread = Entry.objects.select_for_update().filter(
        pk__in={*ranked, *best},
        project=project_id,
        state__in=[Entry.State.WAITING, Entry.State.LEASED],
        batch=None,
    )
    return list(unread.exclude(reason=SECOND_READING).order_by("case_id"))


def apply_place(entry: Entry, place: Place, ranking: Ranking) -> Entry:
    """Write a place into its entry."""
    entry.rank, entry.score, entry.draw_probability = place.rank, place.score, place.draw_probability
    entry.reason, entry.probabilities, entry.ranking = place.reason, place.probabilities, ranking
    return entry
