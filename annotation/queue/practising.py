"""What a reader says of a case of known answer, taken in one transaction; what passing the test changes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.projects.models import Case
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.counting import ask_counting
from annotation.queue.models import Lease
from annotation.queue.practice import (
    Told,
    answered_before,
    practice_lease,
    record_read,
    take_gold,
    told_of,
)
from annotation.queue.qualification import record_settled, settle, settled_by
from annotation.queue.selectors import Workload, workload
from annotation.queue.services import end, next_leases, record_leases
from annotation.readings.gold_models import GoldReading
from annotation.readings.services import Answered, examine, lock_reader


def practised(
    *, reader: User, lease_id: UUID, case: Case, answered: Answered, now: datetime
) -> tuple[GoldReading, Workload, Told]:
    """Take answers to a case of known answer, end its lease, give the next; the same again changes nothing.

    returns: what was kept, what is next, what the reader is told.
    raises:  as submissions.submit does.
    """
    project_id = case.project_id
    protocol = protocol_in_force(project_id)
    examined = examine(case=case, protocol=protocol, answered=answered)
    settled, halt = None, None
    with transaction.atomic():
        membership = lock_reader(reader, project_id)
        made = answered_before(reader, case.pk, answered)
        if made is None:
            lease = practice_lease(reader, lease_id, lock=True)
            if lease is None or lease.case_id != case.pk:
                raise Lease.DoesNotExist
            made = take_gold(reader=reader, lease=lease, examined=examined, answered=answered, now=now)
            end([lease], Lease.Ending.SUBMITTED, now)
            settled = settle(reader, project_id, settings_in(protocol), now)
            if settled is not None and settled.has_passed:
                ask_counting(project_id, reader.pk)
            given, halt = next_leases(membership, now)
            record_read(made)
            if settled is not None:
                record_settled(settled)
            record_leases(given)
        else:
            settled = settled_by(made)
    ahead = workload(reader, project_id, protocol, halt=halt)
    return made, ahead, told_of(made, settled, ahead.practice)
