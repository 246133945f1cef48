"""Sixteen real processes on one queue: no case is given, read or ranked twice, on either database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from annotation.queue.adjudication import Verdict, decide
from annotation.queue.agreement import fuse_again
from annotation.queue.counting import count_readings
from annotation.queue.designs import SECOND_PLACE
from annotation.queue.disputes import ReadingClosedError, within_design
from annotation.queue.gold import make_gold
from annotation.queue.models import UNRANKED, Entry, Lease
from annotation.queue.rankings import Place, replace_ranking
from annotation.queue.rules import LeaseLostError
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import expire_leases, give_back, lease_next
from annotation.queue.submissions import Submitted, submit
from annotation.readings import standards
from annotation.readings.adjudication_models import Dispute
from annotation.readings.gold_models import Qualification
from annotation.readings.models import Reading, ReferenceStandard, Revision
from annotation.readings.services import Answered, revise
from audit.services import verify
from jobs.models import Job
from tests import factories
from tests.annotation.queue.racing import FORK, at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.processes,
    pytest.mark.alone,
]
PROCESSES = 16
LATER = timedelta(seconds=settings.READING_LEASE_SECONDS + 1)


def answered() -> Answered:
    return Answered({"finding": "normal"}, 1.0, 1, uuid4())


def send(
    reader: User, held: LeasedCase, message: Answered | None = None, now: datetime | None = None
) -> Submitted:
    return submit(
        reader=reader,
        lease_id=held.lease.pk,
        case_id=held.case.pk,
        answered=message or answered(),
        now=now or timezone.now(),
    )


def rank_at_random(project: Project) -> None:
    """Rank what waits, as a refit in the middle of reading does."""
    cases = Entry.objects.filter(project=project, state=Entry.State.WAITING).order_by("?")
    places = [
        Place(case_id, rank, 0.5, 0.5, "uncertain")
        for rank, case_id in enumerate(cases.values_list("case", flat=True), start=1)
    ]
    replace_ranking(
        project_id=project.pk,
        job_id=uuid4(),
        places=places,
        now=timezone.now(),
        model_id=None,
        strategy="margin",
        seed=0,
        pool_size=len(places),
        label_count=0,
    )


def test_sixteen_readers_read_a_queue_to_its_end_and_no_case_is_given_twice() -> None:
    project = factories.a_project()
    factories.some_cases(project, 320)
    readers = [factories.a_reader(project) for _ in range(PROCESSES)]

    def read_to_the_end(n: int) -> list[UUID]:
        seen: list[UUID] = []
        workload = lease_next(reader=readers[n], project_id=project.pk, now=timezone.now())
        while workload.cases:
            seen.append(workload.cases[0].case.pk)
            workload = send(readers[n], workload.cases[0]).workload
        return seen

    def rank_and_sweep(_n: int) -> list[UUID]:
        for _ in range(20):
            rank_at_random(project)
            expire_leases(now=timezone.now())
        return []

    def work(n: int) -> list[UUID]:
        return [*[read_to_the_end] * PROCESSES, rank_and_sweep][n](n)

    read = Counter(case for seen in at_once(PROCESSES + 1, work) for case in seen)
    assert len(read) == 320
    assert set(read.values()) == {1}
    assert Reading.objects.count() == ReferenceStandard.objects.count() == Lease.objects.count() == 320
    assert set(Entry.objects.values_list("state", flat=True)) == {Entry.State.DONE}
    assert Job.objects.filter(name="refit").count() == 1
    assert verify().intact


def test_sixteen_tabs_of_one_reader_hold_three_cases_together() -> None:
    project = factories.a_project()
    factories.some_cases(project, 60)
    reader = factories.a_reader(project)

    def ask(_n: int) -> list[UUID]:
        workload = lease_next(reader=reader, project_id=project.pk, now=timezone.now())
        return [leased.lease.pk for leased in workload.cases]

    assert len({tuple(leases) for leases in at_once(PROCESSES, ask)}) == 1
    assert Lease.objects.count() == 3


def test_the_same_message_from_sixteen_processes_makes_one_revision() -> None:
    project = factories.a_project()
    factories.some_cases(project, 5)
    reader = factories.a_reader(project)
    held = lease_next(reader=reader, project_id=project.pk, now=timezone.now()).cases[0]
    message = answered()

    def send_often(_n: int) -> set[UUID]:
        return {send(reader, held, message).reading_id for _ in range(10)}

    assert len(set.union(*at_once(PROCESSES, send_often))) == 1
    assert Revision.objects.count() == 1


def accepts(reader: User, held: LeasedCase, moment: datetime) -> bool:
    try:
        send(reader, held, now=moment)
    except LeaseLostError:
        return False
    return True


def takes(reader: User, held: LeasedCase, moment: datetime) -> bool:
    given = lease_next(reader=reader, project_id=held.case.project_id, now=moment).cases
    return held.case.pk in {leased.case.pk for leased in given}


def test_a_late_reader_and_the_next_one_race_for_a_case_and_one_of_them_wins() -> None:
    project = factories.a_project()
    factories.some_cases(project, 40)
    late, punctual = factories.a_reader(project), factories.a_reader(project)
    moment = timezone.now()
    for _ in range(10):
        held = lease_next(reader=late, project_id=project.pk, now=moment).cases[0]
        Entry.objects.filter(case=held.case).update(rank=1)
        moment += LATER
        expire_leases(now=moment)
        race = [partial(accepts, late, held, moment), partial(takes, punctual, held, moment)]
        accepted, taken = at_once(2, lambda n, race=race: race[n]())  # type: ignore[misc]  # bound now
        assert accepted != taken
        moment += LATER
        expire_leases(now=moment)
        Entry.objects.filter(rank=1).update(rank=UNRANKED)


def test_newcomers_get_one_gold_case_at_the_same_moment() -> None:
    project = factories.a_project()
    [case, *_] = factories.some_cases(project, 3)
    with transaction.atomic():
        factories.a_reading(factories.a_reader(project), case, {"finding": "normal"})
    staff = factories.a_member(project, Role.ML_STAFF)
    make_gold(project=project, numbers=[case.number], comment="", by=staff, now=timezone.now())
    project.protocols.update(settings={"practice_cases": 1})
    newcomers = [factories.a_reader(project) for _ in range(4)]

    def begin(n: int) -> list[UUID]:
        given = lease_next(reader=newcomers[n], project_id=project.pk, now=timezone.now())
        return [one.case.pk for one in given.cases]

    assert at_once(4, begin) == [[case.pk]] * 4
    assert sorted(Lease.objects.values_list("slot", flat=True)) == [1, 2, 3, 4]


@pytest.fixture
def adjudicated() -> tuple[Project, list[User]]:
    """A project whose cases two readers read, an adjudicator judges between them; and the two."""
    project = factories.a_project()
    factories.some_cases(project, 12)
    project.protocols.update(settings={"readers": 2, "adjudicated": True})
    return project, [factories.a_reader(project) for _ in range(2)]


def revises(reader: User, case_id: UUID) -> bool:
    """Change one's first answers, as the API does, where that is not closed."""
    try:
        revise(
            reader=reader,
            reading_id=Reading.objects.get(reader=reader, case=case_id).pk,
            base_revision=1,
            answered=Answered({"finding": "pneumonia"}, 1.0, 1, uuid4()),
            now=timezone.now(),
            within=lambda one: within_design(one, timezone.now()),
        )
    except ReadingClosedError:
        return False
    return True


def test_no_dispute_hides_between_a_revision_and_the_last_reading(
    adjudicated: tuple[Project, list[User]],
) -> None:
    project, (first, second) = adjudicated
    for _ in range(8):
        mine = lease_next(reader=first, project_id=project.pk, now=timezone.now()).cases[0]
        send(first, mine)
        for one in lease_next(reader=second, project_id=project.pk, now=timezone.now()).cases:
            give_back(reader=second, lease_id=one.lease.pk, now=timezone.now())
        given = lease_next(reader=second, project_id=project.pk, now=timezone.now()).cases
        theirs = next(one for one in given if one.case == mine.case)

        def race(n: int, mine: LeasedCase = mine, theirs: LeasedCase = theirs) -> bool:
            return revises(first, mine.case.pk) if n else bool(send(second, theirs))

        _, is_revised = at_once(2, race)
        assert Dispute.objects.filter(case=mine.case).exists() == is_revised
        assert ReferenceStandard.objects.filter(case=mine.case).exists() != is_revised


def pausing(here: Event, on: Event) -> None:
    """Let this process wait where a standard is fused and not written yet, until the other one is done."""
    fused_of = standards.fused_of

    def paused(
        revisions: Sequence[Revision], settled: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        found = fused_of(revisions, settled)
        here.set()
        on.wait(1.0)  # whoever waits for this one's lock cannot be done sooner
        return found

    standards.fused_of = paused  # this process ends with the test


@pytest.mark.parametrize("first", [0, 1], ids=["reading first", "counting first"])
def test_a_reader_who_comes_to_count_and_a_colleague_who_reads_leave_a_standard_of_both(first: int) -> None:
    project = factories.a_project()
    [case] = factories.some_cases(project, 1)
    project.protocols.update(settings={"readers": 2, "qualification_cases": 2})
    newcomer, second = (factories.a_reader(project) for _ in range(2))
    tested = partial(Qualification.objects.create, project=project, asked_at=timezone.now())
    tested(reader=second, has_passed=True, settled_at=timezone.now())
    asked = tested(reader=newcomer)
    with transaction.atomic():
        factories.a_reading(newcomer, case, {"finding": "normal"})
    Entry.objects.filter(case=case).update(**SECOND_PLACE)
    [held] = lease_next(reader=second, project_id=project.pk, now=timezone.now()).cases
    here, on = FORK.Event(), FORK.Event()

    def race(n: int) -> None:
        if n == first:
            pausing(here, on)
        else:
            assert here.wait(30)
        if n:
            Qualification.objects.filter(pk=asked.pk).update(has_passed=True, settled_at=timezone.now())
            assert count_readings(project.pk, newcomer.pk, timezone.now()) == 1
        else:
            send(second, held)
        on.set()

    at_once(2, race)
    assert ReferenceStandard.objects.get(case=case).readings == 2
    assert Entry.objects.get(case=case).state == Entry.State.DONE


def test_a_decision_keeps_its_standard_whoever_fuses_at_that_moment(
    adjudicated: tuple[Project, list[User]],
) -> None:
    project, readers = adjudicated
    judge = factories.a_user()
    set_membership(project=project, user=judge, role=Role.READER, adjudicates=True)
    for case in project.cases.order_by("number")[:8]:
        with transaction.atomic():
            for reader, value in zip(readers, ("normal", "pneumonia"), strict=True):
                factories.a_reading(reader, case, {"finding": value})
        fuse_again(project.pk, timezone.now())
        dispute = Dispute.objects.get(case=case)
        verdict = Verdict(dispute.version, uuid4(), answers={"finding": "normal"})

        def race(n: int, dispute: Dispute = dispute, verdict: Verdict = verdict) -> None:
            if n:
                fuse_again(project.pk, timezone.now())
            else:
                decide(user=judge, dispute_id=dispute.pk, verdict=verdict, now=timezone.now())

        at_once(3, race)
        assert ReferenceStandard.objects.get(case=case).provenance == "adjudicated"
