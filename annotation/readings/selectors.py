"""Reads of readings, scoped by the user."""

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Final, TypedDict
from uuid import UUID

from django.db import models
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable

from accounts.models import User
from annotation.projects.models import Case
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import project_for
from annotation.readings.adjudication_models import HELD
from annotation.readings.effort_models import Effort
from annotation.readings.fusion.standard import Skills
from annotation.readings.models import Agreement, Draft, Reading, ReferenceStandard, Revision, Source
from annotation.readings.repeat_models import RepeatRevision

READ_TOGETHER: Final = 20  # answers can be large: masks


def revisions_in_force() -> QuerySet[Revision]:
    """List the newest revision of each reading; not scoped: callers narrow it down."""
    newest = Revision.objects.filter(reading=OuterRef("reading")).order_by("-number").values("number")[:1]
    return Revision.objects.filter(number=Subquery(newest))


def learned_from(revisions: QuerySet[Revision]) -> QuerySet[Revision]:
    """Keep the revisions that models may learn from: readers', and those of sources that are used so.

    Nothing is learned of a case that is in dispute.
    """
    return revisions.exclude(source__use=Source.Use.KEPT).exclude(reading__case__dispute__state__in=HELD)


def readers_first() -> Combinable:
    """Order revisions by whose they are: readers' before sources'."""
    return models.Case(models.When(source=None, then=0), default=1)


def author_of(revision: Revision) -> str:
    """Name whose a revision is, reader or source, by id."""
    return str(revision.reader_id or revision.source_id)


def skills_in(project_id: UUID) -> dict[str, Skills]:
    """Give readers' skills as the newest job found them, by question; for fusing, so not scoped."""
    kept = Agreement.objects.filter(pk=project_id).values_list("skills", flat=True).first() or {}
    return {key: Skills(**one) for key, one in kept.items()}


def repeats_in_force() -> QuerySet[RepeatRevision]:
    """List the newest revision of each case that was read again; not scoped: callers narrow it down."""
    newest = RepeatRevision.objects.filter(repeat=OuterRef("repeat")).order_by("-number").values("number")[:1]
    found = RepeatRevision.objects.filter(number=Subquery(newest))
    return found.select_related("repeat__case__series", "protocol")


def repeats_of(reader: User) -> QuerySet[RepeatRevision]:
    """List the revisions in force of what a reader read again; the reader takes them for readings."""
    return repeats_in_force().filter(reader=reader)


def read_twice(project_id: UUID) -> Iterator[tuple[Revision, RepeatRevision]]:
    """Give what stands of each case that a reader read again: the reading, then the repeat with its images.

    For machine work, so not scoped.
    """
    found = repeats_in_force().filter(repeat__project=project_id).order_by("repeat__case__number", "pk")
    rows = found.prefetch_related("repeat__case__series__instances").iterator(chunk_size=READ_TOGETHER)
    while part := list(islice(rows, READ_TOGETHER)):
        firsts = first_said([one.repeat.case_id for one in part])
        for again in part:
            yield firsts[again.repeat.case_id, again.reader_id], again


def first_said(cases: Collection[UUID]) -> dict[tuple[UUID, UUID | None], Revision]:
    """Find what stands of cases' readings, by case and reader."""
    found = revisions_in_force().filter(reading__case__in=cases, reader__isnull=False)
    rows = found.select_related("protocol", "reading")
    return {(one.reading.case_id, one.reader_id): one for one in rows}


def last_revision(reader: User, project_id: UUID) -> Revision | RepeatRevision:
    """Find the reader's newest answers in a project: what Z brings back.

    raises: Revision.DoesNotExist.
    """
    again = repeats_of(reader).filter(repeat__project=project_id)
    again = again.prefetch_related("repeat__case__series__instances")
    repeated = again.order_by("-created_at").first()
    mine = Reading.objects.filter(reader=reader, case__project=project_for(reader, project_id))
    last = mine.order_by("-updated_at").first()
    if repeated is not None and (last is None or repeated.created_at > last.updated_at):
        return repeated
    revisions = Revision.objects.filter(reading=last).select_related("reading__case__series", "protocol")
    return revisions.prefetch_related("reading__case__series__instances").latest("number")


def drafts_of(reader: User, case_ids: Collection[UUID]) -> dict[UUID, Draft]:
    """Find the drafts that a reader has of these cases."""
    drafts = Draft.objects.filter(reader=reader, case__in=case_ids)
    return {draft.case_id: draft for draft in drafts}


def open_drafts(project_id: UUID) -> int:
    """Count what readers of a project have entered and not submitted."""
    return Draft.objects.filter(case__project=project_id).count()


def read_by(reader: User, project_id: UUID) -> int:
    """Count the cases that a person has read in a project, by their days; one read again is one more."""
    days = Effort.objects.filter(reader=reader, project=project_id)
    return int(days.aggregate(readings=Sum("readings"))["readings"] or 0)


def repeated_by(reader: User, project_id: UUID) -> int:
    """Count the cases that a person has read again without knowing."""
    return RepeatRevision.objects.filter(reader=reader, repeat__project=project_id, number=1).count()


def label_count(project_id: UUID) -> int:
    """Count the project's reference standards; not scoped: callers have found the project for the user."""
    return ReferenceStandard.objects.filter(case__project=project_id).count()


def labels_by_stream(project_id: UUID) -> dict[str, int]:
    """Count the reference standards of each stream; not scoped either."""
    rows = ReferenceStandard.objects.filter(case__project=project_id).order_by()
    counts: dict[str, int] = dict(rows.values_list("case__stream").annotate(Count("pk")))
    return dict.fromkeys(Case.Stream.values, 0) | counts


def pool_labels_by_choice(project_id: UUID, question: LearnedQuestion) -> dict[str, int]:
    """Count the pool's reference standards that make each choice of a question; not scoped either."""
    rows = ReferenceStandard.objects.filter(case__project=project_id, case__stream=Case.Stream.POOL)
    answers = rows.order_by().values_list(f"answers__{question.key}").annotate(Count("pk"))
    counts: Counter[str] = Counter()
    for answer, count in answers:
        counts.update(dict.fromkeys(question.chosen(answer) or (), count))
    return dict(counts)


def read_cases(project_id: UUID) -> Q:
    """Condition on what belongs to read cases, by the queue's index: unread ones are not walked.

    Those that wait for one reader more stand first in line, at rank 0.
    """
    waits = Q(case__entry__state__in=["waiting", "leased"], case__entry__rank=0)
    return Q(case__entry__project=project_id) & (Q(case__entry__state="done") | waits)


class ReaderCount(TypedDict):
    """What one reader has done in a project, or brought in as a source (no reader)."""

    reader_id: UUID | None
    username: str
    readings: int
    seconds: float


def counts_by_reader(user: User, project_id: UUID) -> list[ReaderCount]:
    """Count readings and expert seconds of each reader, by their days, and what sources brought in.

    raises: Project.DoesNotExist.
    """
    project = project_for(user, project_id)
    days = Effort.objects.filter(project=project).order_by().values("reader_id", "reader__username")
    counts = [
        ReaderCount(reader_id=reader, username=username, readings=readings, seconds=seconds)
        for reader, username, readings, seconds in days.annotate(Sum("readings"), Sum("seconds")).values_list(
            "reader_id", "reader__username", "readings__sum", "seconds__sum"
        )
    ]
    brought = Source.objects.filter(project=project).annotate(count=Count("readings")).filter(count__gt=0)
    counts += [
        ReaderCount(reader_id=None, username=one.name, readings=one.count, seconds=0.0) for one in brought
    ]
    return sorted(counts, key=lambda one: (-one["readings"], one["username"]))


def seconds_of_cases(project_id: UUID) -> dict[UUID, float]:
    """Mean expert seconds of a reader's reading, by case; for machine work, so not scoped."""
    rows = (
        Reading.objects.filter(case__project=project_id, reader__isnull=False)
        .order_by()
        .values("case_id")
        .annotate(readings=Count("pk", distinct=True), seconds=Sum("revisions__seconds"))
    )
    return {row["case_id"]: (row["seconds"] or 0.0) / row["readings"] for row in rows}
