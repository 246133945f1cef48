"""Practice and test: new readers get cases of known answer first, with feedback, then a test without.

What they say of one is a GoldReading, no reading of the case: models never learn from it, and no standard is
fused from it. Its lease stands in a slot of its own beside the queue, whose places it leaves alone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings as deployment
from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from accounts.models import User
from annotation.projects.models import Case, Membership
from annotation.projects.questions import Settings
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.gold_answers import differences
from annotation.queue.knowing import knows_of
from annotation.queue.models import UNRANKED, Lease, Pick
from annotation.queue.qualification import Phase, result_of
from annotation.queue.rules import AHEAD, PRACTICE, QUALIFICATION, LeaseLostError, expiry, first_position
from annotation.queue.slots import take_slot
from annotation.readings.effort import Worker, note_more
from annotation.readings.gold_models import GoldCase, GoldReading, Qualification
from annotation.readings.models import Draft, Reading
from annotation.readings.repeat_models import Repeat
from annotation.readings.rules import check_same
from annotation.readings.services import Answered, Examined, check_protocol
from audit.services import record

REASONS: Mapping[str, str] = {Phase.PRACTICE: PRACTICE, Phase.TEST: QUALIFICATION}


@dataclass(frozen=True)
class Standing:
    """How far a reader is in one phase; wanted: cases of it."""

    phase: str
    done: int
    wanted: int


@dataclass(frozen=True)
class Told:
    """What a reader is told after an answer; nothing of the case itself in a test.

    reference: the known answers; differs_in: keys of the questions on which the reader's differ.
    has_passed: where the answer settled the test; right, of: how many of its answers were right.
    """

    phase: str
    standing: Standing | None
    is_right: bool | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    reference: dict[str, Any] = field(default_factory=dict)
    differs_in: list[str] = field(default_factory=list)
    comment: str = ""
    has_passed: bool | None = None
    right: int = 0
    of: int = 0


def standing_of(reader: User, project_id: UUID, settings: Settings) -> Standing | None:
    """Say how far a reader is; None: nothing is asked of them now.

    A reader is asked who has read nothing in the project when the first case is asked for.
    """
    if not settings.practice_cases and not settings.qualification_cases:
        return None
    asked = Qualification.objects.filter(project=project_id, reader=reader).first()
    if asked is None:
        return None
    read = GoldReading.objects.filter(gold__project=project_id, reader=reader, attempt=asked.attempt)
    done = {phase: read.filter(phase=phase).count() for phase in Phase.values}
    if done[Phase.PRACTICE] < settings.practice_cases and asked.has_passed is None and asked.attempt == 1:
        return Standing(Phase.PRACTICE, done[Phase.PRACTICE], settings.practice_cases)
    if done[Phase.TEST] < settings.qualification_cases and asked.has_passed is None:
        return Standing(Phase.TEST, done[Phase.TEST], settings.qualification_cases)
    return None


def ask_where_new(membership: Membership, settings: Settings, now: datetime) -> None:
    """Note that a reader who has read nothing here is to practise and be tested."""
    if not settings.practice_cases and not settings.qualification_cases:
        return
    here = {"project_id": membership.project_id, "reader_id": membership.user_id}
    if Qualification.objects.filter(**here).exists():
        return
    read = Reading.objects.filter(reader=membership.user_id, case__project=membership.project_id)
    if not read.exists():
        Qualification.objects.create(**here, asked_at=now)


def practice_leases(
    membership: Membership, held: Sequence[Lease], now: datetime, *, most: int
) -> list[Lease] | None:
    """Give a reader, whose turn it is (lock_reader), cases of known answer; None: the queue's turn.

    most:    how many the reader's workload leaves room for.
    returns: the new leases; none where the reader holds all that is left of the phase.
    """
    settings = settings_in(protocol_in_force(membership.project_id))
    ask_where_new(membership, settings, now)
    standing = standing_of(membership.user, membership.project_id, settings)
    if standing is None:
        return None
    mine = [lease for lease in held if lease.slot]
    left = standing.wanted - standing.done - len(mine)
    cases = free_gold(membership.user, membership.project_id, {lease.case_id for lease in held})
    if not cases and not mine:
        return None  # there are too few: the reader reads on, and is tested when there are more
    ahead = 1 if standing.phase == Phase.PRACTICE else AHEAD  # feedback comes before the next case
    count = max(0, min(ahead - len(held), left, most))
    first = next_position(membership, now)
    places = list(enumerate(cases[:count], start=first))
    # Slots are taken in the order of cases: two readers who begin now, each in an order of their own, would
    # wait for each other.
    given = [
        lent(membership, case, standing.phase, now, position=position)
        for position, case in sorted(places, key=lambda place: place[1].pk)
    ]
    return sorted((lease for lease in given if lease is not None), key=lambda lease: lease.position)


def free_gold(reader: User, project_id: UUID, held: set[UUID]) -> list[Case]:
    """List gold cases that a reader has never seen nor heard of, in an order of the reader's own."""
    seen = GoldReading.objects.filter(gold=OuterRef("gold"), reader=reader)
    read = Reading.objects.filter(case=OuterRef("pk"), reader=reader)
    gold = Case.objects.filter(gold__project=project_id, gold__retired_at=None)
    free = gold.filter(~Exists(seen), ~Exists(read)).exclude(pk__in=held)
    free = free.exclude(knows_of(reader, OuterRef("pk")))

    def place(case: Case) -> bytes:
        return hashlib.sha256(b"gold:" + case.pk.bytes + reader.pk.bytes).digest()

    return sorted(free, key=place)


def next_position(membership: Membership, now: datetime) -> int:
    """Give the place after all that a reader holds in a project."""
    mine = Lease.objects.filter(reader=membership.user, project=membership.project_id, ended_at=None)
    return first_position(now, mine.aggregate(last=Max("position"))["last"] or 0)


def lent(membership: Membership, case: Case, phase: str, now: datetime, *, position: int) -> Lease | None:
    """Write a lease of a gold case beside the queue, and why it was given; None where no slot was had."""
    lease = Lease(
        case=case,
        project_id=membership.project_id,
        reader=membership.user,
        position=position,
        created_at=now,
        expires_at=expiry(now, deployment.READING_LEASE_SECONDS),
    )
    pick = Pick(lease=lease, stream=case.stream, reason=REASONS[phase], rank=UNRANKED)
    return lease if take_slot(lease, pick) else None


def practice_lease(reader: User, lease_id: UUID, *, lock: bool = False) -> Lease | None:
    """Find a reader's lease of a gold case; None where the lease is of the queue, or another's."""
    leases = Lease.objects.select_for_update(of=("self",)) if lock else Lease.objects.all()
    again = Repeat.objects.filter(case=OuterRef("case"), reader=OuterRef("reader"))
    mine = leases.select_related("pick").filter(pk=lease_id, reader=reader, slot__gt=0)
    return mine.exclude(Exists(again)).first()


def refuse_skip(reader: User, lease_id: UUID) -> None:
    """Refuse to pass on a gold case: its answer is known.

    raises: RefusedError.
    """
    if practice_lease(reader, lease_id) is not None:
        raise RefusedError(_("practice and test cases are not passed on: answer as well as you can"))


def answered_before(reader: User, case_id: UUID, answered: Answered) -> GoldReading | None:
    """Find what this very message made, if it came before.

    raises: IdempotencyConflictError where the key made something else.
    """
    made = GoldReading.objects.filter(reader=reader, idempotency_key=answered.idempotency_key).first()
    if made is not None:
        check_same((made.gold_id, made.answers), (case_id, answered.answers), what="other answers")
    return made


def take_gold(
    *, reader: User, lease: Lease, examined: Examined, answered: Answered, now: datetime
) -> GoldReading:
    """Keep what a reader says of a gold case, and hold it against what is known; not audited yet.

    Runs in the caller's transaction, the reader locked. raises: LeaseLostError, ProtocolChangedError,
    AnswersInvalidError.
    """
    if GoldReading.objects.filter(gold=lease.case_id, reader=reader).exists():
        raise LeaseLostError(_("the case is read already"))
    check_protocol(examined, answered)
    gold = GoldCase.objects.get(case=lease.case_id)
    asked, _is_new = Qualification.objects.get_or_create(
        project_id=lease.project_id, reader=reader, defaults={"asked_at": now}
    )
    differs_in = differences(gold, examined, answered.answers)
    phase = Phase.PRACTICE if lease.pick.reason == PRACTICE else Phase.TEST
    made = GoldReading.objects.create(
        gold=gold,
        reader=reader,
        phase=phase,
        attempt=asked.attempt,
        answers=answered.answers,
        seconds=answered.seconds,
        differs_in=differs_in,
        is_right=not differs_in,
        idempotency_key=answered.idempotency_key,
        created_at=now,
    )
    Draft.objects.filter(case=lease.case_id, reader=reader).delete()
    note_more(Worker(lease.project_id, reader.pk), answered.seconds, now)
    return made


def record_read(made: GoldReading) -> None:
    """Audit an answer to a gold case; last in the transaction, since it takes the chain's lock."""
    record(
        actor=str(made.reader_id),
        action="gold.read",
        object_type="case",
        object_id=str(made.gold_id),
        details={"phase": made.phase, "gold_reading": str(made.pk)},
    )


def told_of(made: GoldReading, settled: Qualification | None, standing: Standing | None) -> Told:
    """Say what a reader is told after an answer: in practice what is known, after a test how it ended."""
    if settled is not None:
        right, count = result_of(settled)
        return Told(made.phase, standing, has_passed=settled.has_passed, right=right, of=count)
    if made.phase == Phase.TEST:
        return Told(made.phase, standing)
    gold = made.gold
    return Told(
        made.phase,
        standing,
        is_right=made.is_right,
        answers=made.answers,
        reference=gold.answers,
        differs_in=made.differs_in,
        comment=gold.comment,
    )
