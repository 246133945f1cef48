"""Workloads hold: limits, pauses, leave and tags decide who is given a case, in one query more at most."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from annotation.projects.members import require_skills, set_workload
from annotation.projects.models import Membership, Project
from annotation.projects.rules import RefusedError
from annotation.projects.workload import Halt, Plan, WorkloadError
from annotation.queue.batches import make_batch, require_batch_skills
from annotation.queue.designs import free_readers
from annotation.queue.models import Entry
from annotation.queue.services import lease_next
from annotation.queue.submissions import Submitted, submit
from annotation.readings.effort_models import Effort
from annotation.readings.services import Answered, revise
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
WEDNESDAY = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def project() -> Project:
    project = factories.a_project()
    factories.some_cases(project, 12)
    return project


@pytest.fixture
def planned(project: Project, reader: User) -> Callable[..., None]:
    """Give the reader a workload."""
    admin = factories.a_user(is_admin=True)

    def plan(*, paused: bool = False, **said: Any) -> None:
        set_workload(
            project_id=project.pk,
            person_id=reader.pk,
            plan=Plan(**said),
            paused=paused,
            by=admin,
            now=WEDNESDAY,
        )

    return plan


def next_of(reader: User, project: Project, now: datetime = WEDNESDAY) -> tuple[int, Halt | None]:
    """How many cases a reader holds after asking, and what stands against more."""
    given = lease_next(reader=reader, project_id=project.pk, now=now)
    return len(given.cases), given.halt


def read_one(reader: User, project: Project, now: datetime = WEDNESDAY, seconds: float = 60.0) -> Submitted:
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    answered = Answered({"finding": "normal"}, seconds, 1, uuid4())
    return submit(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, answered=answered, now=now)


def test_nobody_without_a_workload_is_held_back(project: Project, reader: User) -> None:
    assert next_of(reader, project) == (3, None)


def test_a_paused_reader_gets_no_case_until_it_ends(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    planned(paused=True)
    assert next_of(reader, project) == (0, Halt("paused"))
    planned()
    assert next_of(reader, project) == (3, None)


def test_a_pause_keeps_when_it_began(project: Project, reader: User, planned: Callable[..., None]) -> None:
    planned(paused=True)
    Membership.objects.filter(user=reader).update(paused_at=WEDNESDAY - timedelta(days=3))
    planned(paused=True, weekly_cases=4)
    assert Membership.objects.get(user=reader).paused_at == WEDNESDAY - timedelta(days=3)


def test_a_reader_on_leave_is_told_when_cases_come_again(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    planned(away_from=date(2026, 11, 18), away_until=date(2026, 11, 20))
    assert next_of(reader, project) == (0, Halt("away", back_on=date(2026, 11, 21)))
    assert next_of(reader, project, WEDNESDAY - timedelta(days=1)) == (3, None)
    assert next_of(reader, project, WEDNESDAY + timedelta(days=3))[1] is None


def test_a_reader_who_is_away_for_ever_is_told_so(project: Project, reader: User) -> None:
    Membership.objects.filter(user=reader).update(away_from=date(2026, 11, 1), away_until=date.max)
    assert next_of(reader, project) == (0, Halt("away", back_on=date.max))


def test_no_more_cases_are_held_at_once_than_is_said(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    planned(open_cases=1)
    assert next_of(reader, project) == (1, None)
    assert len(read_one(reader, project).workload.cases) == 1


def test_the_week_s_limit_counts_what_is_read_and_what_is_held(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    planned(weekly_cases=2)
    assert next_of(reader, project)[0] == 2
    assert len(read_one(reader, project).workload.cases) == 1
    last = read_one(reader, project).workload
    assert (last.cases, last.halt) == ([], Halt("weekly_cases", back_on=date(2026, 11, 23)))
    assert next_of(reader, project, datetime(2026, 11, 22, 23, 59, tzinfo=UTC))[0] == 0
    assert next_of(reader, project, datetime(2026, 11, 23, 0, 0, tzinfo=UTC)) == (2, None)


def test_the_week_s_hours_end_the_week(project: Project, reader: User, planned: Callable[..., None]) -> None:
    planned(weekly_hours=0.5)
    read_one(reader, project, seconds=1700.0)
    read_one(reader, project, seconds=200.0)
    assert next_of(reader, project)[1] == Halt("weekly_hours", back_on=date(2026, 11, 23))


def test_a_limit_of_one_project_says_nothing_of_another(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    planned(weekly_cases=1)
    read_one(reader, project)
    other = factories.a_project()
    factories.some_cases(other, 4)
    Membership.objects.create(project=other, user=reader, role="reader")
    assert next_of(reader, other) == (3, None)


def test_who_lacks_a_tag_that_the_project_asks_for_is_told_which(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    require_skills(project=project, skills="Neuro, paediatric", by=reader)
    planned(skills=("neuro",))
    assert next_of(reader, project) == (0, Halt("skills", skills=("paediatric",)))
    planned(skills=("neuro", "PAEDIATRIC", "chest"))
    assert next_of(reader, project) == (3, None)


def test_a_query_batch_goes_to_readers_with_its_tags_alone(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    staff = factories.a_member(project, "ml_staff")  # type: ignore[arg-type]
    batch = make_batch(project=project, numbers=[1, 2], why="rare", by=staff, now=WEDNESDAY).batch
    assert batch is not None
    require_batch_skills(batch, "neuro, chest", by=staff)
    planned(skills=("neuro",))
    held = {one.case.number for one in lease_next(reader=reader, project_id=project.pk, now=WEDNESDAY).cases}
    assert not held & {1, 2}
    able = factories.a_reader(project)
    Membership.objects.filter(user=able).update(skills=["chest", "liver", "neuro"])
    given = lease_next(reader=able, project_id=project.pk, now=WEDNESDAY).cases
    assert {one.case.number for one in given[:2]} == {1, 2}


@pytest.mark.parametrize(
    ("paused", "first", "last", "is_free"),
    [
        (None, None, None, True),
        (1, None, None, True),
        (27, None, None, True),
        (28, None, None, False),
        (None, 0, 0, True),
        (None, -300, 27, True),
        (None, 0, 28, False),
        (None, 1, 400, True),
        (None, -400, -1, True),
    ],
    ids=[
        "here",
        "paused a day ago",
        "paused 27 days ago",
        "paused 28 days ago",
        "away today",
        "away 27 days more",
        "away 28 days more",
        "away from tomorrow",
        "back since today",
    ],
)
def test_who_is_away_for_a_while_is_a_free_second_reader_and_who_is_gone_is_none(
    project: Project, reader: User, paused: int | None, first: int | None, last: int | None, is_free: bool
) -> None:
    case = Entry.objects.filter(project=project).first()
    assert case is not None
    now = timezone.now()
    Membership.objects.filter(user=reader).update(
        paused_at=None if paused is None else now - timedelta(days=paused),
        away_from=None if first is None else now.date() + timedelta(days=first),
        away_until=None if last is None else now.date() + timedelta(days=last),
    )
    assert free_readers(project.pk, case.pk, again=True).exists() == is_free


def test_a_workload_costs_at_most_one_query_more(
    project: Project, reader: User, planned: Callable[..., None]
) -> None:
    lease_next(reader=reader, project_id=project.pk, now=WEDNESDAY)
    with CaptureQueriesContext(connection) as without:
        lease_next(reader=reader, project_id=project.pk, now=WEDNESDAY)
    planned(weekly_cases=50, weekly_hours=9, open_cases=3, skills=("a", "b"))
    with CaptureQueriesContext(connection) as limited:
        lease_next(reader=reader, project_id=project.pk, now=WEDNESDAY)
    assert len(limited) <= len(without) + 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"open_cases": 0}, "open_cases is 0"),
        ({"open_cases": 1_001}, "give 1 to 1,000"),
        ({"due_on": date(2037, 1, 1)}, "within ten years"),
        ({"away_from": date(2026, 1, 1), "away_until": date.max}, "within ten years"),
        ({"weekly_hours": 200.0}, "a week has 168 hours"),
        ({"away_from": date(2026, 1, 1)}, "both the first and the last day"),
        ({"away_from": date(2026, 1, 2), "away_until": date(2026, 1, 1)}, "before the first"),
        ({"skills": ("=x",)}, "is no tag"),
        ({"skills": tuple("abcdefghi")}, "at most 8"),
    ],
)
def test_a_workload_that_cannot_be_is_refused_in_words(
    planned: Callable[..., None], reader: User, said: dict[str, Any], words: str
) -> None:
    with pytest.raises(WorkloadError, match=words):
        planned(**said)


def test_only_readers_have_a_workload(project: Project, reader: User, planned: Callable[..., None]) -> None:
    Membership.objects.filter(user=reader).update(role="ml_staff")
    with pytest.raises(RefusedError, match="make the person a reader"):
        planned()


def test_a_day_sums_readings_second_readings_revisions_and_time(project: Project, reader: User) -> None:
    done = read_one(reader, project, seconds=40.0)
    answered = Answered({"finding": "pneumonia"}, 10.0, 1, uuid4())
    for _ in range(2):
        revise(reader=reader, reading_id=done.reading_id, base_revision=1, answered=answered, now=WEDNESDAY)
    [day] = Effort.objects.filter(project=project, reader=reader)
    assert (day.readings, day.second_readings, day.revisions, day.seconds) == (1, 0, 1, 50.0)
    assert (day.day, day.times) == (date(2026, 11, 18), {"43": 1})
