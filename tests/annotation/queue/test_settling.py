"""Half-read cases are settled where fewer readings are wanted than before, or nobody is left to give one."""

from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Case, Membership, Project
from annotation.projects.protocols import document_of
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import save_protocol, set_membership
from annotation.queue import agreement
from annotation.queue.batches import make_batch
from annotation.queue.counting import count_readings
from annotation.queue.models import Entry
from annotation.queue.second_reads import readable_again
from annotation.queue.services import lease_next
from annotation.queue.settling import ask_where_gone, settle_readings
from annotation.queue.skips import Passed
from annotation.queue.submissions import skip
from annotation.readings.adjudication_models import Dispute
from annotation.readings.gold_models import Qualification
from jobs.models import Job
from tests import factories
from tests.annotation.queue.test_designs import cases_of, double, read, state_of

__all__ = ["double"]
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def second(double: Project) -> User:
    return factories.a_reader(double)


@pytest.fixture
def half_read(double: Project, reader: User, second: User, now: datetime) -> Case:
    """A case that one of two readers has read."""
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.WAITING
    return first.case


def ask_less(project: Project, now: datetime, **settings: object) -> None:
    """Save the protocol with other settings."""
    plain = document_in(protocol_in_force(project.pk)).plain()
    plain["settings"] = plain.get("settings", {}) | settings
    save_protocol(project=project, document=document_of(plain), base_version=1, now=now, by=None)


def asked_for() -> int:
    return Job.objects.filter(name="settle_readings").count()


def test_one_that_waits_for_a_second_reader_is_done_where_one_is_enough(
    double: Project, half_read: Case, now: datetime
) -> None:
    ask_less(double, now, readers=1)
    assert asked_for() == 1
    assert settle_readings(double.pk, now) == 1
    assert state_of(half_read) == Entry.State.DONE
    assert settle_readings(double.pk, now) == 0


def test_a_smaller_share_of_second_readings_settles_those_beyond_it(
    double: Project, half_read: Case, now: datetime
) -> None:
    double.protocols.update(settings={"second_share": 1.0})
    ask_less(double, now, second_share=0.0)
    assert asked_for() == 1
    assert settle_readings(double.pk, now) == 1


def test_nobody_is_asked_to_look_where_more_is_wanted(double: Project, now: datetime) -> None:
    ask_less(double, now, readers=3)
    assert asked_for() == 0


def test_one_waits_on_where_its_readings_are_still_wanted(
    double: Project, half_read: Case, now: datetime
) -> None:
    assert settle_readings(double.pk, now) == 0
    assert state_of(half_read) == Entry.State.WAITING


def test_who_leaves_keeps_no_case_waiting_where_others_have_read_it(
    double: Project, reader: User, second: User, half_read: Case, now: datetime
) -> None:
    third = factories.a_reader(double)
    set_membership(project=double, user=third, role=None)
    assert asked_for() == 1
    assert settle_readings(double.pk, now) == 0
    set_membership(project=double, user=second, role=Role.ML_STAFF)
    User.objects.filter(pk=second.pk).update(is_active=False)
    factories.a_reader(double)
    assert settle_readings(double.pk, now) == 0, "who came since reads it"


def test_one_whose_only_other_reader_is_disabled_is_settled(
    double: Project, second: User, half_read: Case, now: datetime
) -> None:
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert settle_readings(double.pk, now) == 1
    assert state_of(half_read) == Entry.State.DONE


def test_one_whose_other_reader_is_away_waits_on(
    double: Project, second: User, half_read: Case, now: datetime
) -> None:
    Membership.objects.filter(user=second).update(paused_at=now)
    assert settle_readings(double.pk, now) == 0
    assert state_of(half_read) == Entry.State.WAITING


def long_away(*readers: User) -> None:
    Membership.objects.filter(user__in=readers).update(paused_at=timezone.now() - timedelta(days=30))


def test_one_whose_other_reader_is_gone_for_long_is_settled_once_a_day(
    double: Project, second: User, half_read: Case
) -> None:
    now = timezone.now()
    Membership.objects.filter(user=second).update(paused_at=now - timedelta(days=27))
    assert (ask_where_gone(now), asked_for()) == (0, 0)
    long_away(second)
    assert [ask_where_gone(now) for _ in range(2)] == [1, 0]
    assert asked_for() == 1
    assert settle_readings(double.pk, now) == 1
    assert state_of(half_read) == Entry.State.DONE
    assert ask_where_gone(now + timedelta(days=2)) == 0


@pytest.mark.parametrize("score", [None, 0.9], ids=["by design", "doubted"])
def test_one_of_which_no_reading_counts_waits_for_who_is_gone_for_long(
    double: Project, reader: User, second: User, now: datetime, score: float | None
) -> None:
    factories.an_untested(reader, double)
    long_away(second)
    first = cases_of(reader, double, now)[0]
    Entry.objects.filter(case=first.case).update(score=score, reason="second_reading" if score else "random")
    read(reader, first, now)
    assert state_of(first.case) == Entry.State.WAITING
    assert settle_readings(double.pk, now) == 0
    Qualification.objects.filter(reader=reader).update(has_passed=True, settled_at=now)
    count_readings(double.pk, reader.pk, now)
    assert state_of(first.case) == Entry.State.DONE, "the reading counts now: nothing waits for ever"


def test_one_that_who_does_not_count_read_is_passed_on_to_who_is_gone_for_long(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    factories.an_untested(reader, double)
    long_away(factories.a_reader(double))
    first = cases_of(reader, double, now)[0]
    read(reader, first, now)
    given = cases_of(second, double, now)[0]
    passed = Passed("quality", "", uuid4())
    skip(reader=second, lease_id=given.lease.pk, case_id=given.case.pk, passed=passed, now=now)
    assert (given.case, state_of(first.case)) == (first.case, Entry.State.WAITING)


def test_nobody_is_asked_for_a_second_reading_who_is_gone_for_long(
    double: Project, reader: User, second: User, half_read: Case, now: datetime
) -> None:
    Entry.objects.filter(case=half_read).update(state=Entry.State.DONE)
    again = partial(
        make_batch,
        project=double,
        numbers=[half_read.number],
        why="Once more",
        by=reader,
        now=now,
        again=True,
    )
    Membership.objects.filter(user=second).update(paused_at=timezone.now())
    assert readable_again(double.pk, [half_read.pk]) == {half_read.pk}
    long_away(second)
    assert readable_again(double.pk, [half_read.pk]) == set()
    assert again().left_out == {"read_by_all": 1}
    Membership.objects.filter(user=second).update(paused_at=timezone.now())
    assert again().batch is not None


def test_one_that_a_reader_holds_is_left_to_the_reader(
    double: Project, second: User, half_read: Case, now: datetime
) -> None:
    assert cases_of(second, double, now)[0].case == half_read
    ask_less(double, now, readers=1)
    assert settle_readings(double.pk, now) == 0
    assert state_of(half_read) == Entry.State.LEASED


def test_one_that_was_asked_for_by_hand_waits_whatever_the_design_says(
    double: Project, second: User, half_read: Case, now: datetime
) -> None:
    staff = factories.a_member(double, Role.ML_STAFF)
    assert make_batch(project=double, numbers=[half_read.number], why="odd", by=staff, now=now).batch
    ask_less(double, now, readers=1)
    assert settle_readings(double.pk, now) == 0
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert settle_readings(double.pk, now) == 1


def test_one_whose_label_was_doubted_waits_too(double: Project, half_read: Case, now: datetime) -> None:
    Entry.objects.filter(case=half_read).update(score=0.9)
    ask_less(double, now, readers=1)
    assert settle_readings(double.pk, now) == 0


def test_a_settled_case_in_dispute_goes_to_the_adjudicators(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    double.protocols.update(settings={"readers": 3, "adjudicated": True})
    factories.a_reader(double)
    held = cases_of(reader, double, now)[0]
    read(reader, held, now, "normal")
    given = next(one for one in cases_of(second, double, now) if one.case == held.case)
    read(second, given, now, "pneumonia")
    assert not Dispute.objects.exists()
    ask_less(double, now, readers=2)
    assert settle_readings(double.pk, now) == 1
    assert Dispute.objects.get().case == held.case


def sent_back(double: Project, reader: User, second: User, now: datetime) -> Dispute:
    """Have two readers differ on a case of an adjudicated project, and get it back."""
    double.protocols.update(settings={"readers": 2, "adjudicated": True})
    held = cases_of(reader, double, now)[0]
    read(reader, held, now, "normal")
    read(second, next(one for one in cases_of(second, double, now) if one.case == held.case), now)
    dispute = Dispute.objects.get()
    numbers = {str(pk): 1 for pk in dispute.case.readings.values_list("pk", flat=True)}
    Dispute.objects.update(state=Dispute.State.RETURNED, awaited=numbers)
    return dispute


def test_a_case_that_was_sent_back_waits_for_nobody_who_left(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    dispute = sent_back(double, reader, second, now)
    for one in (reader, second):
        set_membership(project=double, user=one, role=None)
    settle_readings(double.pk, now)
    dispute.refresh_from_db()
    assert dispute.state == Dispute.State.OPEN


def test_a_case_that_was_sent_back_waits_for_who_is_away_and_for_nobody_who_is_gone_for_long(
    double: Project, reader: User, second: User, now: datetime
) -> None:
    dispute = sent_back(double, reader, second, now)
    Membership.objects.filter(user__in=[reader, second]).update(paused_at=timezone.now())
    settle_readings(double.pk, now)
    dispute.refresh_from_db()
    assert dispute.state == Dispute.State.RETURNED
    long_away(reader, second)
    assert ask_where_gone(timezone.now()) == 1
    settle_readings(double.pk, now)
    dispute.refresh_from_db()
    assert dispute.state == Dispute.State.OPEN


def test_readers_are_given_what_waits_after_settling(
    double: Project, second: User, half_read: Case, now: datetime
) -> None:
    ask_less(double, now, readers=1)
    settle_readings(double.pk, now)
    given = lease_next(reader=second, project_id=double.pk, now=now).cases
    assert half_read not in [one.case for one in given]


def test_who_leaves_has_only_what_is_in_dispute_looked_at(
    double: Project, reader: User, second: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.protocols.update(settings={"readers": 2, "adjudicated": True})
    held = cases_of(reader, double, now)[0]
    read(reader, held, now, "normal")
    read(second, next(one for one in cases_of(second, double, now) if one.case == held.case), now, "normal")
    looked: list[object] = []
    monkeypatch.setattr(agreement, "refresh_reference", lambda **facts: looked.append(facts["case_id"]))
    settle_readings(double.pk, now)
    assert looked == []
    settle_readings(double.pk, now, whole=True)
    assert looked == [held.case.pk]


def test_a_project_that_begins_to_adjudicate_has_all_it_read_looked_at(
    double: Project, half_read: Case, now: datetime
) -> None:
    ask_less(double, now, adjudicated=True)
    assert Job.objects.get(name="settle_readings").arguments["whole"]
