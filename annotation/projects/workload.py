"""How much a reader is to read, and why somebody gets no case now: decisions, pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import ClassVar, Final

from annotation.projects.rules import RefusedError

MOST_SKILLS, LONGEST_SKILL = 8, 32
SKILL: Final = re.compile(r"[\w][\w .+/-]*")
PARTED: Final = "|"
MOST_CASES: Final = {"target_cases": 1_000_000, "open_cases": 1_000, "weekly_cases": 1_000_000}
DAY: Final = timedelta(days=1)
FARTHEST: Final = timedelta(days=3653)


class WorkloadError(RefusedError):
    """A workload cannot be so; the message names the field and the rule."""

    code: ClassVar[str] = "workload_refused"


@dataclass(frozen=True)
class Plan:
    """A reader's workload in a project; None: no limit, no date. away_until is the last day away."""

    target_cases: int | None = None
    due_on: date | None = None
    open_cases: int | None = None
    weekly_cases: int | None = None
    weekly_hours: float | None = None
    paused_at: datetime | None = None
    away_from: date | None = None
    away_until: date | None = None
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Halt:
    """Why a reader gets no case, and from which day on they do again; None: until somebody changes it.

    code:   paused, away, skills, weekly_cases or weekly_hours.
    skills: tags that the project asks for and the reader lacks.
    """

    code: str
    back_on: date | None = None
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spent:
    """What a reader did since Monday."""

    cases: int
    seconds: float


def checked_plan(plan: Plan, today: date) -> Plan:
    """Take a plan that can be.

    raises: WorkloadError.
    """
    for name, most in MOST_CASES.items():
        value = getattr(plan, name)
        if value is not None and not 1 <= value <= most:
            raise WorkloadError(f"{name} is {value}: give 1 to {most:,}, or leave it empty")
    for name in ("due_on", "away_from", "away_until"):
        day = getattr(plan, name)
        if day is not None and abs(day - today) > FARTHEST:
            raise WorkloadError(f"{name} is {day}: give a day within ten years")
    if plan.weekly_hours is not None and not 0 < plan.weekly_hours <= 168:
        raise WorkloadError(f"weekly_hours is {plan.weekly_hours:g}: a week has 168 hours")
    if (plan.away_from is None) != (plan.away_until is None):
        raise WorkloadError("give both the first and the last day away, or neither")
    if plan.away_from and plan.away_until and plan.away_until < plan.away_from:
        raise WorkloadError("the last day away is before the first")
    return plan


def checked_skills(words: str | Sequence[str]) -> tuple[str, ...]:
    """Take tags, each on a line or after a comma; the same in other letters is the same.

    raises: WorkloadError.
    """
    given = re.split(r"[,\n]", words) if isinstance(words, str) else words
    found = sorted({" ".join(one.lower().split()) for one in given} - {""})
    wrong = [one for one in found if not SKILL.fullmatch(one) or len(one) > LONGEST_SKILL]
    if wrong:
        raise WorkloadError(f"“{wrong[0][:LONGEST_SKILL]}” is no tag: give letters and digits, at most 32")
    if len(found) > MOST_SKILLS:
        raise WorkloadError(f"{len(found)} tags: give at most {MOST_SKILLS}")
    return tuple(found)


def written(skills: Collection[str]) -> str:
    """Write tags as a query batch keeps them."""
    return PARTED.join(sorted(skills))


def readable_requirements(skills: Collection[str]) -> list[str]:
    """Write every requirement that somebody with these tags meets, the empty one first: at most 256."""
    known = sorted(skills)[:MOST_SKILLS]
    return [written(some) for size in range(len(known) + 1) for some in combinations(known, size)]


def week_of(day: date) -> date:
    """Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def standing_halt(plan: Plan, required: Collection[str], today: date) -> Halt | None:
    """Say why a reader gets no case whatever they did this week; None where nothing stands against it."""
    if plan.paused_at is not None:
        return Halt("paused")
    if plan.away_from and plan.away_until and plan.away_from <= today <= plan.away_until:
        return Halt("away", back_on=min(plan.away_until, date.max - DAY) + DAY)
    missing = tuple(sorted(set(required) - set(plan.skills)))
    return Halt("skills", skills=missing) if missing else None


def weekly_halt(plan: Plan, spent: Spent, today: date) -> Halt | None:
    """Say which limit of the week is reached; None where there is room."""
    monday = week_of(today) + timedelta(days=7)
    if plan.weekly_cases is not None and spent.cases >= plan.weekly_cases:
        return Halt("weekly_cases", back_on=monday)
    if plan.weekly_hours is not None and spent.seconds >= 3600 * plan.weekly_hours:
        return Halt("weekly_hours", back_on=monday)
    return None


def projected(read: int, recent: int, days: int, left: int) -> int:
    """Forecast how many cases are read in so many days from now, at the pace of the last days."""
    return read + round(recent / max(days, 1) * max(left, 0))
