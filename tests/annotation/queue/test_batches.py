"""Query batches: what ML staff ask for by hand is read first, and nobody loses a case to it."""

from datetime import datetime
from uuid import uuid4

import pytest

from accounts.models import Role, User
from annotation.projects.models import Case, Project
from annotation.projects.rules import RefusedError
from annotation.queue.batches import batches_for, make_batch, withdraw_batch
from annotation.queue.models import UNRANKED, Entry, Lease, QueryBatch
from annotation.queue.rules import left_out
from annotation.queue.services import give_back, lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from audit.models import Event
from tests import factories
from tests.annotation.queue.test_rankings import rank_numbers, ranks

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
WHY = "like case 3"


@pytest.fixture
def staff(project: Project) -> User:
    return factories.a_member(project, Role.ML_STAFF, "m.lind")


def asked(project: Project, staff: User, numbers: list[int], now: datetime) -> QueryBatch:
    batch = make_batch(project=project, numbers=numbers, why=WHY, by=staff, now=now).batch
    assert batch is not None
    return batch


def held_by(reader: User, project: Project, now: datetime) -> list[int]:
    return [one.case.number for one in lease_next(reader=reader, project_id=project.pk, now=now).cases]


def test_the_cases_of_a_batch_are_read_before_all_others(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    rank_numbers(project, [1, 2, 3, 4], now)
    asked(project, staff, [7, 8], now)
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases
    assert {one.case.number for one in held[:2]} == {7, 8}
    assert held[2].case.number == 1


def test_a_new_ranking_leaves_a_batch_in_front(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    batch = asked(project, staff, [5], now)
    rank_numbers(project, [5, 2, 3], now)
    rank_numbers(project, [4, 2, 3], now)
    assert ranks(project) == {5: 0, 4: 1, 2: 2, 3: 3}
    assert Entry.objects.get(case__number=5, project=project).batch == batch
    assert held_by(reader, project, now)[0] == 5


def test_a_reader_is_told_who_asked_and_the_pick_has_no_draw_probability(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    rank_numbers(project, [5, 6], now)
    batch = asked(project, staff, [5], now)
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    assert first.why.text == "m.lind asked for this case: like case 3"
    assert (first.why.reason, first.why.rank, first.why.score) == ("query_batch", None, None)
    pick = first.lease.pick
    assert (pick.batch, pick.draw_probability, pick.ranking) == (batch, None, None)


def test_no_case_is_taken_from_under_a_reader(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    rank_numbers(project, [1, 2, 3, 4], now)
    before = held_by(reader, project, now)
    gathered = make_batch(project=project, numbers=[1, 2, 8], why=WHY, by=staff, now=now)
    assert held_by(reader, project, now) == before
    assert gathered.left_out == {"leased": 2}
    assert gathered.batch is not None
    assert gathered.batch.size == 1


def test_a_batch_case_that_is_given_back_waits_in_front_again(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    asked(project, staff, [6], now)
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    rank_numbers(project, [1, 6, 2], now)
    give_back(reader=reader, lease_id=first.lease.pk, now=now)
    assert held_by(factories.a_reader(project), project, now)[0] == 6


def test_audit_read_and_unknown_cases_are_left_out_and_counted(
    project: Project, staff: User, now: datetime
) -> None:
    Case.objects.filter(project=project, number=1).update(stream=Case.Stream.AUDIT)
    Entry.objects.filter(project=project, case__number=2).update(state=Entry.State.DONE)
    asked(project, staff, [3], now)
    gathered = make_batch(project=project, numbers=[1, 2, 3, 99], why=WHY, by=staff, now=now)
    assert gathered.batch is None
    assert gathered.left_out == {"audit": 1, "done": 1, "in_batch": 1, "held_out": 1}
    assert Entry.objects.get(project=project, case__number=1).batch is None


def test_a_foreign_case_cannot_be_asked_for(project: Project, staff: User, now: datetime) -> None:
    other = factories.a_project()
    factories.some_cases(other, 12)
    assert make_batch(project=project, numbers=[12], why=WHY, by=staff, now=now).batch is None
    assert not Entry.objects.filter(project=other, rank__lt=UNRANKED).exists()


def test_withdrawing_sends_the_unread_back_and_leaves_readers_alone(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    batch = asked(project, staff, [4, 5, 6, 7, 8], now)
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    answered = Answered({"finding": "normal"}, 1.0, 1, uuid4())
    submit(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, answered=answered, now=now)
    assert withdraw_batch(project=project, batch_id=batch.pk, by=staff, now=now) == 4
    assert withdraw_batch(project=project, batch_id=batch.pk, by=staff, now=now) == 0
    assert Lease.objects.filter(ended_at=None).count() == 3
    assert ranks(project) == {first.case.number: 0}
    assert first.lease.pick.batch == batch


def test_a_withdrawn_batch_case_that_was_held_waits_like_any_other(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    batch = asked(project, staff, [6], now)
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    withdraw_batch(project=project, batch_id=batch.pk, by=staff, now=now)
    give_back(reader=reader, lease_id=held.lease.pk, now=now)
    rank_numbers(project, [1, 2], now)
    assert ranks(project) == {1: 1, 2: 2}


def test_a_batch_tells_how_far_it_is(project: Project, reader: User, staff: User, now: datetime) -> None:
    asked(project, staff, [4, 5, 6, 7], now)
    lease_next(reader=reader, project_id=project.pk, now=now)
    told = vars(batches_for(staff, project.pk).get())
    assert (told["now_done"], told["now_leased"], told["now_waiting"]) == (0, 3, 1)


def test_making_and_withdrawing_are_audited_by_case_number(
    project: Project, staff: User, now: datetime
) -> None:
    batch = asked(project, staff, [5, 4], now)
    withdraw_batch(project=project, batch_id=batch.pk, by=staff, now=now)
    made, withdrawn = Event.objects.filter(object_id=str(batch.pk)).order_by("sequence")
    assert (made.action, made.details, made.actor) == ("query_batch.make", {"cases": [4, 5]}, str(staff.pk))
    assert (withdrawn.action, withdrawn.details) == ("query_batch.withdraw", {"went_back": 2})


@pytest.mark.parametrize(
    ("numbers", "why", "words"),
    [([], WHY, "at least one"), (list(range(201)), WHY, "at most 200"), ([1], "  ", "0 characters")],
)
def test_a_batch_that_cannot_be_is_refused_with_the_rule(
    project: Project, staff: User, now: datetime, numbers: list[int], why: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        make_batch(project=project, numbers=numbers, why=why, by=staff, now=now)


def test_the_audit_stream_wins_over_every_other_reason() -> None:
    assert left_out("audit", "leased", is_in_batch=True) == "audit"
    assert left_out("pool", "waiting", is_in_batch=False) == ""
