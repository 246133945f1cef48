"""Reading designs: how often a case is read, by whom, and that no reader learns what another said."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import Role, User
from annotation.learning.models import Policy
from annotation.projects.models import Case, Membership, Project
from annotation.projects.rules import RefusedError
from annotation.queue.batches import make_batch, withdraw_batch
from annotation.queue.models import Entry
from annotation.queue.pool import next_to_read
from annotation.queue.remarks import Said, add_remark, reply
from annotation.queue.rules import LeaseLostError, readings_wanted
from annotation.queue.selectors import LeasedCase, project_rows, waiting_cases
from annotation.queue.services import give_back, lease_next
from annotation.queue.skips import Passed
from annotation.queue.submissions import skip, submit
from annotation.readings.models import Reading, ReferenceStandard
from annotation.readings.services import Answered
from jobs.models import Job
from tests import factories
from tests.annotation.queue.test_rankings import rank_numbers, ranks

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def double(project: Project) -> Project:
    """A project whose cases two readers read."""
    project.protocols.update(settings={"readers": 2, "suggestions": "from_start", "control_share": 0.0})
    return project


@pytest.fixture
def second(double: Project) -> User:
    return factories.a_reader(double)


def cases_of(reader: User, project: Project, now: datetime) -> list[LeasedCase]:
    return lease_next(reader=reader, project_id=project.pk, now=now).cases


def read(reader: User, leased: LeasedCase, now: datetime, value: str = "pneumonia") -> Answered:
    said = Answered({"finding": value}, 4.5, 1, uuid4())
    submit(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)
    return said


def state_of(case: Case) -> str:
    return Entry.objects.get(case=case).state


def test_a_case_waits_for_its_second_reader_before_all_new_ones_and_is_done_then(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    rank_numbers(double, [1, 2, 3, 4, 5, 6, 7, 8], now)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.WAITING
    mine = cases_of(reader, double, now)
    assert first.case.pk not in {one.case.pk for one in mine}
    theirs = cases_of(second, double, now)
    assert theirs[0].case.pk == first.case.pk
    assert (theirs[0].why.reason, theirs[0].why.rank) == ("second_reading", None)
    read(second, theirs[0], now, "normal")
    assert state_of(first.case) == Entry.State.DONE
    assert Reading.objects.filter(case=first.case).count() == 2


def test_the_second_reader_is_told_nothing_of_the_first_reading(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    rank_numbers(double, [1, 2, 3, 4], now)
    first = cases_of(reader, double, now)[0]
    assert first.suggestion.probabilities is not None
    read(reader, first, now)
    client = factories.a_client(second)
    answer = client.post(f"/api/v1/projects/{double.pk}/leases", content_type="application/json")
    assert answer.status_code == 200, answer.content
    [given] = [one for one in answer.json()["cases"] if one["case"]["id"] == str(first.case.pk)]
    told = json.dumps(given)
    assert given["suggestion"] is None or given["suggestion"]["probabilities"] is None
    assert given["draft"] is None
    assert reader.username not in told
    assert str(reader.pk) not in told
    for path in (f"cases/{first.case.pk}", f"projects/{double.pk}/agreement"):
        assert client.get(f"/api/v1/{path}").status_code in {403, 404, 405}


def test_a_new_ranking_leaves_second_readings_in_front_and_does_not_choose_them(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    rank_numbers(double, [1, 2, 3, 4], now)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert first.case.pk not in {one.case_id for one in waiting_cases(double.pk)}
    rank_numbers(double, [first.case.number, 7, 8], now)
    assert ranks(double)[first.case.number] == 0
    assert cases_of(second, double, now)[0].case.pk == first.case.pk


def test_a_project_with_one_reader_keeps_its_cases_for_who_comes(
    double: Project, reader: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.WAITING
    assert ReferenceStandard.objects.filter(case=first.case).exists()
    assert cases_of(factories.a_reader(double), double, now)[0].case.pk == first.case.pk


def test_where_every_other_reader_passes_it_on_it_stays_with_its_one_reading(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    given = cases_of(second, double, now)[0]
    passed = Passed("quality", "", uuid4())
    skip(reader=second, lease_id=given.lease.pk, case_id=given.case.pk, passed=passed, now=now)
    assert state_of(first.case) == Entry.State.DONE


def test_a_case_that_the_second_passed_on_before_is_done_with_the_first_reading(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    rank_numbers(double, [1, 2, 3, 4, 5, 6, 7, 8], now)
    mine, theirs = cases_of(reader, double, now), cases_of(second, double, now)
    passed = Passed("quality", "", uuid4())
    skip(reader=second, lease_id=theirs[0].lease.pk, case_id=theirs[0].case.pk, passed=passed, now=now)
    read(reader, mine[0], now)
    [given] = [one for one in cases_of(reader, double, now) if one.case.pk == theirs[0].case.pk]
    read(reader, given, now)
    assert state_of(given.case) == Entry.State.DONE


def ids_of(found: list[LeasedCase]) -> list[UUID]:
    return [one.case.pk for one in found]


def test_whom_a_colleague_asked_about_a_case_is_no_second_reader_of_it(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first, third = cases_of(reader, double, now)[0], factories.a_reader(double)
    question = Said("question", "", "Pneumonia, is it not?", second.pk, uuid4())
    add_remark(author=reader, case_id=first.case.pk, said=question, now=now)
    read(reader, first, now)
    assert first.case.pk not in ids_of(cases_of(second, double, now))
    assert cases_of(third, double, now)[0].case.pk == first.case.pk


def test_a_case_is_done_where_the_only_other_reader_was_asked_about_it(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    question = Said("question", "", "Pneumonia, is it not?", second.pk, uuid4())
    add_remark(author=reader, case_id=first.case.pk, said=question, now=now)
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.DONE


def test_no_second_reader_asks_a_colleague(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    read(reader, cases_of(reader, double, now)[0], now)
    again = cases_of(second, double, now)[0]
    assert again.why.reason == "second_reading"
    question = Said("question", "", "Pneumonia, is it not?", reader.pk, uuid4())
    with pytest.raises(RefusedError, match="each alone"):
        add_remark(author=second, case_id=again.case.pk, said=question, now=now)


def test_who_holds_a_case_is_not_asked_about_it(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert first.case.pk in ids_of(cases_of(second, double, now))
    question = Said("question", "", "Pneumonia, is it not?", second.pk, uuid4())
    with pytest.raises(RefusedError, match="right now"):
        add_remark(author=reader, case_id=first.case.pk, said=question, now=now)


def test_who_was_answered_about_a_case_is_no_second_reader_of_it(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    rank_numbers(double, [1, 2, 3, 4], now)
    asked = cases_of(second, double, now)[0]
    question = Said("question", "", "Pneumonia, is it not?", reader.pk, uuid4())
    remark = add_remark(author=second, case_id=asked.case.pk, said=question, now=now)
    reply(reader=reader, remark_id=remark.pk, text="Yes.", now=now)
    give_back(reader=second, lease_id=asked.lease.pk, now=now)
    mine = next(one for one in cases_of(reader, double, now) if one.case.pk == asked.case.pk)
    factories.a_reader(double)
    read(reader, mine, now)
    assert state_of(asked.case) == Entry.State.WAITING
    assert asked.case.pk not in ids_of(cases_of(second, double, now))


def test_a_batch_of_half_read_cases_stays_blind(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    staff = factories.a_member(double, Role.ML_STAFF)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert make_batch(project=double, numbers=[first.case.number], why="odd", by=staff, now=now).batch
    given = cases_of(second, double, now)[0]
    assert (given.case.pk, given.lease.pick.reason) == (first.case.pk, "second_reading")
    assert (given.why.reason, given.why.text) == ("query_batch", f"{staff.username} asked for this case: odd")
    assert first.case.pk not in {one.case_id for one in waiting_cases(double.pk)}


def test_a_case_that_the_other_reader_passed_on_is_not_asked_for_again(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    staff = factories.a_member(double, Role.ML_STAFF)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    given = cases_of(second, double, now)[0]
    passed = Passed("quality", "", uuid4(), is_final=True)
    skip(reader=second, lease_id=given.lease.pk, case_id=given.case.pk, passed=passed, now=now)
    assert state_of(first.case) == Entry.State.DONE
    gathered = make_batch(
        project=double, numbers=[first.case.number], why="odd", by=staff, now=now, again=True
    )
    assert (gathered.batch, gathered.left_out) == (None, {"read_by_all": 1})


def test_a_disabled_reader_keeps_no_case_waiting(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    User.objects.filter(pk=second.pk).update(is_active=False)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.DONE


def test_a_case_waits_for_a_second_reader_who_is_away(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    today = timezone.now().date()
    Membership.objects.filter(user=second).update(away_from=today, away_until=today)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.WAITING


def test_a_case_that_is_passed_on_waits_for_who_is_away(
    project: Project, reader: User, now: datetime
) -> None:
    Membership.objects.filter(user=factories.a_reader(project)).update(paused_at=now)
    first = cases_of(reader, project, now)[0]
    passed = Passed("quality", "", uuid4())
    skip(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, passed=passed, now=now)
    assert state_of(first.case) == Entry.State.WAITING


def test_a_case_that_nobody_has_read_waits_for_who_is_gone_for_long_and_then_comes_back(
    project: Project, reader: User, now: datetime
) -> None:
    other = factories.a_reader(project)
    Membership.objects.filter(user=other).update(paused_at=timezone.now() - timedelta(days=28))
    first = cases_of(reader, project, now)[0]
    passed = Passed("quality", "", uuid4())
    skip(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, passed=passed, now=now)
    assert state_of(first.case) == Entry.State.WAITING
    Membership.objects.filter(user=other).update(paused_at=None)
    Entry.objects.filter(case=first.case).update(rank=1)
    assert cases_of(other, project, now)[0].case == first.case


def test_a_read_case_that_is_passed_on_waits_for_nobody_who_is_gone_for_long(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    Membership.objects.filter(user=factories.a_reader(double)).update(
        paused_at=timezone.now() - timedelta(days=28)
    )
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    given = cases_of(second, double, now)[0]
    passed = Passed("quality", "", uuid4())
    skip(reader=second, lease_id=given.lease.pk, case_id=given.case.pk, passed=passed, now=now)
    assert (given.case, state_of(first.case)) == (first.case, Entry.State.DONE)


def test_a_half_read_case_counts_for_its_reader_and_for_the_next_refit(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    Policy.objects.create(project=double, refit_every=1)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert lease_next(reader=reader, project_id=double.pk, now=now).progress.read_by_me == 1
    assert Job.objects.filter(name="refit", scope_id=double.pk).exists()
    assert first.case not in next_to_read(double.pk, 8)


def test_readers_are_not_told_by_a_count_whether_they_agreed(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    read(reader, first, now, "normal")
    read(second, cases_of(second, double, now)[0], now, "pneumonia")
    assert not ReferenceStandard.objects.filter(case=first.case).exists()
    assert [row["labels"] for row in project_rows(second)] == [1]


def test_who_has_read_a_case_cannot_read_it_again_by_an_old_lease(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    said = read(reader, first, now)
    again = replace(said, answers={"finding": "normal"}, idempotency_key=uuid4())
    with pytest.raises(LeaseLostError, match="revise"):
        submit(reader=reader, lease_id=first.lease.pk, case_id=first.case.pk, answered=again, now=now)
    assert Reading.objects.get(case=first.case).reader == reader


def test_a_second_reading_whose_lease_ran_out_keeps_its_place(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert cases_of(second, double, now)[0].case.pk == first.case.pk
    later = now + timedelta(days=1)
    third = factories.a_reader(double)
    assert cases_of(third, double, later)[0].why.reason == "second_reading"


def test_a_withdrawn_batch_leaves_to_the_design_what_is_half_read(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    staff = factories.a_member(double, Role.ML_STAFF)
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    batch = make_batch(project=double, numbers=[first.case.number], why="odd", by=staff, now=now).batch
    assert batch is not None
    withdraw_batch(project=double, batch_id=batch.pk, by=staff, now=now)
    entry = Entry.objects.get(case=first.case)
    assert (entry.state, entry.rank, entry.reason) == ("waiting", 0, "second_reading")


def test_a_share_of_the_cases_is_drawn_for_one_reader_more(project: Project, reader: User) -> None:
    ids = [uuid4() for _ in range(2000)]
    drawn = sum(readings_wanted(one, 1, 0.2) == 2 for one in ids)
    assert 300 < drawn < 500
    assert {readings_wanted(one, 3, 0.0) for one in ids} == {3}
    assert {readings_wanted(one, 2, 1.0) for one in ids} == {3}


@pytest.mark.parametrize("wrong", [{"readers": 0}, {"readers": 10}, {"second_share": 1.1}])
def test_a_design_out_of_bounds_is_refused(wrong: dict[str, Any], db: None) -> None:
    from annotation.projects.protocols import ProtocolInvalidError, document_of

    question = {"key": "finding", "prompt": "What?", "kind": "text"}
    with pytest.raises(ProtocolInvalidError):
        document_of({"questions": [question], "settings": wrong})
