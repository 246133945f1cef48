"""Planned repeats: a reader gets an own earlier case again, and is not told; it measures the reader alone.

What is said of one is no reading of the case: no standard is fused from it and no model learns from it. Its
lease stands in a slot of its own beside the queue; it takes a waiting case's place, and looks like that one.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings as deployment
from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from accounts.models import User
from annotation.projects.models import Case, Membership, Protocol
from annotation.projects.questions import Settings
from annotation.projects.rules import falls_within
from annotation.projects.selectors import protocol_in_force
from annotation.queue.disputes import refuse_closed
from annotation.queue.models import UNRANKED, Entry, Lease, Pick
from annotation.queue.rules import BATCH_RANK, LeaseLostError, expiry
from annotation.queue.slots import take_slot
from annotation.readings.adjudication_models import HELD
from annotation.readings.effort import Worker, note_first, note_more
from annotation.readings.models import Draft, Reading
from annotation.readings.repeat_models import Repeat, RepeatRevision
from annotation.readings.rules import RevisionStaleError, check_same
from annotation.readings.services import Answered, Examined, check_protocol, examine, lock_reader
from audit.services import record

# Cases that a reader reads between two repeats, so that they never come in a row.
BETWEEN = 4
# How far down the ranking, in places, the case stands that a repeat looks like.
NEAREST, FARTHEST = 10, 50


def drawn_to_repeat(case_id: UUID, reader_id: UUID, share: float) -> bool:
    """Whether a reader reads a case again: of all pairs, a fraction of about share, always the same."""
    digest = hashlib.sha256(b"repeat:" + case_id.bytes + reader_id.bytes).digest()
    return falls_within(digest, share)


def plan_repeat(*, reader: User, case: Case, settings: Settings, now: datetime) -> None:
    """Note that a case that was read just now comes again, where it is drawn."""
    if not drawn_to_repeat(case.pk, reader.pk, settings.repeat_share):
        return
    due_at = now + timedelta(days=settings.repeat_days)
    Repeat.objects.get_or_create(
        case=case, reader=reader, defaults={"project_id": case.project_id, "due_at": due_at}
    )


@dataclass(frozen=True)
class Disguise:
    """A repeat that takes a waiting case's place, with its rank, and the score and prediction of another one.

    Of the reader's later cases in this ranking the rank is told one higher (repeats_among): told so, ranks
    grow by one from case to case, with a repeat among them and without.
    """

    repeat: Repeat
    instead: Entry
    like: Entry


def repeat_in_place(
    membership: Membership, entries: Sequence[Entry], held: Sequence[Lease], now: datetime
) -> tuple[list[Entry], Disguise | None]:
    """Let a repeat that is due take the place of the last case that would be given now, if it can hide there.

    returns: the cases that are given, and the repeat that comes after them.
    """
    if not entries or any(lease.slot for lease in held) or entries[-1].batch_id is not None:
        return list(entries), None
    found = next_due(membership, now)
    like = looked_like(entries[-1], found) if found else None
    if found is None or like is None:
        return list(entries), None
    return list(entries[:-1]), Disguise(found, entries[-1], like)


def next_due(membership: Membership, now: datetime) -> Repeat | None:
    """Find the repeat that comes next: of a case read, out of dispute, when the reader has read others."""
    mine = Repeat.objects.filter(reader=membership.user, project=membership.project_id)
    due = mine.filter(done_at=None, due_at__lte=now, case__entry__state=Entry.State.DONE)
    found = due.exclude(case__dispute__state__in=HELD).order_by("due_at", "pk").first()
    if found is None:
        return None
    last = mine.exclude(pk=found.pk).aggregate(last=Max("given_at"))["last"]
    read = Reading.objects.filter(reader=membership.user, case__project=membership.project_id)
    is_spaced = last is None or read.filter(created_at__gt=last)[:BETWEEN].count() == BETWEEN
    return found if is_spaced else None


def looked_like(instead: Entry, repeat: Repeat) -> Entry | None:
    """Choose the case whose score a repeat shows: some way down the ranking, not the one given next.

    None where nothing is ranked further down, so that no two cases in a row show the same; nor where all that
    is was lent to an earlier repeat already. What several cases have may be lent again: it tells nothing.
    """
    if not BATCH_RANK < instead.rank < UNRANKED:
        return instead  # neither rank nor score is shown
    shown = Pick.objects.filter(lease__reader=repeat.reader_id, lease__project=repeat.project_id)
    further = Entry.objects.filter(project=repeat.project_id, state=Entry.State.WAITING, batch=None)
    further = further.filter(rank__gt=instead.rank, rank__lt=UNRANKED)
    further = further.exclude(rank__in=shown.filter(ranking=instead.ranking_id).values("rank"))
    beside = shown.filter(ranking=instead.ranking_id, lease__slot__gt=0)
    lent = set(beside.exclude(score=None).values_list("score", flat=True))
    rows = list(further.order_by("rank", "shuffle")[: FARTHEST + len(lent)])
    scores = Counter(one.score for one in rows)
    found = [one for one in rows if one.score not in lent or scores[one.score] > 1][:FARTHEST]
    return found[-1 - repeat.pk.int % max(1, len(found) - NEAREST)] if found else None


def give_repeat(*, disguise: Disguise, position: int, now: datetime) -> list[Lease]:
    """Write a repeat's lease, and why it was given as if it were the case whose place it takes.

    returns: the lease; none where no slot could be had.
    """
    repeat, like = disguise.repeat, disguise.like
    lease = Lease(
        case_id=repeat.case_id,
        project_id=repeat.project_id,
        reader_id=repeat.reader_id,
        position=position,
        created_at=now,
        expires_at=expiry(now, deployment.READING_LEASE_SECONDS),
    )
    pick = Pick(
        lease=lease,
        ranking_id=like.ranking_id,
        stream=repeat.case.stream,
        reason=like.reason,
        rank=disguise.instead.rank,
        score=like.score,
        probabilities=like.probabilities,
    )
    if not take_slot(lease, pick):
        return []
    Repeat.objects.filter(pk=repeat.pk).update(given_at=now)
    return [lease]


def is_repeat(reader: User, lease_id: UUID) -> bool:
    """Whether a lease of the reader is of a case that they read before."""
    again = Repeat.objects.filter(case=OuterRef("case"), reader=OuterRef("reader"))
    return Lease.objects.filter(Exists(again), pk=lease_id, reader=reader, slot__gt=0).exists()


def repeated_before(reader: User, case_id: UUID, answered: Answered) -> RepeatRevision | None:
    """Find the revision that this very message made, if it came before.

    raises: IdempotencyConflictError where the key made something else.
    """
    rows = RepeatRevision.objects.select_related("repeat", "protocol")
    made = rows.filter(reader=reader, idempotency_key=answered.idempotency_key).first()
    if made is not None:
        then = (made.repeat.case_id, made.answers, made.protocol.version)
        check_same(then, (case_id, answered.answers, answered.protocol_version), what="other answers")
    return made


def take_repeat(
    *, reader: User, case: Case, examined: Examined, answered: Answered, now: datetime
) -> tuple[RepeatRevision, list[Lease]]:
    """Keep what a reader says of a case again; in the caller's transaction, the reader locked.

    returns: the revision, and the leases that it ends.
    raises:  LeaseLostError, ProtocolChangedError, AnswersInvalidError.
    """
    repeat = open_repeat(reader, case.pk)
    check_protocol(examined, answered)
    made = add_revision(repeat, 1, examined, answered, now)
    Draft.objects.filter(case=case, reader=reader).delete()
    reading = Reading.objects.select_related("case").get(case=case, reader=reader)
    note_first(reading, answered.seconds, now, is_again=False)
    return made, closed(repeat, now)


def open_repeat(reader: User, case_id: UUID) -> Repeat:
    """Lock a repeat that is not done.

    raises: LeaseLostError.
    """
    repeat = (
        Repeat.objects.select_for_update(of=("self",)).select_related("case").get(case=case_id, reader=reader)
    )
    if repeat.done_at is not None:
        raise LeaseLostError(_("the case is read already: revise the reading instead"))
    return repeat


def closed(repeat: Repeat, now: datetime) -> list[Lease]:
    """Note that a repeat is done, and find the leases that this ends."""
    Repeat.objects.filter(pk=repeat.pk).update(done_at=now)
    mine = Lease.objects.select_for_update().filter(reader=repeat.reader_id, case=repeat.case_id)
    return list(mine.filter(slot__gt=0, ended_at=None).order_by("pk"))


def add_revision(
    repeat: Repeat, number: int, examined: Examined, answered: Answered, now: datetime
) -> RepeatRevision:
    """Write one immutable revision; who calls audits it (record_again) when it locks nothing more."""
    return RepeatRevision.objects.create(
        repeat=repeat,
        reader_id=repeat.reader_id,
        number=number,
        protocol=examined.protocol,
        answers=answered.answers,
        measurements=examined.measurements,
        seconds=answered.seconds,
        idempotency_key=answered.idempotency_key,
        created_at=now,
    )


def record_again(made: RepeatRevision) -> None:
    """Audit what was said again, as what it is."""
    record(
        actor=str(made.reader_id),
        action="reading.repeat",
        object_type="case",
        object_id=str(made.repeat.case_id),
        details={"repeat": str(made.repeat_id), "revision": made.number},
    )


@dataclass(frozen=True)
class Again:
    """A change of what was said of a repeat: from which revision."""

    repeat_id: UUID
    base_revision: int


def revise_repeat(*, reader: User, again: Again, answered: Answered, now: datetime) -> RepeatRevision:
    """Change what one said of a repeat, as a reading is changed; raises as that does.

    raises: Repeat.DoesNotExist.
    """
    repeats = Repeat.objects.select_related("case__series")
    repeat = repeats.exclude(done_at=None).get(pk=again.repeat_id, reader=reader)
    examined = examine(case=repeat.case, protocol=protocol_for(repeat, answered), answered=answered)
    with transaction.atomic():
        lock_reader(reader, repeat.project_id)
        sent = repeated_before(reader, repeat.case_id, answered)
        if sent is not None:
            return sent
        newest = repeat.revisions.aggregate(newest=Max("number"))["newest"] or 0
        if newest != again.base_revision:
            raise RevisionStaleError(
                _("the reading is at revision %(newest)d, not %(base)d: load it again")
                % {"newest": newest, "base": again.base_revision}
            )
        check_protocol(examined, answered)
        refuse_closed(repeat.case_id, repeat.project_id)
        worker = Worker(repeat.project_id, repeat.reader_id)
        note_more(worker, answered.seconds, now, revisions=1)
        made = add_revision(repeat, newest + 1, examined, answered, now)
        record_again(made)
    return made


def protocol_for(repeat: Repeat, answered: Answered) -> Protocol:
    """Choose the version that was answered before, where it is answered again; else the newest."""
    mine = repeat.revisions.values("protocol")
    before = Protocol.objects.filter(version=answered.protocol_version, pk__in=mine).first()
    return before or protocol_in_force(repeat.project_id)
