"""Who is given which case, and until when."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.services import set_membership
from annotation.queue.models import UNRANKED, Entry, Lease, Pick
from annotation.queue.rules import LeaseLostError
from annotation.queue.selectors import Workload, waiting_cases
from annotation.queue.services import expire_leases, give_back, lease_next, renew
from annotation.queue.submissions import save_draft
from annotation.readings.services import Entered
from audit.models import Event
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
LATER = timedelta(seconds=settings.READING_LEASE_SECONDS + 1)


def numbers(workload: Workload) -> list[int]:
    return [leased.case.number for leased in workload.cases]


def rank(project: Project, *case_numbers: int) -> None:
    """Put cases at the top of the queue, in this order."""
    for place, number in enumerate(case_numbers, start=1):
        Entry.objects.filter(project=project, case__number=number).update(rank=place)


def test_a_reader_gets_the_best_case_and_the_two_after_it(
    project: Project, reader: User, now: datetime
) -> None:
    rank(project, 5, 2, 7, 1)
    assert numbers(lease_next(reader=reader, project_id=project.pk, now=now)) == [5, 2, 7]


def test_asking_again_gives_the_same_cases_and_writes_no_lease(
    project: Project, reader: User, now: datetime
) -> None:
    first = lease_next(reader=reader, project_id=project.pk, now=now)
    again = lease_next(reader=reader, project_id=project.pk, now=now)
    assert numbers(again) == numbers(first)
    assert Lease.objects.count() == 3


def test_two_readers_never_hold_the_same_case(project: Project, reader: User, now: datetime) -> None:
    other = factories.a_reader(project)
    mine = numbers(lease_next(reader=reader, project_id=project.pk, now=now))
    theirs = numbers(lease_next(reader=other, project_id=project.pk, now=now))
    assert len(set(mine) | set(theirs)) == 6


def test_an_empty_queue_gives_an_empty_workload(now: datetime) -> None:
    project = factories.a_project()
    reader = factories.a_reader(project)
    workload = lease_next(reader=reader, project_id=project.pk, now=now)
    assert workload.cases == []
    assert workload.progress.total == 0


def test_what_is_held_out_is_never_given_out(now: datetime) -> None:
    project = factories.a_project()
    factories.some_cases(project, 3, split="test")
    reader = factories.a_reader(project)
    assert lease_next(reader=reader, project_id=project.pk, now=now).cases == []


def test_a_case_given_out_is_audited_once(project: Project, reader: User, now: datetime) -> None:
    lease_next(reader=reader, project_id=project.pk, now=now)
    lease_next(reader=reader, project_id=project.pk, now=now)
    assert Event.objects.filter(action="case.lease", actor=str(reader.pk)).count() == 3


def test_why_a_case_was_given_is_kept_as_it_was_then(project: Project, reader: User, now: datetime) -> None:
    rank(project, 4)
    placed = Entry.objects.filter(project=project, case__number=4)
    placed.update(score=0.75, draw_probability=0.125, reason="uncertain", probabilities={"normal": 0.5})
    lease_next(reader=reader, project_id=project.pk, now=now)
    placed.update(rank=UNRANKED, score=None, draw_probability=None, reason="unranked", probabilities=None)
    pick = Pick.objects.get(lease__case__number=4)
    assert (pick.rank, pick.score, pick.draw_probability) == (1, 0.75, 0.125)
    assert (pick.reason, pick.stream, pick.probabilities) == ("uncertain", "pool", {"normal": 0.5})


def test_a_lease_that_ran_out_puts_its_case_back_at_its_rank(
    project: Project, reader: User, now: datetime
) -> None:
    rank(project, 3, 6)
    lease_next(reader=reader, project_id=project.pk, now=now)
    assert expire_leases(now=now) == 0
    assert expire_leases(now=now + LATER) == 3
    entry = Entry.objects.get(project=project, case__number=6)
    assert (entry.state, entry.rank) == (Entry.State.WAITING, 2)
    assert set(Lease.objects.values_list("ending", flat=True)) == {Lease.Ending.EXPIRED}


def test_an_absent_reader_s_cases_go_to_who_asks_next(project: Project, reader: User, now: datetime) -> None:
    rank(project, 3, 6, 1)
    other = factories.a_reader(project)
    lease_next(reader=reader, project_id=project.pk, now=now)
    given = lease_next(reader=other, project_id=project.pk, now=now + LATER)
    assert numbers(given) == [3, 6, 1]


def test_a_reader_who_comes_back_late_goes_on_with_the_same_cases_if_nobody_took_them(
    project: Project, reader: User, now: datetime
) -> None:
    first = lease_next(reader=reader, project_id=project.pk, now=now)
    assert numbers(lease_next(reader=reader, project_id=project.pk, now=now + LATER)) == numbers(first)


def test_a_reader_who_comes_back_after_the_sweep_goes_on_where_the_draft_is(
    project: Project, reader: User, now: datetime
) -> None:
    rank(project, 1, 2, 3)
    second = lease_next(reader=reader, project_id=project.pk, now=now).cases[1]
    save_draft(
        reader=reader,
        lease_id=second.lease.pk,
        case_id=second.case.pk,
        entered=Entered(1, {"finding": "normal"}, 3.0),
        now=now,
    )
    expire_leases(now=now + LATER)
    back = lease_next(reader=reader, project_id=project.pk, now=now + LATER)
    assert numbers(back) == [2, 1, 3]
    assert back.cases[0].draft is not None


def test_renewing_holds_the_cases_ahead_too(project: Project, reader: User, now: datetime) -> None:
    workload = lease_next(reader=reader, project_id=project.pk, now=now)
    soon = now + timedelta(minutes=20)
    until = renew(reader=reader, lease_id=workload.cases[0].lease.pk, now=soon)
    assert until == soon + timedelta(seconds=settings.READING_LEASE_SECONDS)
    assert expire_leases(now=now + LATER) == 0


def test_a_lease_that_was_given_back_cannot_be_renewed(project: Project, reader: User, now: datetime) -> None:
    lease = lease_next(reader=reader, project_id=project.pk, now=now).cases[0].lease
    give_back(reader=reader, lease_id=lease.pk, now=now)
    give_back(reader=reader, lease_id=lease.pk, now=now)
    assert Entry.objects.get(case=lease.case_id).state == Entry.State.WAITING
    with pytest.raises(LeaseLostError):
        renew(reader=reader, lease_id=lease.pk, now=now)


def test_another_s_lease_does_not_exist(project: Project, reader: User, now: datetime) -> None:
    lease = lease_next(reader=reader, project_id=project.pk, now=now).cases[0].lease
    other = factories.a_reader(project)
    with pytest.raises(Lease.DoesNotExist):
        renew(reader=other, lease_id=lease.pk, now=now)
    with pytest.raises(Lease.DoesNotExist):
        give_back(reader=other, lease_id=lease.pk, now=now)
    with pytest.raises(Lease.DoesNotExist):
        renew(reader=reader, lease_id=uuid4(), now=now)


def test_a_reader_whose_role_was_taken_gets_and_keeps_nothing(
    project: Project, reader: User, now: datetime
) -> None:
    lease = lease_next(reader=reader, project_id=project.pk, now=now).cases[0].lease
    set_membership(project=project, user=reader, role=None)
    with pytest.raises(Membership.DoesNotExist):
        lease_next(reader=reader, project_id=project.pk, now=now)
    with pytest.raises(Membership.DoesNotExist):
        renew(reader=reader, lease_id=lease.pk, now=now)


def test_ml_staff_and_administrators_are_given_no_cases(project: Project, now: datetime) -> None:
    staff, admin = factories.a_member(project, Role.ML_STAFF), factories.a_user(is_admin=True)
    for person in (staff, admin):
        with pytest.raises(ForbiddenError):
            lease_next(reader=person, project_id=project.pk, now=now)


def test_a_queue_that_forgot_a_lease_heals_instead_of_giving_the_case_twice(
    project: Project, reader: User, now: datetime
) -> None:
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    Entry.objects.filter(case=held.case).update(state=Entry.State.WAITING, rank=1)
    other = factories.a_reader(project)
    assert held.case.number not in numbers(lease_next(reader=other, project_id=project.pk, now=now))
    assert Lease.objects.filter(case=held.case, ended_at=None).count() == 1
    assert len(lease_next(reader=other, project_id=project.pk, now=now).cases) == 3


def test_the_number_of_queries_does_not_grow_with_the_queue(
    project: Project, reader: User, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.some_cases(project, 60)
    with django_assert_max_num_queries(50):
        lease_next(reader=reader, project_id=project.pk, now=now)
    with django_assert_max_num_queries(18):
        lease_next(reader=reader, project_id=project.pk, now=now)


def test_machine_work_sees_what_waits_and_what_is_being_read(
    project: Project, reader: User, now: datetime
) -> None:
    lease_next(reader=reader, project_id=project.pk, now=now)
    pool = list(waiting_cases(project.pk))
    assert len(pool) == 8
    assert sorted(case.state for case in pool) == ["leased"] * 3 + ["waiting"] * 5
    assert all(len(case.content_digest) == 64 and case.stream == "pool" for case in pool)
