"""Planned repeats: a reader gets an own case again without a sign, and nothing is learned from it."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from annotation.projects.models import Case, Project
from annotation.queue.disputes import ReadingClosedError
from annotation.queue.models import Entry, Lease
from annotation.queue.repeats import Again, drawn_to_repeat, revise_repeat
from annotation.queue.selectors import LeasedCase, progress_of, project_rows
from annotation.queue.services import expire_leases, give_back, lease_next
from annotation.queue.skips import Passed
from annotation.queue.submissions import save_draft, skip, submit
from annotation.readings.adjudication_models import Dispute
from annotation.readings.effort_models import Effort
from annotation.readings.models import Draft, Reading, ReferenceStandard
from annotation.readings.repeat_models import Repeat, RepeatRevision
from annotation.readings.rules import IdempotencyConflictError
from annotation.readings.services import Answered, Entered
from audit.models import Event
from tests import factories
from tests.annotation.queue.test_rankings import rank_numbers

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
DAYS = 10


@pytest.fixture
def project(db: None) -> Project:
    """A project whose readers get a fifth of their cases again after ten days."""
    made = factories.a_project()
    settings = {"repeat_share": 0.2, "repeat_days": DAYS, "suggestions": "from_start", "control_share": 0.0}
    made.protocols.update(settings=settings)
    factories.some_cases(made, 12)
    rank_numbers(made, list(range(1, 13)), made.created_at)
    return made


def read(reader: User, leased: LeasedCase, now: datetime, value: str = "normal") -> Answered:
    said = Answered({"finding": value}, 4.0, 1, uuid4())
    submit(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)
    return said


def held(reader: User, project: Project, now: datetime) -> list[LeasedCase]:
    return lease_next(reader=reader, project_id=project.pk, now=now).cases


@pytest.fixture
def again(project: Project, reader: User, now: datetime) -> Case:
    """A case that the reader has read, and that is to come again."""
    first = held(reader, project, now)[0]
    read(reader, first, now, "pneumonia")
    Repeat.objects.all().delete()
    due_at = now + timedelta(days=DAYS)
    Repeat.objects.create(case=first.case, project=project, reader=reader, due_at=due_at)
    for one in held(reader, project, now):
        give_back(reader=reader, lease_id=one.lease.pk, now=now)
    return first.case


@pytest.fixture
def later(now: datetime) -> datetime:
    return now + timedelta(days=DAYS, hours=1)


@pytest.fixture
def given(again: Case, reader: User, project: Project, later: datetime) -> LeasedCase:
    """The repeat as the reader holds it."""
    [found] = [one for one in held(reader, project, later) if one.case == again]
    return found


def test_a_share_of_a_reader_s_cases_is_drawn_each_time_the_same() -> None:
    pairs = [(uuid4(), uuid4()) for _ in range(2000)]
    assert 300 < sum(drawn_to_repeat(*pair, 0.2) for pair in pairs) < 500
    assert not any(drawn_to_repeat(*pair, 0.0) for pair in pairs)
    assert {drawn_to_repeat(*pairs[0], 0.2) for _ in range(3)} == {drawn_to_repeat(*pairs[0], 0.2)}


def test_what_is_read_is_planned_where_it_is_drawn(project: Project, reader: User, now: datetime) -> None:
    for _ in range(12):
        read(reader, held(reader, project, now)[0], now)
    drawn = {one.pk for one in project.cases.all() if drawn_to_repeat(one.pk, reader.pk, 0.2)}
    assert set(Repeat.objects.values_list("case", flat=True)) == drawn
    assert {one.due_at - now for one in Repeat.objects.all()} <= {timedelta(days=DAYS)}


def test_it_comes_after_the_interval_and_not_before(
    again: Case, reader: User, project: Project, now: datetime, later: datetime
) -> None:
    assert again not in [one.case for one in held(reader, project, now)]
    expire_leases(now=later)
    cases = [one.case for one in held(reader, project, later)]
    assert (cases[-1], len(cases)) == (again, 3)


def test_nobody_else_gets_it(again: Case, project: Project, later: datetime) -> None:
    assert again not in [one.case for one in held(factories.a_reader(project), project, later)]


def test_it_hides_in_the_queue_and_never_stands_alone(
    again: Case, reader: User, project: Project, later: datetime
) -> None:
    Entry.objects.filter(project=project).update(state=Entry.State.DONE)
    assert held(reader, project, later) == []


def test_two_never_come_in_a_row(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    read(reader, given, later)
    other = next(one.case for one in held(reader, project, later) if one.case != again)
    read(reader, next(one for one in held(reader, project, later) if one.case == other), later)
    Repeat.objects.filter(case=other).delete()
    Repeat.objects.create(case=other, project=project, reader=reader, due_at=later)
    for _ in range(3):
        assert other not in [one.case for one in held(reader, project, later)]
        read(reader, held(reader, project, later)[0], later + timedelta(seconds=1))
    read(reader, held(reader, project, later)[0], later + timedelta(seconds=2))
    assert other in [one.case for one in held(reader, project, later + timedelta(seconds=3))]


def view_of(client: Client, project: Project, case: Case) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The repeat and the others as the API gives them."""
    answer = client.post(f"/api/v1/projects/{project.pk}/leases", content_type="application/json")
    cases = answer.json()["cases"]
    mine = [one for one in cases if one["case"]["id"] == str(case.pk)]
    return mine[0], [one for one in cases if one not in mine]


def test_the_api_never_tells(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    first = Reading.objects.get(case=again)
    Lease.objects.update(expires_at=later + timedelta(days=4000))
    repeated, others = view_of(factories.a_client(reader), project, again)
    text = json.dumps(repeated)
    assert str(first.pk) not in text
    assert repeated["draft"] is None
    assert "pneumonia" not in json.dumps(repeated | {"protocol": None})
    for other in others:
        assert repeated.keys() == other.keys()
        assert repeated["why"]["text"] == other["why"]["text"]
        assert repeated["why"]["reason"] == other["why"]["reason"]
        assert (repeated["why"]["rank"] is None) == (other["why"]["rank"] is None)
        assert (repeated["why"]["uncertainty"] is None) == (other["why"]["uncertainty"] is None)
        assert repeated["protocol"] == other["protocol"]
    assert repeated["suggestion"]["probabilities"] is None


def test_what_is_said_again_changes_no_reading_no_standard_and_no_place(
    again: Case, given: LeasedCase, reader: User, later: datetime
) -> None:
    before = ReferenceStandard.objects.values().get(case=again)
    read(reader, given, later, "normal")
    assert ReferenceStandard.objects.values().get(case=again) == before
    assert Reading.objects.get(case=again).revisions.count() == 1
    assert Entry.objects.get(case=again).state == Entry.State.DONE
    assert RepeatRevision.objects.get().answers == {"finding": "normal"}
    assert Event.objects.filter(action="reading.repeat", object_id=str(again.pk)).exists()


def test_it_is_answered_counted_listed_and_revised_as_any(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    client = factories.a_client(reader)
    Lease.objects.update(expires_at=later + timedelta(days=4000))
    body = {
        "lease_id": str(given.lease.pk),
        "idempotency_key": str(uuid4()),
        "answers": {"finding": "normal"},
        "seconds": 2.0,
        "protocol_version": 1,
    }
    path = f"/api/v1/cases/{again.pk}"
    read_by_me = client.post(f"/api/v1/projects/{project.pk}/leases").json()["progress"]["read_by_me"]
    answer = client.post(f"{path}/readings", json.dumps(body), content_type="application/json")
    told = answer.json()
    assert (answer.status_code, told["revision"]) == (200, 1)
    assert told["workload"]["progress"]["read_by_me"] == read_by_me + 1
    assert client.post(f"{path}/readings", json.dumps(body), content_type="application/json").json() == told
    reading = told["reading_id"]
    last = client.get(f"/api/v1/projects/{project.pk}/readings/last").json()
    assert (last["reading_id"], last["answers"], last["comment"]) == (reading, {"finding": "normal"}, None)
    today = client.get(f"/api/v1/projects/{project.pk}/readings/mine").json()
    assert reading in [one["reading_id"] for one in today["readings"]]
    assert client.get(f"/api/v1/readings/{reading}").json()["answers"] == {"finding": "normal"}
    change = {
        "idempotency_key": str(uuid4()),
        "base_revision": 1,
        "answers": {"finding": "pneumonia"},
        "seconds": 1.0,
        "protocol_version": 1,
    }
    revise = f"/api/v1/readings/{reading}/revisions"
    assert client.post(revise, json.dumps(change), content_type="application/json").json() == {"revision": 2}
    spent = Effort.objects.filter(reader=reader).values_list("second_readings", "revisions", "seconds")
    assert [sum(column) for column in zip(*spent, strict=True)] == [0, 1, 4.0 + 2.0 + 1.0]
    stale = change | {"idempotency_key": str(uuid4())}
    assert client.post(revise, json.dumps(stale), content_type="application/json").status_code == 409
    assert client.get(f"/api/v1/readings/{reading}").json()["revision"] == 2
    theirs = factories.a_client(factories.a_reader(project))
    assert theirs.get(f"/api/v1/readings/{reading}").status_code == 404
    assert theirs.post(revise, json.dumps(stale), content_type="application/json").status_code == 404


def test_a_key_is_good_for_one_message(again: Case, given: LeasedCase, reader: User, later: datetime) -> None:
    said = read(reader, given, later)
    other = Answered({"finding": "pneumonia"}, 1.0, 1, said.idempotency_key)
    with pytest.raises(IdempotencyConflictError):
        submit(reader=reader, lease_id=given.lease.pk, case_id=again.pk, answered=other, now=later)


def test_a_draft_is_kept_and_gone_with_the_answer(
    again: Case, given: LeasedCase, reader: User, later: datetime
) -> None:
    entered = Entered(1, {"finding": "normal"}, 1.0, 1)
    save_draft(reader=reader, lease_id=given.lease.pk, case_id=again.pk, entered=entered, now=later)
    assert Draft.objects.filter(case=again, reader=reader).exists()
    read(reader, given, later)
    assert not Draft.objects.filter(case=again, reader=reader).exists()


def test_who_passes_it_on_does_not_get_it_a_third_time(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    passed = Passed("quality", "", uuid4(), is_final=True)
    for _ in range(2):
        skip(reader=reader, lease_id=given.lease.pk, case_id=again.pk, passed=passed, now=later)
    assert Entry.objects.get(case=again).state == Entry.State.DONE
    assert again not in [one.case for one in held(reader, project, later)]


def test_its_lease_runs_out_and_comes_again_and_the_queue_is_not_touched(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    much_later = later + timedelta(days=1)
    expire_leases(now=much_later)
    assert Entry.objects.get(case=again).state == Entry.State.DONE
    assert again in [one.case for one in held(reader, project, much_later)]


@pytest.fixture
def long(project: Project, reader: User, now: datetime) -> Project:
    """The project with many more cases in line, and a reader who has read one of them."""
    factories.some_cases(project, 60)
    rank_numbers(project, list(range(1, 73)), now)
    return project


def test_no_two_cases_show_the_same_rank_and_score(
    long: Project, again: Case, given: LeasedCase, reader: User, later: datetime
) -> None:
    shown: dict[UUID, tuple[int | None, float | None]] = {}
    for _ in range(9):
        mine = held(reader, long, later)
        shown |= {one.lease.pk: (one.why.rank, one.why.score) for one in mine}
        read(reader, mine[0], later)
    assert given.lease.pk in shown
    assert len({*shown.values()}) == len(shown)
    assert None not in {rank for rank, _ in shown.values()}


def test_ranks_grow_by_one_from_case_to_case_and_stay_as_they_were_told(
    long: Project, again: Case, given: LeasedCase, reader: User, later: datetime
) -> None:
    """With one reader nothing is left out of the ranking; a case that is given again has the rank it had."""
    shown: dict[UUID, set[int | None]] = {}
    for place in range(12):
        mine = held(reader, long, later)
        for one in mine:
            shown.setdefault(one.case.pk, set()).add(one.why.rank)
        if place in (1, 7):
            give_back(reader=reader, lease_id=mine[0].lease.pk, now=later)
        else:
            read(reader, mine[0], later)
    assert again.pk in shown
    first = given.why.rank
    assert first is not None
    assert sorted(*zip(*shown.values(), strict=True)) == [*range(first - 2, first - 2 + len(shown))]


def planned(project: Project, reader: User, cases: list[Case], due_at: datetime) -> None:
    """Have the reader read cases, which come again from a time on."""
    for case in cases:
        factories.a_reading(reader, case, {"finding": "normal"})
        Repeat.objects.create(case=case, project=project, reader=reader, due_at=due_at)
    Entry.objects.filter(case__in=cases).update(state=Entry.State.DONE)


def read_to_its_end(reader: User, project: Project, now: datetime) -> list[LeasedCase]:
    """All that the reader is given, in the order of reading, as it is told when it is read."""
    told: list[LeasedCase] = []
    while mine := held(reader, project, now + timedelta(seconds=len(told))):
        read(reader, mine[0], now + timedelta(seconds=len(told)))
        told.append(mine[0])
    return told


def test_no_rank_is_told_beyond_the_pool_read_to_its_end(
    project: Project, reader: User, later: datetime
) -> None:
    first = list(project.cases.order_by("number"))
    planned(project, reader, first[:3], later)
    factories.some_cases(project, 11)
    rank_numbers(project, list(range(4, 24)), later)
    told = read_to_its_end(reader, project, later)
    repeats = [one.case for one in told if one.case in first[:3]]
    assert len(repeats) == 3
    assert [one.why.rank for one in told] == list(range(1, 24))
    assert {one.why.pool_size for one in told} == {23}, "the same before, with and after a repeat"


def test_a_repeat_that_was_planned_since_the_ranking_takes_no_rank_beyond_the_pool(
    project: Project, again: Case, reader: User, now: datetime, later: datetime
) -> None:
    told = read_to_its_end(reader, project, later)
    assert again in [one.case for one in told]
    assert [one.why.rank for one in told] == [*range(2, 13), 12]
    assert {one.why.pool_size for one in told} == {12}


def test_ranks_go_on_where_no_repeat_is_planned_any_more(
    long: Project, again: Case, given: LeasedCase, reader: User, later: datetime
) -> None:
    protocols = long.protocols
    protocols.update(settings=protocols.get().settings | {"repeat_share": 0.0})
    told = read_to_its_end(reader, long, later)[:20]
    first = told[0].why.rank
    assert first is not None
    assert again in [one.case for one in told]
    assert [one.why.rank for one in told] == list(range(first, first + 20))


def test_no_two_repeats_show_the_same_score(project: Project, reader: User, later: datetime) -> None:
    first = list(project.cases.order_by("number"))
    planned(project, reader, first[:2], later)
    factories.some_cases(project, 4)
    rank_numbers(project, list(range(3, 17)), later)
    lent = [one.why.score for one in read_to_its_end(reader, project, later) if one.case in first[:2]]
    assert len(lent) == len(set(lent)) == 2


def test_no_repeat_comes_where_only_a_score_that_was_lent_is_left_to_show(
    project: Project, reader: User, later: datetime
) -> None:
    first = list(project.cases.order_by("number"))
    planned(project, reader, first[:2], later)
    Entry.objects.filter(case=first[-1]).update(state=Entry.State.DONE)
    rank_numbers(project, list(range(3, 12)), later)
    told = read_to_its_end(reader, project, later)
    assert len(told) == 9 + 1
    assert [one.why.score for one in told if one.case in first[:2]] == [1 / 9]


def test_cases_of_one_score_lend_it_more_than_once(project: Project, reader: User, later: datetime) -> None:
    first = list(project.cases.order_by("number"))
    planned(project, reader, first[:2], later)
    rank_numbers(project, list(range(3, 13)), later)
    Entry.objects.filter(project=project).update(score=0.5)
    told = [one.case for one in read_to_its_end(reader, project, later)]
    assert {*first[:2]} < {*told}


def counts(reader: User, project: Project) -> tuple[int, int, int, int, int]:
    seen = progress_of(reader, project.pk)
    [row] = project_rows(reader)
    return seen.read, seen.waiting, seen.total, row["waiting"], row["labels"]


def test_counts_go_on_as_with_any_case(
    long: Project, again: Case, reader: User, now: datetime, later: datetime
) -> None:
    steps, kinds = [], []
    before = counts(reader, long)
    held(reader, long, later)
    assert counts(reader, long)[1] == before[1] - 3
    for _ in range(5):
        before = counts(reader, long)
        first = held(reader, long, later)[0]
        read(reader, first, later)
        kinds.append(first.case == again)
        after = counts(reader, long)
        steps.append(tuple(new - old for new, old in zip(after, before, strict=True)))
    assert kinds.count(True) == 1
    assert set(steps) == {(1, -1, 0, -1, 1)}


def test_one_that_is_due_is_not_held_up_by_others_in_dispute(
    long: Project, again: Case, reader: User, now: datetime, later: datetime
) -> None:
    for case in long.cases.exclude(pk=again.pk)[:6]:
        Repeat.objects.create(case=case, project=long, reader=reader, due_at=now)
        Dispute.objects.create(case=case, project=long, keys=[], opened_at=now, changed_at=now)
        Entry.objects.filter(case=case).update(state=Entry.State.DONE)
    assert again in [one.case for one in held(reader, long, later)]


def test_it_is_closed_where_a_reading_of_its_case_is(
    again: Case, given: LeasedCase, reader: User, project: Project, later: datetime
) -> None:
    read(reader, given, later)
    factories.a_reading(factories.a_reader(project), again, {"finding": "pneumonia"})
    said = Answered({"finding": "pneumonia"}, 1.0, 1, uuid4())
    which = Again(Repeat.objects.get(case=again).pk, 1)
    protocols = project.protocols
    protocols.update(settings=protocols.get().settings | {"adjudicated": True})
    with pytest.raises(ReadingClosedError):
        revise_repeat(reader=reader, again=which, answered=said, now=later)
    protocols.update(settings=protocols.get().settings | {"adjudicated": False})
    assert revise_repeat(reader=reader, again=which, answered=said, now=later).number == 2


def test_the_audit_is_written_last(again: Case, given: LeasedCase, reader: User, later: datetime) -> None:
    with CaptureQueriesContext(connection) as asked:
        read(reader, given, later)
    writes = [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE"))]
    audited = ["audit_" in one for one in writes]
    assert audited[audited.index(True) :] == [True] * audited.count(True)
