"""Checks of a project's labels: asked for, kept by a job, read by ML staff and administrators."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.check_models import LabelCheck
from annotation.learning.selectors import learning_project
from annotation.projects.models import Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from annotation.queue.second_reads import doubted_in
from annotation.readings.gold_models import GoldReading
from annotation.readings.models import Reading, ReferenceStandard, Revision
from annotation.readings.qualifying import unqualified_in
from jobs.models import Job, Lane

# A reader's usual time is known from so many readings; a fifth of it is too little to have looked.
FEWEST_READINGS, HASTY = 20, 0.2
MOST_KEPT = 200
# Other readers whose answers tell what is true of a case that nobody has decided.
FEWEST_OTHERS = 2
ADJUDICATED = ReferenceStandard.Provenance.ADJUDICATED


class Spent(NamedTuple):
    """How long one reading took."""

    case: int
    reader: str
    seconds: float


class Compared(NamedTuple):
    """One answer of a reader, and whether it is that of the truth known of the case by now."""

    reader: str
    day: date
    is_right: bool


@dataclass(frozen=True)
class Checked:
    """What a job found; doubted, hasty and drifts as LabelCheck keeps them."""

    doubted: Sequence[dict[str, Any]]
    hasty: Sequence[dict[str, Any]]
    labels: int
    readings: int
    seconds: float
    drifts: Sequence[dict[str, Any]] = ()


@transaction.atomic
def request_check(*, project: Project, by: User | None) -> Job:
    """Ask the light lane to look for labels that are likely wrong; the request is audited."""
    job = ask_for_project("check_labels", project_id=project.pk, lane=Lane.LIGHT, by=by)
    record_act("labels.check", project.pk, by=by, details={})
    return job


def keep_check(*, project: Project, found: Checked, job_id: UUID, now: datetime) -> LabelCheck:
    """Keep what a job found in place of what older ones did; the same job again changes nothing."""
    values = {
        "doubted": list(found.doubted)[:MOST_KEPT],
        "hasty": list(found.hasty)[:MOST_KEPT],
        "drifts": list(found.drifts)[:MOST_KEPT],
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


def compared_of(project_id: UUID) -> Iterator[Compared]:
    """Give readers' first answers to what models learn on cases whose truth is known; not scoped.

    It is known of gold cases, of those that an adjudicator has decided, and of those on which most of several
    other readers agree: a reader's own answer is no witness. Cases that were read again because their label
    was doubted are left out: they are harder than others.
    """
    question = question_learned(project_id)
    yield from compared_with_decided(project_id, question)
    yield from compared_with_others(project_id, question)
    answers = f"answers__{question.key}", f"gold__answers__{question.key}"
    gold = GoldReading.objects.filter(gold__project=project_id).order_by("created_at", "pk")
    for reader, at, *said in gold.values_list("reader", "created_at", *answers).iterator():
        mine, truth = map(question.chosen, said)
        if mine is not None and truth is not None:
            yield Compared(str(reader), at.date(), {*mine} == {*truth})


def first_answers(project_id: UUID) -> QuerySet[Revision]:
    """List readers' first answers to cases that nobody doubted."""
    firsts = Revision.objects.filter(reading__case__project=project_id, number=1, reader__isnull=False)
    return firsts.exclude(reading__case__in=doubted_in(project_id).values("case"))


def compared_with_decided(project_id: UUID, question: LearnedQuestion) -> Iterator[Compared]:
    """Hold first answers against what adjudicators decided."""
    firsts = first_answers(project_id).filter(reading__case__reference__provenance=ADJUDICATED)
    answers = f"answers__{question.key}", f"reading__case__reference__answers__{question.key}"
    for reader, at, *said in firsts.order_by("pk").values_list("reader", "created_at", *answers).iterator():
        mine, truth = map(question.chosen, said)
        if mine is not None and truth is not None:
            yield Compared(str(reader), at.date(), {*mine} == {*truth})


def compared_with_others(project_id: UUID, question: LearnedQuestion) -> Iterator[Compared]:
    """Hold first answers against those of most others, where several others, who count, read the case."""
    silent = unqualified_in(project_id)
    firsts = first_answers(project_id).filter(reading__case__reference__readings__gt=FEWEST_OTHERS)
    rows = firsts.exclude(reading__case__reference__provenance=ADJUDICATED).order_by("reading__case_id", "pk")
    columns = "reading__case", "reader", "created_at", f"answers__{question.key}"
    for _, found in groupby(rows.values_list(*columns).iterator(), key=itemgetter(0)):
        said = [(reader, at, question.chosen(answer)) for _, reader, at, answer in found]
        told = [(reader, frozenset(chosen)) for reader, _, chosen in said if chosen is not None]
        for reader, at, chosen in said:
            others = [one for other, one in told if other != reader and other not in silent]
            truth = most_said(others)
            if chosen is not None and truth is not None:
                yield Compared(str(reader), at.date(), frozenset(chosen) == truth)


def most_said(answers: Sequence[frozenset[str]]) -> frozenset[str] | None:
    """Find what more than a half of several answers say; None where there is no such."""
    if len(answers) < FEWEST_OTHERS:
        return None
    [(answer, count)] = Counter(answers).most_common(1)
    return answer if 2 * count > len(answers) else None


def read_alone_since(project_id: UUID, reader_id: UUID, since: date) -> list[int]:
    """Name the cases that a reader, and nobody else, has read since a day, the newest first."""
    mine = Reading.objects.filter(case__project=project_id, reader=reader_id, created_at__date__gte=since)
    others = Reading.objects.filter(case=OuterRef("case"), reader__isnull=False).exclude(reader=reader_id)
    rows = mine.filter(~Exists(others)).order_by("-created_at").values_list("case__number", flat=True)
    return list(rows[:MOST_KEPT])


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
