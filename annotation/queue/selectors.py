"""Reads of the queue: a reader's workload, a project's progress, and the pool for machine work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple, TypedDict
from uuid import UUID

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from accounts.models import Role, User
from annotation.projects.models import Case, Membership, Part, Protocol
from annotation.projects.rules import AUDIT
from annotation.projects.selectors import project_for, projects_for, protocol_in_force, settings_in
from annotation.projects.workload import Halt
from annotation.queue.drawn import DrawnSuggestion, drawn_for, proposed_for
from annotation.queue.models import UNRANKED, Entry, Lease, Pick
from annotation.queue.practice import Standing, standing_of
from annotation.queue.rules import BATCH_RANK, QUERY_BATCH, SECOND_READING, batch_text, uncertainty, why_text
from annotation.queue.suggestions import Suggestion, question_of, suggestion_for
from annotation.readings.effort_models import Effort
from annotation.readings.models import Draft, ReferenceStandard
from annotation.readings.repeat_models import Repeat, RepeatRevision
from annotation.readings.selectors import drafts_of, read_by, repeated_by

BEGUN = (Entry.State.LEASED, Entry.State.DONE, Entry.State.SET_ASIDE)


@dataclass(frozen=True)
class Why:
    """Why a case was chosen; rank counts from 1 and is None where no ranking had reached the case.

    uncertainty: of the model, 0 – 1; None where no model has seen the case, and in the audit stream.
    """

    reason: str
    stream: str
    score: float | None
    rank: int | None
    pool_size: int
    model_number: int | None
    strategy: str | None
    text: str
    uncertainty: float | None = None


@dataclass(frozen=True)
class LeasedCase:
    """A case that a reader holds, with all that a screen needs."""

    lease: Lease
    case: Case
    protocol: Protocol
    draft: Draft | None
    why: Why
    suggestion: Suggestion
    drawn: list[DrawnSuggestion] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far a project is: counts of what can be read."""

    read_by_me: int
    read: int
    waiting: int
    total: int


@dataclass(frozen=True)
class Workload:
    """What a reader has before them: the current case first; halt: why no case more is given.

    practice: how far a new reader is with cases of known answer; None: these are the queue's cases.
    """

    cases: list[LeasedCase]
    progress: Progress
    halt: Halt | None = None
    practice: Standing | None = None


class Repeats(NamedTuple):
    """A reader's repeats in a ranking: before a case, at its rank or a better one; planned as it was made."""

    before: int
    planned: int


NO_REPEATS: Final = Repeats(0, 0)


class PoolCase(NamedTuple):
    """A case that nobody has read, for machine work."""

    case_id: UUID
    content_digest: str
    stream: str
    state: str


def open_leases(reader: User, project_id: UUID) -> QuerySet[Lease]:
    """Find what a reader holds in a project, in the order of reading."""
    return Lease.objects.filter(reader=reader, project=project_id, ended_at=None).order_by("position")


def workload(
    reader: User, project_id: UUID, protocol: Protocol | None = None, *, halt: Halt | None = None
) -> Workload:
    """Collect what a reader holds, in a number of queries that does not grow.

    protocol: the one in force, where the caller has it.
    """
    leases = list(
        open_leases(reader, project_id)
        .select_related("case__series", "pick__ranking__model", "pick__batch__asked_by")
        .prefetch_related("case__series__instances")
    )
    progress = progress_of(reader, project_id)
    drafts = drafts_of(reader, [lease.case_id for lease in leases])
    protocol = protocol or protocol_in_force(project_id)
    proposed = proposed_for(leases, protocol)
    several = question_of(protocol).takes_several
    repeats = repeats_among(reader, leases, timedelta(days=settings_in(protocol).repeat_days))
    cases = [
        LeasedCase(
            lease=lease,
            case=lease.case,
            protocol=protocol,
            draft=drafts.get(lease.case_id),
            why=why(lease.pick, progress.total, several=several, repeats=repeats.get(lease.pk, NO_REPEATS)),
            suggestion=suggestion_for(lease.pick, protocol, lease.case_id, reader),
            drawn=drawn_for(proposed.get(lease.pk, []), lease.pick, protocol, lease.case_id, reader),
        )
        for lease in leases
    ]
    practice = standing_of(reader, project_id, settings_in(protocol))
    return Workload(cases, progress, halt, practice)


def why(pick: Pick, total: int, *, several: bool, repeats: Repeats) -> Why:
    """Tell why a case was given out. several: whether what models learn takes several choices.

    A repeat takes a rank of its own: those planned when the ranking was made count into the pool from its
    first case on. One planned since does not, or the pool would be seen to grow; no rank is told beyond it.
    """
    ranking = pick.ranking
    pool = ranking.pool_size + repeats.planned if ranking else total
    return Why(
        reason=QUERY_BATCH if pick.batch_id else pick.reason,
        stream=pick.stream,
        score=None if pick.reason == SECOND_READING else pick.score,  # it would tell what was doubted
        rank=min(pick.rank + repeats.before, pool) if BATCH_RANK < pick.rank < UNRANKED else None,
        pool_size=pool,
        model_number=ranking.model.number if ranking and ranking.model else None,
        strategy=ranking.strategy if ranking else None,
        text=text_of(pick, pick.stream),
        uncertainty=None if pick.stream == AUDIT else uncertainty(pick.probabilities, several=several),
    )


def text_of(chosen: Pick | Entry, stream: str) -> str:
    """Tell in words why a case was given out, or stands where it stands; of a query batch, who asked."""
    batch = chosen.batch
    return batch_text(batch.asked_by.username, batch.why) if batch else why_text(chosen.reason, stream)


def progress_of(user: User, project_id: UUID) -> Progress:
    """Count a project's queue without walking what waits in it.

    Cases are numbered from 1 without gaps, and all but those held out are queued. What the person holds or
    has read again counts as cases that waited, so that no count tells them which that were.
    """
    again = repeated_by(user, project_id)
    cases = Case.objects.filter(project=project_id)
    newest = cases.order_by("-number").values_list("number", flat=True).first() or 0
    total = newest - cases.filter(stream=Case.Stream.HELD_OUT).count()
    begun = Entry.objects.filter(project=project_id, state__in=BEGUN).order_by()
    counts: dict[str, int] = dict(begun.values_list("state").annotate(Count("pk")))
    hidden = again + repeats_held(user).filter(project=project_id).count()
    return Progress(
        read_by_me=read_by(user, project_id),
        read=min(counts.get(Entry.State.DONE, 0) + again, total),
        waiting=max(0, total - sum(counts.values()) - hidden),
        total=total,
    )


def repeats_among(reader: User, leases: Sequence[Lease], interval: timedelta) -> dict[UUID, Repeats]:
    """Count, by lease, the reader's repeats in its ranking; interval: after which they are due.

    Two queries at most: by the cases of the repeats given since, which are few; a reader has many leases.
    """
    ranked = [(one, one.pick.ranking) for one in leases if one.pick.ranking is not None]
    since = min((ranking.created_at for _, ranking in ranked), default=None)
    if since is None:
        return {}
    mine = Repeat.objects.filter(reader=reader, project=ranked[0][0].project_id)
    open_then = mine.filter(Q(done_at=None) | Q(done_at__gte=since))
    rows = list(open_then.values_list("case", "due_at", "given_at", "done_at"))
    cases = [case for case, _, given_at, _ in rows if given_at and given_at >= since]
    beside = Lease.objects.filter(case__in=cases, slot__gt=0) if cases else Lease.objects.none()
    found = beside.values_list("reader", "pick__ranking", "pick__rank", "position")
    places = [(ranking, rank, position) for who, ranking, rank, position in found if who == reader.pk]
    return {
        one.pk: Repeats(
            before=sum(
                place == ranking.pk and rank <= one.pick.rank and position < one.position
                for place, rank, position in places
            ),
            planned=sum(
                due_at - interval < ranking.created_at and (done_at is None or done_at >= ranking.created_at)
                for _, due_at, _, done_at in rows
            ),
        )
        for one, ranking in ranked
    }


def repeats_held(user: User) -> QuerySet[Lease]:
    """List what a reader holds of cases that they have read before."""
    again = Repeat.objects.filter(case=OuterRef("case"), reader=user)
    return Lease.objects.filter(Exists(again), reader=user, ended_at=None, slot__gt=0)


def queue_overview(user: User, project_id: UUID) -> dict[str, int]:
    """Count the entries of a project that the person may see, by state."""
    project = project_for(user, project_id)
    rows = project.entries.order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(Entry.State.values, 0) | dict(rows)


def waiting_cases(project_id: UUID) -> Iterator[PoolCase]:
    """Walk over what nobody has read, or is just reading; for machine work, so not scoped by a user.

    Cases that wait for a second reader are left out: what they teach, the first has said.

    Patients whom the project's split placed in validation or test are left out: nothing is learned from them,
    so no ranking chooses among them, and they are read in random order.
    """
    unread = Entry.objects.filter(project=project_id, state__in=[Entry.State.WAITING, Entry.State.LEASED])
    unread = unread.exclude(reason=SECOND_READING)
    rows = unread.exclude(case__stream=Case.Stream.POOL, case__part__in=[Part.VAL, Part.TEST])
    columns = rows.order_by("case__number").values_list(
        "case_id", "case__series__content_digest", "case__stream", "state"
    )
    return map(PoolCase._make, columns.iterator(chunk_size=2000))


class ProjectRow(TypedDict):
    """A project as its member sees it in a list."""

    id: UUID
    name: str
    role: str
    waiting: int
    read_by_me: int
    labels: int


def project_rows(user: User) -> list[ProjectRow]:
    """List a person's projects with what waits, what is read by the person and labelled, in one query.

    Readers are told how many cases are read: the number of labels would fall where a colleague disagreed.
    What they read again counts as progress_of counts it.
    """
    entries = Entry.objects.filter(project=OuterRef("pk"), state=Entry.State.WAITING)
    days = Effort.objects.filter(project=OuterRef("pk"), reader=user)
    labels = ReferenceStandard.objects.filter(case__project=OuterRef("pk"))
    done = Entry.objects.filter(project=OuterRef("pk"), state=Entry.State.DONE)
    again = RepeatRevision.objects.filter(repeat__project=OuterRef("pk"), reader=user, number=1)
    roles = Membership.objects.filter(project=OuterRef("pk"), user=user).values("role")
    rows = projects_for(user).annotate(
        role=Coalesce(Subquery(roles), Value("admin" if user.is_admin else "")),
        _waiting=counted(entries),
        _again=counted(again),
        _held=counted(repeats_held(user).filter(project=OuterRef("pk"))),
        waiting=Greatest(F("_waiting") - F("_again") - F("_held"), Value(0)),
        read_by_me=summed(days, "readings"),
        labelled=counted(labels),
        done=counted(done) + Least(F("_again"), F("_waiting")),
        labels=models.Case(When(role=Role.READER, then=F("done")), default=F("labelled")),
    )
    return [ProjectRow(**row) for row in rows.values("id", "name", "role", "waiting", "read_by_me", "labels")]


def counted(rows: QuerySet[Any]) -> Coalesce:
    """Count the rows of a correlated subquery."""
    one = rows.order_by().annotate(_all=Value(1)).values("_all")
    return Coalesce(Subquery(one.annotate(count=Count("pk")).values("count")), 0)


def summed(rows: QuerySet[Any], name: str) -> Coalesce:
    """Add up a column of the rows of a correlated subquery."""
    one = rows.order_by().annotate(_all=Value(1)).values("_all")
    return Coalesce(Subquery(one.annotate(sum=Sum(name)).values("sum")), 0)
