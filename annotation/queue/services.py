"""Who holds which case: leases given, renewed, ended. One transaction each.

Locks are taken in one order: the reader's membership, then leases, then entries by case, then the audit's
head. A ranking takes all memberships of its project, so readers wait for the moment that it takes, and nobody
is given a case from further down because the best were locked.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from annotation.projects.models import Membership
from annotation.projects.workload import Halt, readable_requirements
from annotation.queue.knowing import knows_of
from annotation.queue.limits import Room, room_of
from annotation.queue.models import Entry, Lease, Pick
from annotation.queue.practice import practice_leases
from annotation.queue.repeats import give_repeat, repeat_in_place
from annotation.queue.rules import (
    AHEAD,
    DRAFTS_LOOKED_AT,
    SECOND_READING,
    LeaseLostError,
    expiry,
    first_position,
)
from annotation.queue.selectors import Workload, open_leases, workload
from annotation.readings.gold_models import GoldReading
from annotation.readings.models import Draft, Reading, Skip
from annotation.readings.services import lock_reader
from audit.services import Act, record_all


def lease_next(*, reader: User, project_id: UUID, now: datetime) -> Workload:
    """Give a reader the best cases that wait: the current and the next ones; asking again changes nothing.

    raises: Membership.DoesNotExist, ForbiddenError.
    """
    if stale_leases(now).exists():  # looked for before the transaction, which stays short
        expire_leases(now=now)
    with transaction.atomic():
        membership = lock_reader(reader, project_id)
        given, halt = next_leases(membership, now)
        record_leases(given)
    return workload(reader, project_id, halt=halt)


def next_leases(membership: Membership, now: datetime) -> tuple[list[Lease], Halt | None]:
    """Renew what the reader, whose turn it is (lock_reader), holds and give what is missing.

    returns: the new leases, not audited yet, and what stands against more.
    """
    held = hold(reader=membership.user, project_id=membership.project_id, now=now)
    room = room_of(membership, held=len(held), now=now)
    practice = practice_leases(membership, held, now, most=room.cases) if room.cases else None
    if practice is not None:
        return practice, room.halt
    return top_up(membership=membership, room=room, held=held, now=now), room.halt


def hold(*, reader: User, project_id: UUID, now: datetime) -> list[Lease]:
    """Find all that a reader holds in a project, renewed where half its time is over."""
    held = list(open_leases(reader, project_id))
    if any(lease.expires_at < expiry(now, settings.READING_LEASE_SECONDS / 2) for lease in held):
        renew_open(reader=reader, project_id=project_id, now=now)
    return held


def renew_open(*, reader: User, project_id: UUID, now: datetime) -> datetime:
    """Renew all that a reader holds in a project.

    returns: until when.
    """
    until = expiry(now, settings.READING_LEASE_SECONDS)
    open_leases(reader, project_id).update(expires_at=until)
    return until


def top_up(*, membership: Membership, room: Room, held: Sequence[Lease], now: datetime) -> list[Lease]:
    """Give the reader what is missing to the current case and those ahead.

    room: how many more the reader's workload lets them hold.
    """
    missing = min(AHEAD - len(held), room.cases)
    if missing <= 0:
        return []
    reader, project_id = membership.user, membership.project_id
    entries = list(begun(reader, project_id)[:missing]) if not held else []
    taken = [entry.pk for entry in entries]
    if len(entries) < missing:
        best = best_waiting(reader, project_id).filter(within_skills(membership.skills))
        entries += best.exclude(pk__in=taken)[: missing - len(entries)]
    entries, again = repeat_in_place(membership, entries, held, now)
    first = first_position(now, max((lease.position for lease in held), default=0))
    leases = [
        Lease(
            case_id=entry.case_id,
            project_id=project_id,
            reader=reader,
            position=position,
            created_at=now,
            expires_at=expiry(now, settings.READING_LEASE_SECONDS),
        )
        for position, entry in enumerate(entries, start=first)
    ]
    given = hand_out(leases, entries) if leases else []
    if again is not None:
        given += give_repeat(disguise=again, position=first + len(entries), now=now)
    return given


def waiting(project_id: UUID) -> QuerySet[Entry]:
    """Lock what waits in a project, passing over what another process has locked."""
    entries = Entry.objects.select_for_update(skip_locked=True, of=("self",)).select_related("case")
    return entries.filter(project=project_id, state=Entry.State.WAITING)


def begun(reader: User, project_id: UUID) -> QuerySet[Entry]:
    """Cases whose lease ran out over a draft: the reader who comes back goes on where the draft is."""
    drafts = Draft.objects.filter(reader=reader).order_by("-updated_at")
    newest = drafts.values_list("case", flat=True)[:DRAFTS_LOOKED_AT]
    shown = GoldReading.objects.filter(gold=OuterRef("pk"), reader=reader)
    mine = waiting(project_id).filter(~Exists(shown), pk__in=list(newest))
    return mine.exclude(knows_of(reader, OuterRef("pk")), reason=SECOND_READING).order_by("rank", "shuffle")


def best_waiting(reader: User, project_id: UUID) -> QuerySet[Entry]:
    """Cases by rank that the reader has neither skipped nor read; indexes give order and exclusions.

    Who has spoken of a case with a colleague, or judges between its readers, is no independent second reader.
    """
    skipped = Skip.objects.filter(case=OuterRef("pk"), reader=reader)
    read = Reading.objects.filter(case=OuterRef("pk"), reader=reader)
    shown = GoldReading.objects.filter(gold=OuterRef("pk"), reader=reader)
    free = waiting(project_id).filter(~Exists(skipped), ~Exists(read), ~Exists(shown))
    return free.exclude(knows_of(reader, OuterRef("pk")), reason=SECOND_READING).order_by("rank", "shuffle")


def within_skills(skills: Collection[str]) -> Q:
    """Condition on entries: in no query batch, or in one whose tags the reader has."""
    return Q(batch=None) | Q(batch__required_skills__in=readable_requirements(skills))


def hand_out(leases: list[Lease], entries: list[Entry]) -> list[Lease]:
    """Write leases and why each was given; the constraint refuses a case held though it seemed free."""
    cases = [entry.case_id for entry in entries]
    try:
        with transaction.atomic():
            Lease.objects.bulk_create(leases)
            Pick.objects.bulk_create(
                pick_of(lease, entry) for lease, entry in zip(leases, entries, strict=True)
            )
    except IntegrityError:
        leases = []
        held = Lease.objects.filter(case__in=cases, slot=0, ended_at=None).values("case")
        Entry.objects.filter(case__in=held).update(state=Entry.State.LEASED)
    else:
        Entry.objects.filter(case__in=cases).update(state=Entry.State.LEASED)
    return leases


def pick_of(lease: Lease, entry: Entry) -> Pick:
    """Keep why a case is given out, as the entry says it now."""
    return Pick(
        lease=lease,
        ranking_id=entry.ranking_id,
        batch_id=entry.batch_id,
        stream=entry.case.stream,
        reason=entry.reason,
        rank=entry.rank,
        score=entry.score,
        draw_probability=entry.draw_probability,
        probabilities=entry.probabilities,
    )


def record_leases(leases: Sequence[Lease]) -> None:
    """Audit who was given which case to see; last in the transaction, since it takes the chain's lock."""
    acts = [
        Act(
            actor=str(lease.reader_id),
            action="case.lease",
            object_type="case",
            object_id=str(lease.case_id),
            details={"lease": str(lease.pk)},
        )
        for lease in leases
    ]
    record_all(acts)


@transaction.atomic
def expire_leases(*, now: datetime) -> int:
    """Put cases whose lease ran out back to their place in the queue; those being ended now are left alone.

    returns: how many.
    """
    stale = stale_leases(now).select_for_update(skip_locked=True)
    ended = list(stale.order_by("case_id")[:500])
    if ended:
        end(ended, Lease.Ending.EXPIRED, now)
        put_back(ended)
    return len(ended)


def stale_leases(now: datetime) -> QuerySet[Lease]:
    """Find leases that ran out and are not ended yet."""
    return Lease.objects.filter(ended_at=None, expires_at__lt=now)


def end(leases: Sequence[Lease], ending: Lease.Ending, now: datetime) -> None:
    """Close leases."""
    Lease.objects.filter(pk__in=[lease.pk for lease in leases]).update(ended_at=now, ending=ending)


def put_back(leases: Sequence[Lease]) -> None:
    """Let the cases of closed leases wait again, at the rank that they have."""
    cases = [lease.case_id for lease in leases if not lease.slot]  # gold cases stand outside of the queue
    held = Entry.objects.select_for_update().filter(case__in=cases, state=Entry.State.LEASED)
    locked = [entry.pk for entry in held.order_by("case_id")]
    Entry.objects.filter(pk__in=locked).update(state=Entry.State.WAITING)


@transaction.atomic
def renew(*, reader: User, lease_id: UUID, now: datetime) -> datetime:
    """Hold a case, and those ahead of it, for longer.

    returns: until when.
    raises:  Lease.DoesNotExist, LeaseLostError, ForbiddenError to who is no reader any more.
    """
    lease = held_lease(reader, lease_id)
    lock_reader(reader, lease.project_id)
    return renew_open(reader=reader, project_id=lease.project_id, now=now)


@transaction.atomic
def give_back(*, reader: User, lease_id: UUID, now: datetime) -> None:
    """Let a case wait again for anyone; giving back twice changes nothing.

    raises: Lease.DoesNotExist.
    """
    lease = Lease.objects.select_for_update().get(pk=lease_id, reader=reader)
    if lease.ended_at is None:
        end([lease], Lease.Ending.GIVEN_BACK, now)
        put_back([lease])


def held_lease(reader: User, lease_id: UUID) -> Lease:
    """Lock a lease that the reader still has.

    raises: Lease.DoesNotExist for another's, LeaseLostError for one that ended.
    """
    lease = Lease.objects.select_for_update().get(pk=lease_id, reader=reader)
    if lease.ended_at is not None:
        raise LeaseLostError(_("the case was given back to the queue: load the next one"))
    return lease
