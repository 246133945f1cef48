"""A reader's own work: the day's readings, the pace, one of them opened again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from annotation.projects.models import Project, Protocol
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.models import Reading, Revision
from annotation.readings.own import own_revision, today
from annotation.readings.services import Answered, revise
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MORNING = NOW - timedelta(hours=6)


@pytest.fixture
def project(db: None) -> Project:
    project = factories.a_project()
    factories.some_cases(project, 8)
    Protocol.objects.filter(project=project).update(settings={"daily_goal": 40})
    return project


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)


def read(reader: User, project: Project, seconds: float, value: str = "normal") -> Reading:
    held = lease_next(reader=reader, project_id=project.pk, now=NOW).cases[0]
    made = submit(
        reader=reader,
        lease_id=held.lease.pk,
        case_id=held.case.pk,
        answered=Answered({"finding": value}, seconds, 1, uuid4()),
        now=NOW,
    )
    return Reading.objects.get(pk=made.reading_id)


def test_the_day_s_readings_come_newest_first_with_pace_and_goal(project: Project, reader: User) -> None:
    readings = [read(reader, project, seconds) for seconds in (10.0, 30.0, 20.0)]
    answered = Answered({"finding": "pneumonia"}, 5.0, 1, uuid4())
    later = NOW + timedelta(minutes=1)
    revise(reader=reader, reading_id=readings[0].pk, base_revision=1, answered=answered, now=later)

    day = today(reader, project.pk, MORNING)

    assert day.readings[0].reading_id == readings[0].pk
    assert (day.readings[0].revision, day.readings[0].answer) == (2, "Pneumonia")
    assert (day.read, day.seconds, day.median_seconds, day.goal) == (3, 65.0, 20.0, 40)


def test_what_was_read_before_and_by_others_is_not_of_the_day(project: Project, reader: User) -> None:
    old = read(reader, project, 10.0)
    Reading.objects.filter(pk=old.pk).update(
        created_at=MORNING - timedelta(days=1), updated_at=MORNING - timedelta(days=1)
    )
    read(factories.a_reader(project), project, 10.0)
    day = today(reader, project.pk, MORNING)
    assert (day.readings, day.read, day.median_seconds) == ([], 0, None)


def test_one_s_own_reading_is_opened_and_nobody_else_s(project: Project, reader: User) -> None:
    mine = read(reader, project, 1.0)
    assert own_revision(reader, mine.pk).answers == {"finding": "normal"}
    with pytest.raises(Revision.DoesNotExist):
        own_revision(factories.a_reader(project), mine.pk)


def test_a_long_day_takes_no_more_queries(
    project: Project, reader: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        read(reader, project, 1.0)
    with django_assert_max_num_queries(7):
        assert len(today(reader, project.pk, MORNING).readings) == 5
