"""How many cases a reader may be given now, and why none: asked in the reader's turn."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from annotation.projects.models import Membership
from annotation.projects.workload import Halt, Plan, Spent, standing_halt, week_of, weekly_halt
from annotation.queue.rules import AHEAD
from annotation.readings.effort import days_since

LONG_ABSENCE: Final = timedelta(days=28)


@dataclass(frozen=True)
class Room:
    """How many cases more a reader may hold; halt: why none."""

    cases: int = AHEAD
    halt: Halt | None = None


def plan_of(membership: Membership) -> Plan:
    """Read a member's workload."""
    fields = {name: getattr(membership, name) for name in Plan.__dataclass_fields__}
    return Plan(**fields | {"skills": tuple(membership.skills)})


def room_of(membership: Membership, *, held: int, now: datetime) -> Room:
    """Say how many cases a reader who holds some may be given; one query more, where the week is limited."""
    plan, today = plan_of(membership), now.date()
    halt = standing_halt(plan, membership.project.required_skills, today)
    if halt is not None:
        return Room(0, halt)
    most = AHEAD if plan.open_cases is None else plan.open_cases - held
    if plan.weekly_cases is None and plan.weekly_hours is None:
        return Room(max(most, 0))
    spent = spent_since_monday(membership.project_id, membership.user_id, now)
    halt = weekly_halt(plan, spent, today)
    if plan.weekly_cases is not None:
        most = min(most, plan.weekly_cases - spent.cases - held)
    return Room(0, halt) if halt else Room(max(most, 0))


def spent_since_monday(project_id: UUID, reader_id: UUID, now: datetime) -> Spent:
    """Sum up a reader's week in a project: at most seven rows."""
    days = days_since(project_id, reader_id, week_of(now.date()))
    sums = days.aggregate(cases=Sum("readings"), seconds=Sum("seconds"))
    return Spent(sums["cases"] or 0, sums["seconds"] or 0.0)


def gone(now: datetime) -> Q:
    """Condition on memberships: away for so long that nothing waits for them.

    On leave for four weeks more, or paused four weeks ago or longer: a pause has no end that is known. Who is
    back sooner counts as here: a case waits for them rather than go without its reading.
    """
    today = now.date()
    on_leave = Q(away_from__lte=today, away_until__gte=today + LONG_ABSENCE)
    return on_leave | Q(paused_at__lte=now - LONG_ABSENCE)
