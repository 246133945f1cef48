"""What ends a lease: readings and skips, sent once, twice, late, by the wrong person."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from annotation.learning.models import Policy
from annotation.projects.models import Case, Project, Protocol
from annotation.queue.models import Entry, Lease
from annotation.queue.rules import LeaseLostError
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import expire_leases, lease_next
from annotation.queue.skips import Passed
from annotation.queue.submissions import Submitted, save_draft, skip, submit
from annotation.readings.models import Draft, Reading, ReferenceStandard, Revision, Skip
from annotation.readings.rules import (
    AnswersInvalidError,
    DraftStaleError,
    IdempotencyConflictError,
    ProtocolChangedError,
)
from annotation.readings.services import Answered, Entered
from audit.models import Event
from jobs.models import Job, State
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
LATER = timedelta(seconds=settings.READING_LEASE_SECONDS + 1)


def answered(value: str = "normal", **changes: Any) -> Answered:
    return replace(Answered({"finding": value}, 4.5, 1, uuid4()), **changes)


def passed(reason: str = "quality") -> Passed:
    return Passed(reason, "", uuid4())


def first_case(reader: User, project: Project, now: datetime) -> LeasedCase:
    return lease_next(reader=reader, project_id=project.pk, now=now).cases[0]


def send(reader: User, leased: LeasedCase, message: Answered, now: datetime) -> Submitted:
    return submit(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=message, now=now)


def test_a_reading_makes_a_revision_a_reference_standard_and_room_for_the_next_case(
    project: Project, reader: User, now: datetime
) -> None:
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases
    submitted = send(reader, held[0], answered("pneumonia"), now)
    following = [leased.case.pk for leased in submitted.workload.cases]
    assert following[:2] == [held[1].case.pk, held[2].case.pk]
    assert len(following) == 3
    assert submitted.workload.progress.read_by_me == submitted.workload.progress.read == 1
    assert Entry.objects.get(case=held[0].case).state == Entry.State.DONE
    assert Lease.objects.get(pk=held[0].lease.pk).ending == Lease.Ending.SUBMITTED
    assert ReferenceStandard.objects.get(case=held[0].case).answers == {"finding": "pneumonia"}
    assert Revision.objects.get(reading=submitted.reading_id).seconds == 4.5


def test_a_reading_is_audited_once_without_its_answer(project: Project, reader: User, now: datetime) -> None:
    leased, message = first_case(reader, project, now), answered("pneumonia")
    send(reader, leased, message, now)
    send(reader, leased, message, now)
    event = Event.objects.get(action="reading.submit")
    assert (event.actor, event.object_id) == (str(reader.pk), str(leased.case.pk))
    assert "pneumonia" not in str(event.details)


def test_the_same_message_sent_a_thousand_times_makes_one_revision_and_one_answer(
    project: Project, reader: User, now: datetime
) -> None:
    leased, message = first_case(reader, project, now), answered()
    replies = {
        (one.reading_id, one.revision, tuple(leased.lease.pk for leased in one.workload.cases))
        for one in (send(reader, leased, message, now) for _ in range(1000))
    }
    assert len(replies) == 1
    assert Revision.objects.count() == Reading.objects.count() == 1
    assert Lease.objects.filter(ended_at=None).count() == 3


def test_a_key_that_was_used_for_other_answers_or_another_case_is_a_conflict(
    project: Project, reader: User, now: datetime
) -> None:
    held, message = lease_next(reader=reader, project_id=project.pk, now=now).cases, answered()
    send(reader, held[0], message, now)
    with pytest.raises(IdempotencyConflictError):
        send(reader, held[0], replace(message, answers={"finding": "pneumonia"}), now)
    with pytest.raises(IdempotencyConflictError):
        send(reader, held[1], message, now)
    assert Revision.objects.count() == 1


def test_a_late_reading_counts_when_nobody_else_was_given_the_case(
    project: Project, reader: User, now: datetime
) -> None:
    leased = first_case(reader, project, now)
    expire_leases(now=now + LATER)
    send(reader, leased, answered(), now + LATER)
    assert Entry.objects.get(case=leased.case).state == Entry.State.DONE
    assert Lease.objects.get(pk=leased.lease.pk).ending == Lease.Ending.SUBMITTED


def test_a_late_reading_is_refused_when_the_case_went_on_and_the_draft_is_kept(
    project: Project, reader: User, now: datetime
) -> None:
    leased = first_case(reader, project, now)
    entered = Entered(1, {"finding": "normal"}, 2.0)
    keep: dict[str, Any] = {"reader": reader, "lease_id": leased.lease.pk, "case_id": leased.case.pk}
    save_draft(**keep, entered=entered, now=now)
    other = factories.a_reader(project)
    taken = lease_next(reader=other, project_id=project.pk, now=now + LATER).cases
    assert leased.case.pk in {one.case.pk for one in taken}
    with pytest.raises(LeaseLostError):
        save_draft(**keep, entered=replace(entered, version=2), now=now + LATER)
    with pytest.raises(LeaseLostError):
        send(reader, leased, answered("pneumonia"), now + LATER)
    draft = Draft.objects.get(case=leased.case, reader=reader)
    assert (draft.version, draft.answers) == (3, {"finding": "pneumonia"})
    assert not Reading.objects.exists()


def test_a_reading_through_an_old_lease_ends_the_newer_one_of_the_same_reader(
    project: Project, reader: User, now: datetime
) -> None:
    leased = first_case(reader, project, now)
    expire_leases(now=now + LATER)
    lease_next(reader=reader, project_id=project.pk, now=now + LATER)
    send(reader, leased, answered(), now + LATER)
    assert not Lease.objects.filter(case=leased.case, ended_at=None).exists()


def test_a_case_is_read_once(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    send(reader, leased, answered(), now)
    with pytest.raises(LeaseLostError):
        send(reader, leased, answered(), now)


def test_another_s_lease_does_not_exist_for_a_reading(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    with pytest.raises(Lease.DoesNotExist):
        send(factories.a_reader(project), leased, answered(), now)


def test_a_foreign_case_does_not_exist(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    stranger = factories.a_reader(factories.a_project())
    with pytest.raises(Case.DoesNotExist):
        send(stranger, leased, answered(), now)


def test_answers_that_do_not_fit_the_protocol_change_nothing(
    project: Project, reader: User, now: datetime
) -> None:
    leased = first_case(reader, project, now)
    with pytest.raises(AnswersInvalidError, match='question "finding"'):
        send(reader, leased, answered("cat"), now)
    assert Lease.objects.get(pk=leased.lease.pk).ended_at is None
    assert not Reading.objects.exists()


def test_answers_to_an_old_protocol_are_refused(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    newer = Protocol.objects.get(project=project).questions
    Protocol.objects.create(project=project, version=2, questions=newer, created_at=now)
    with pytest.raises(ProtocolChangedError, match="version 2"):
        send(reader, leased, answered(), now)


def test_a_reading_ends_its_draft(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    entered = Entered(1, {"finding": "normal"}, 2.0)
    save_draft(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, entered=entered, now=now)
    send(reader, leased, answered(), now)
    assert not Draft.objects.exists()


def test_an_older_draft_never_overwrites_a_newer(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    keep: dict[str, Any] = {
        "reader": reader,
        "lease_id": leased.lease.pk,
        "case_id": leased.case.pk,
        "now": now,
    }
    newest = Entered(7, {"finding": "pneumonia"}, 2.0)
    save_draft(**keep, entered=newest)
    assert save_draft(**keep, entered=newest).version == 7
    with pytest.raises(DraftStaleError, match="version 7"):
        save_draft(**keep, entered=replace(newest, version=6))
    with pytest.raises(DraftStaleError):
        save_draft(**keep, entered=replace(newest, answers={}))
    assert Draft.objects.get().answers == {"finding": "pneumonia"}


def test_a_skipped_case_goes_to_other_readers_and_never_back_to_this_one(
    project: Project, reader: User, now: datetime
) -> None:
    other = factories.a_reader(project)
    leased = first_case(reader, project, now)
    Entry.objects.filter(case=leased.case).update(rank=1)
    send_skip: dict[str, Any] = {
        "reader": reader,
        "lease_id": leased.lease.pk,
        "case_id": leased.case.pk,
        "now": now,
    }
    message = passed()
    workload = skip(**send_skip, passed=message)
    assert skip(**send_skip, passed=message) == workload
    assert Skip.objects.count() == 1
    assert leased.case.pk not in {one.case.pk for one in workload.cases}
    assert first_case(other, project, now).case.pk == leased.case.pk


def test_a_case_that_every_reader_skipped_is_set_aside(project: Project, reader: User, now: datetime) -> None:
    leased = first_case(reader, project, now)
    skip(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, passed=passed("other"), now=now)
    assert Entry.objects.get(case=leased.case).state == Entry.State.SET_ASIDE
    assert Event.objects.get(action="case.skip").details == {"reason": "other"}


def test_a_skip_s_key_used_for_another_case_is_a_conflict(
    project: Project, reader: User, now: datetime
) -> None:
    held, message = lease_next(reader=reader, project_id=project.pk, now=now).cases, passed()
    skip(reader=reader, lease_id=held[0].lease.pk, case_id=held[0].case.pk, passed=message, now=now)
    with pytest.raises(IdempotencyConflictError):
        skip(reader=reader, lease_id=held[1].lease.pk, case_id=held[1].case.pk, passed=message, now=now)


def test_a_refit_is_asked_for_after_every_so_many_new_labels(project: Project, reader: User) -> None:
    Policy.objects.create(project=project, refit_every=3)
    asked = []
    for _ in range(7):
        send(reader, first_case(reader, project, timezone.now()), answered(), timezone.now())
        Job.objects.filter(name="refit").update(state=State.DONE)
        asked.append(Job.objects.filter(name="refit").count())
    assert asked == [0, 0, 1, 1, 1, 2, 2]
    assert Job.objects.first().arguments == {"project_id": str(project.pk)}  # type: ignore[union-attr]


def test_one_waiting_refit_is_enough(project: Project, reader: User, now: datetime) -> None:
    Policy.objects.create(project=project, refit_every=1)
    for _ in range(3):
        send(reader, first_case(reader, project, now), answered(), now)
    assert Job.objects.filter(name="refit").count() == 1


def test_a_reading_takes_a_bounded_number_of_queries(
    project: Project, reader: User, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.some_cases(project, 40)
    leased = first_case(reader, project, now)
    with django_assert_max_num_queries(60):
        send(reader, leased, answered(), now)
