"""How far readers are: in a project, and across those that a person manages. A constant number of queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Max, Min, Q, Sum
from django.db.models.functions import TruncMonth

from accounts.models import Role, User
from annotation.learning.selectors import learning_project
from annotation.projects.models import Membership, Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import projects_managed
from annotation.projects.workload import Halt, Plan, Spent, projected, standing_halt, week_of, weekly_halt
from annotation.queue.limits import plan_of
from annotation.readings.effort import median_seconds, merged
from annotation.readings.effort_models import Effort
from annotation.readings.models import Agreement

RECENT_DAYS: Final = 28
NOTHING: Final = Spent(0, 0.0)
SUMS: Final = ("readings", "second_readings", "revisions", "decisions", "seconds", "decision_seconds")


class Key(NamedTuple):
    """A reader in a project."""

    project_id: UUID | None
    reader_id: UUID


@dataclass(frozen=True)
class Recent:
    """A reader's last four weeks; days: since the first of them on which something was read or decided.

    decision_seconds: of seconds, those spent on cases in dispute.
    """

    readings: int = 0
    decisions: int = 0
    seconds: float = 0.0
    decision_seconds: float = 0.0
    days: int = 0
    median_seconds: float | None = None
    week: Spent = NOTHING


@dataclass(frozen=True)
class ReaderRow:
    """One reader or adjudicator in one project. agreement: share of equal answers with colleagues, 0 – 1.

    decisions: on cases in dispute; decision_seconds: of seconds, those spent on them.
    gap: cases ahead (behind: below 0) of the target on the due day, at the pace of the last four weeks.
    """

    membership: Membership
    plan: Plan
    readings: int
    second_readings: int
    revisions: int
    decisions: int
    seconds: float
    decision_seconds: float
    last_at: datetime | None
    recent: Recent
    agreement: float | None
    halt: Halt | None
    gap: int | None

    @property
    def reads(self) -> bool:
        """Whether the person reads; else they only adjudicate."""
        return self.membership.role == Role.READER

    @property
    def cases_an_hour(self) -> float | None:
        """Pace of reading in the last four weeks; the time of decisions is none of it."""
        return an_hour(self.recent.readings, self.recent.seconds - self.recent.decision_seconds)

    @property
    def decisions_an_hour(self) -> float | None:
        """Pace of adjudicating in the last four weeks; None where nothing was decided."""
        return an_hour(self.recent.decisions, self.recent.decision_seconds) or None


def an_hour(count: int, seconds: float) -> float | None:
    """How many go into an hour; None where no time was spent."""
    return 3600 * count / seconds if seconds > 0 else None


def readers_of(user: User, project_id: UUID, now: datetime) -> list[ReaderRow]:
    """List a project's readers and adjudicators, for its ML staff and administrators.

    raises: Project.DoesNotExist, ForbiddenError to readers.
    """
    return rows_of([learning_project(user, project_id)], now)


def readers_everywhere(user: User, now: datetime) -> list[ReaderRow]:
    """List the readers and adjudicators of all projects that the person manages."""
    return rows_of(list(projects_managed(user)), now)


def rows_of(projects: Collection[Project], now: datetime) -> list[ReaderRow]:
    """Describe who reads or adjudicates in projects, in four queries."""
    keys = [one.pk for one in projects]
    members = Membership.objects.filter(Q(role=Role.READER) | Q(adjudicates=True), project__in=keys)
    members = members.select_related("user", "project").order_by("project__name", "user__username")
    totals, recent, agreed = totals_of(keys), recent_of(keys, now.date()), agreement_of(keys)
    return [row_of(one, totals, recent, agreed, now.date()) for one in members]


def totals_of(project_ids: Collection[UUID]) -> dict[Key, dict[str, Any]]:
    """Sum up all that readers did."""
    days = Effort.objects.filter(project__in=project_ids).order_by()
    rows = days.values("project_id", "reader_id").annotate(
        last_at=Max("last_at"), **{name: Sum(name) for name in SUMS}
    )
    return {Key(row["project_id"], row["reader_id"]): dict(row) for row in rows}


def recent_of(project_ids: Collection[UUID], today: date) -> dict[Key, Recent]:
    """Sum up readers' last four weeks."""
    first = today - timedelta(days=RECENT_DAYS - 1)
    days = Effort.objects.filter(project__in=project_ids, day__gte=first).order_by("day")
    found: dict[Key, list[dict[str, Any]]] = {}
    told = ("readings", "decisions", "seconds", "decision_seconds", "times")
    for row in days.values("project_id", "reader_id", "day", *told):
        found.setdefault(Key(row["project_id"], row["reader_id"]), []).append(dict(row))
    return {key: recent_from(rows, today) for key, rows in found.items()}


def recent_from(rows: list[dict[str, Any]], today: date) -> Recent:
    """Sum up one reader's days."""
    week = [row for row in rows if row["day"] >= week_of(today)]
    return Recent(
        readings=sum(row["readings"] for row in rows),
        decisions=sum(row["decisions"] for row in rows),
        seconds=sum(row["seconds"] for row in rows),
        decision_seconds=sum(row["decision_seconds"] for row in rows),
        days=(today - rows[0]["day"]).days + 1,
        median_seconds=median_seconds(merged(row["times"] for row in rows)),
        week=Spent(sum(row["readings"] for row in week), sum(row["seconds"] for row in week)),
    )


def agreement_of(project_ids: Collection[UUID]) -> dict[tuple[UUID, str], float]:
    """Share of equal answers with colleagues, by project and reader, as the newest measurement has it."""
    measured = Agreement.objects.filter(pk__in=project_ids).values_list("pk", "figures")
    return {(project, author): share for project, figures in measured for author, share in shares_in(figures)}


def shares_in(figures: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Average each author's pairs over all questions, weighted by cases."""
    equal: dict[str, float] = {}
    cases: dict[str, int] = {}
    for pair in (pair for row in figures.values() for pair in row.get("pairs", [])):
        share = pair.get("share") or {}
        if share.get("value") is not None:
            for author in (pair["one"], pair["other"]):
                equal[author] = equal.get(author, 0.0) + share["value"] * share["cases"]
                cases[author] = cases.get(author, 0) + share["cases"]
    return [(author, equal[author] / count) for author, count in cases.items() if count]


def row_of(
    member: Membership,
    totals: Mapping[Key, Mapping[str, Any]],
    recent: Mapping[Key, Recent],
    agreed: Mapping[tuple[UUID, str], float],
    today: date,
) -> ReaderRow:
    """Describe one person; nothing keeps an adjudicator who does not read from cases."""
    key, plan = Key(member.project_id, member.user_id), plan_of(member)
    sums = totals.get(key) or dict.fromkeys(SUMS, 0)
    lately = recent.get(key, Recent())
    halt = standing_halt(plan, member.project.required_skills, today) or weekly_halt(plan, lately.week, today)
    return ReaderRow(
        membership=member,
        plan=plan,
        readings=sums["readings"],
        second_readings=sums["second_readings"],
        revisions=sums["revisions"],
        decisions=sums["decisions"],
        seconds=float(sums["seconds"]),
        decision_seconds=float(sums["decision_seconds"]),
        last_at=sums.get("last_at"),
        recent=lately,
        agreement=agreed.get((member.project_id, str(member.user_id))),
        halt=halt if member.role == Role.READER else None,
        gap=gap_of(plan, sums["readings"], lately, today),
    )


def gap_of(plan: Plan, readings: int, lately: Recent, today: date) -> int | None:
    """Forecast how many cases a reader will be ahead on the due day; None without a target and a day."""
    if plan.target_cases is None or plan.due_on is None:
        return None
    left = (plan.due_on - today).days
    return projected(readings, lately.readings, lately.days, left) - plan.target_cases


@dataclass(frozen=True)
class SheetRow:
    """What one person did for one project in one month; seconds: expert time, idle time left out.

    decisions: on cases in dispute; decision_seconds: of seconds, those spent on them.
    """

    month: date
    reader: str
    project: str
    readings: int
    second_readings: int
    revisions: int
    decisions: int
    seconds: float
    decision_seconds: float


def time_sheet(user: User, *, first: date, last: date, project_id: UUID | None = None) -> list[SheetRow]:
    """Sum up days by month, reader and project, for administrators: one query.

    raises: ForbiddenError.
    """
    if not user.is_admin:
        raise ForbiddenError("time sheets are for administrators")
    days = Effort.objects.filter(day__gte=first, day__lte=last)
    if project_id is not None:
        days = days.filter(project=project_id)
    rows: Iterable[Any] = (
        days.order_by()
        .annotate(month=TruncMonth("day"))
        .values("month", "reader__username", "project__name")
        .annotate(**{name: Sum(name) for name in SUMS})
        .order_by("month", "reader__username", "project__name")
    )
    return [
        SheetRow(
            row["month"],
            row["reader__username"],
            row["project__name"] or "a project that was removed",
            *(row[name] for name in SUMS),
        )
        for row in rows
    ]


def months_known(user: User) -> list[date]:
    """List the months of which there is a time sheet, the newest first."""
    ends = Effort.objects.aggregate(first=Min("day"), last=Max("day")) if user.is_admin else {}
    first, last = ends.get("first"), ends.get("last")
    if first is None or last is None:
        return []
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [
        date(last.year + (last.month - 1 - n) // 12, (last.month - 1 - n) % 12 + 1, 1) for n in range(count)
    ]
