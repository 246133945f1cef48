"""Readings that do not count yet, beside disputes, batches and doubts."""

from datetime import datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from annotation.projects.models import Case, Project
from annotation.queue.batches import make_batch
from annotation.queue.counting import count_readings
from annotation.queue.gold import act_on_qualification
from annotation.queue.models import Entry
from annotation.queue.second_reads import Doubt, place_second_reads
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.gold_models import Qualification
from annotation.readings.models import ReferenceStandard
from annotation.readings.services import Answered
from tests import factories
from tests.annotation.queue.test_adjudication import Room, room

__all__ = ["room"]
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_what_an_adjudicator_decided_stands_though_one_of_its_readers_counts_no_more(room: Room) -> None:
    dispute = room.disputed()
    room.decide(dispute, "pneumonia")
    room.project.protocols.update(
        settings={"readers": 2, "adjudicated": True, "practice_cases": 1, "qualification_cases": 1}
    )
    staff = factories.a_member(room.project, Role.ML_STAFF)
    for reader in (room.second, room.first):
        act_on_qualification(project=room.project, reader_id=reader.pk, act="ask", by=staff, now=room.now)
        count_readings(room.project.pk, reader.pk, room.now)
        kept = ReferenceStandard.objects.get(case=dispute.case_id)
        assert (kept.provenance, kept.answers) == ("adjudicated", {"finding": "pneumonia"})
        assert Entry.objects.get(case=dispute.case_id).state == Entry.State.DONE


def doubted(project: Project, cases: list[Case]) -> int:
    doubts = [Doubt(case.pk, place / 10) for place, case in enumerate(cases)]
    return place_second_reads(project=project, doubts=doubts)


@pytest.fixture
def read_cases(project: Project, reader: User) -> list[Case]:
    """Six cases that one reader has read, of which a half may be read again."""
    cases = list(project.cases.order_by("number")[:6])
    for case in cases:
        factories.a_reading(reader, case, {"finding": "normal"})
    project.protocols.update(settings={"doubted_share": 0.5})
    return cases


def test_doubted_cases_are_placed_in_as_many_queries_however_many_there_are(
    project: Project, read_cases: list[Case]
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert doubted(project, read_cases[:1]) == 0
    with CaptureQueriesContext(connection) as many:
        assert doubted(project, read_cases) == 0
    assert len(many) == len(few)
    factories.a_reader(project)
    assert doubted(project, read_cases) == 6
    scores = Entry.objects.filter(state=Entry.State.WAITING, score__isnull=False)
    assert set(scores.values_list("score", flat=True)) == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5}


def test_no_doubted_case_is_placed_for_who_does_not_count_yet(
    project: Project, read_cases: list[Case]
) -> None:
    factories.an_untested(factories.a_reader(project), project)
    assert doubted(project, read_cases) == 0


@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "doubted"])
def test_a_second_reading_that_does_not_count_leaves_the_place_to_the_next_reader(
    project: Project, read_cases: list[Case], now: datetime, *, by_hand: bool
) -> None:
    newcomer, other = (factories.a_reader(project) for _ in range(2))
    if by_hand:
        staff = factories.a_member(project, Role.ML_STAFF)
        make_batch(project=project, numbers=[read_cases[0].number], why="odd", by=staff, now=now, again=True)
    else:
        doubted(project, read_cases[:1])
    held = Entry.objects.get(case=read_cases[0])
    assert held.state == Entry.State.WAITING
    factories.an_untested(newcomer, project)
    answer_first(newcomer, project, read_cases[0], now)
    left = Entry.objects.get(case=read_cases[0])
    assert (left.state, left.batch_id, left.score, left.rank) == (
        Entry.State.WAITING,
        held.batch_id,
        held.score,
        held.rank,
    )
    assert Qualification.objects.get().reader == newcomer
    answer_first(other, project, read_cases[0], now)
    assert Entry.objects.get(case=read_cases[0]).state == Entry.State.DONE


def answer_first(reader: User, project: Project, case: Case, now: datetime) -> None:
    """Read a case, which the reader is given first."""
    [held, *_] = lease_next(reader=reader, project_id=project.pk, now=now).cases
    assert held.case == case
    said = Answered({"finding": "pneumonia"}, 4.0, 1, uuid4())
    submit(reader=reader, lease_id=held.lease.pk, case_id=case.pk, answered=said, now=now)
