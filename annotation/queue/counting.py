"""Cases fused anew where a reader's readings come to count, or count no more; one transaction a case."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from annotation.projects.models import Protocol
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.projects.services import record_act
from annotation.queue.designs import after_reading
from annotation.queue.disputes import judge
from annotation.queue.models import Entry
from annotation.queue.qualification import record_settled, settle
from annotation.queue.rules import SECOND_READING
from annotation.queue.settling import is_awaited
from annotation.readings.adjudication_models import Dispute
from annotation.readings.gold_models import GoldReading, Qualification
from annotation.readings.models import Reading, Revision
from annotation.readings.standards import refresh_reference
from jobs.models import Job, Lane
from jobs.services import ask


def ask_counting(project_id: UUID, reader_id: UUID) -> Job:
    """Ask the light lane to fuse anew all that a reader has read."""
    return ask(
        name="count_readings",
        lane=Lane.LIGHT,
        arguments={"project_id": str(project_id), "reader_id": str(reader_id)},
        scope_id=project_id,
        singleton_key=f"count_readings:{project_id}:{reader_id}",
    )


def count_readings(project_id: UUID, reader_id: UUID, now: datetime) -> int:
    """Fuse all that a reader has read anew, now that it counts or does not; again changes nothing.

    returns: how many cases there were.
    """
    protocol = protocol_in_force(project_id)
    read = Reading.objects.filter(case__project=project_id, reader=reader_id)
    cases = list(read.order_by("case").values_list("case", flat=True))
    for case_id in cases:
        count_one(case_id, protocol, now)
    return len(cases)


@transaction.atomic
def count_one(case_id: UUID, protocol: Protocol, now: datetime) -> None:
    """Fuse one case anew, and give it the place that the readings that count leave it."""
    entry = Entry.objects.select_for_update(of=("self",)).select_related("case").get(case=case_id)
    refresh_reference(case_id=case_id, now=now)
    mine = Entry.objects.filter(case=case_id)
    is_waiting = entry.state == Entry.State.WAITING and entry.reason == SECOND_READING
    if is_waiting and not is_awaited(entry, protocol):
        mine.update(state=Entry.State.DONE)
    elif entry.state == Entry.State.DONE and not is_decided(case_id):
        mine.update(**after_reading(entry.case, protocol))
    judge(case_id=case_id, project_id=entry.project_id, now=now)


def is_decided(case_id: UUID) -> bool:
    """Whether what an adjudicator decided stands for a case: no reading more is wanted."""
    return Dispute.objects.filter(case=case_id, state=Dispute.State.DECIDED).exists()


def settle_tests(project_id: UUID, now: datetime) -> int:
    """Settle who is tested by what the protocol asks now, and ask for their readings to be fused anew.

    returns: how many readers there were.
    """
    asked = Qualification.objects.filter(project=project_id).order_by("pk")
    rows = list(asked.values_list("pk", flat=True))
    for qualification in rows:
        settle_test(qualification, now)
    return len(rows)


@transaction.atomic
def settle_test(qualification_id: int, now: datetime) -> None:
    """Settle one reader: by a test that is long enough now, or as one who counted while there was none."""
    asked = Qualification.objects.select_for_update(of=("self",)).select_related("reader")
    mine = asked.get(pk=qualification_id)
    reader, project_id = mine.reader, mine.project_id
    settings = settings_in(protocol_in_force(project_id))
    settled = settle(reader, project_id, settings, now)
    counts = settled is None and bool(settings.qualification_cases) and has_counted(mine)
    if counts:
        Qualification.objects.filter(pk=mine.pk).update(has_passed=True, settled_at=now)
    ask_counting(project_id, reader.pk)
    if settled is not None:
        record_settled(settled)
    elif counts:
        details = {"reader": str(reader.pk), "attempt": mine.attempt}
        record_act("qualification.counted", project_id, by=None, details=details)


def has_counted(asked: Qualification) -> bool:
    """Whether a reader who has answered no test read while the project asked for none."""
    if asked.has_passed is not None:
        return False
    tested = GoldReading.objects.filter(
        gold__project=asked.project_id, reader=asked.reader_id, phase=GoldReading.Phase.TEST
    )
    protocols = Protocol.objects.filter(project=asked.project_id)
    free = [one.pk for one in protocols if not settings_in(one).qualification_cases]
    read = Revision.objects.filter(
        reading__case__project=asked.project_id,
        reader=asked.reader_id,
        number=1,
        protocol__in=free,
        created_at__gte=asked.asked_at,
    )
    return not tested.exists() and read.exists()
