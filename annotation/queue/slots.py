"""Slots of a case beside the queue: for readers whose turn takes no waiting case's place in it."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from annotation.queue.models import Lease, Pick

SLOTS_TRIED = 5


def take_slot(lease: Lease, pick: Pick) -> bool:
    """Write a lease in the next slot of its case, which others may hold too, and why it was given.

    Another who takes it at this moment is waited for: who takes several does so in the order of their cases.
    returns: False where other readers take slot after slot at this moment; nothing is written then.
    """
    for _attempt in range(SLOTS_TRIED):
        lease.slot = free_slot(lease.case_id)
        try:
            with transaction.atomic():
                lease.save(force_insert=True)
                pick.save(force_insert=True)
        except IntegrityError:
            continue
        return True
    return False


def free_slot(case_id: UUID) -> int:
    """Give the first slot of a case beside the queue that no open lease is in or before."""
    open_ones = Lease.objects.filter(case=case_id, ended_at=None).aggregate(last=Max("slot"))
    return (open_ones["last"] or 0) + 1
