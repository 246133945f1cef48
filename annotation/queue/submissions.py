"""What ends a lease: a reading or a skip, one transaction each, with the next case in it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from annotation.learning.drawn import ask_regions
from annotation.learning.models import Policy
from annotation.learning.services import ask_refit
from annotation.projects.models import Case
from annotation.projects.selectors import case_for, protocol_in_force
from annotation.queue.designs import after_reading, after_skip
from annotation.queue.drawn import with_drawn
from annotation.queue.models import Entry, Lease, Pick
from annotation.queue.rules import LeaseLostError, refit_is_due
from annotation.queue.selectors import Workload, workload
from annotation.queue.services import end, hold, record_leases, top_up
from annotation.queue.suggestions import Shown, kept_suggestion
from annotation.readings.models import Draft, Reading, ReferenceStandard, Skip
from annotation.readings.rules import check_same
from annotation.readings.selectors import read_cases
from annotation.readings.services import (
    Answered,
    Entered,
    add_reading,
    check_protocol,
    examine,
    keep_draft,
    lock_reader,
    record_revision,
    revision_sent_before,
)
from audit.services import record
from jobs.selectors import jobs_in

READ_ALREADY = gettext_lazy("the case is read already: revise the reading instead")


@dataclass(frozen=True)
class Submitted:
    """What became of a reading, and what is next."""

    reading_id: UUID
    revision: int
    workload: Workload


@dataclass(frozen=True)
class Passed:
    """Why a reader passes a case on."""

    reason: str
    comment: str
    idempotency_key: UUID
    is_final: bool = False


def submit(
    *,
    reader: User,
    lease_id: UUID,
    case_id: UUID,
    answered: Answered,
    now: datetime,
    shown: Shown | None = None,
) -> Submitted:
    """Take a reader's answers, end the lease, give the next case; the same message again changes nothing.

    A lease that ran out is good as long as nobody else was given the case; else the answers become the draft.
    shown:  what the reader saw of the model's suggestion.
    raises: Case.DoesNotExist, Lease.DoesNotExist, Membership.DoesNotExist, ForbiddenError, LeaseLostError,
            ProtocolChangedError, AnswersInvalidError, AnswersTooLargeError, IdempotencyConflictError.
    """
    case = case_for(reader, case_id)
    try:
        return take(reader=reader, lease_id=lease_id, case=case, answered=answered, now=now, shown=shown)
    except LeaseLostError:
        keep_late_answers(reader, case_id, answered, now)
        raise


def take(
    *, reader: User, lease_id: UUID, case: Case, answered: Answered, now: datetime, shown: Shown | None
) -> Submitted:
    """Take answers as submit does; raises the same."""
    case_id = case.pk
    protocol = protocol_in_force(case.project_id)
    examined = examine(case=case, protocol=protocol, answered=answered)
    with transaction.atomic():
        lock_reader(reader, case.project_id)
        revision = revision_sent_before(reader=reader, case_id=case_id, answered=answered)
        fresh = revision is None
        if revision is None:
            closing = closable(reader, lease_id, case_id)
            check_protocol(examined, answered)
            pick = Pick.objects.select_related("lease").get(lease=lease_id)
            seen = kept_suggestion(
                pick=pick,
                protocol=protocol,
                case_id=case_id,
                reader=reader,
                shown=shown,
                answers=answered.answers,
            )
            seen = with_drawn(
                seen, pick=pick, protocol=protocol, reader=reader, shown=shown, answers=answered.answers
            )
            answered = replace(answered, suggestion=seen)
            revision = add_reading(reader=reader, case=case, examined=examined, answered=answered, now=now)
            end(closing, Lease.Ending.SUBMITTED, now)
            Entry.objects.filter(case=case).update(**after_reading(case, protocol))
            given = next_leases(reader, case.project_id, now)
            record_revision(revision, "reading.submit")
            record_leases(given)
    if fresh:
        refit_where_due(case.project_id)
    return Submitted(revision.reading_id, revision.number, workload(reader, case.project_id, protocol))


@transaction.atomic
def keep_late_answers(reader: User, case_id: UUID, answered: Answered, now: datetime) -> None:
    """Keep answers that came too late as the reader's newest draft; never beside a reading of theirs."""
    if Reading.objects.filter(reader=reader, case=case_id).exists():
        return
    newest = Draft.objects.filter(case=case_id, reader=reader).values_list("version", flat=True).first() or 0
    late = Entered(newest + 1, answered.answers, answered.seconds, answered.protocol_version)
    keep_draft(reader=reader, case_id=case_id, now=now, entered=late)


def next_leases(reader: User, project_id: UUID, now: datetime) -> list[Lease]:
    """Renew what the reader holds and give what is missing."""
    held = hold(reader=reader, project_id=project_id, now=now)
    return top_up(reader=reader, project_id=project_id, held=held, now=now)


def closable(reader: User, lease_id: UUID, case_id: UUID) -> list[Lease]:
    """Lock what the reader's word on a case ends: the lease named, and a newer one of the same reader.

    raises: Lease.DoesNotExist for another's, LeaseLostError where the case went to somebody else or is read.
    """
    mine = Lease.objects.select_for_update().filter(reader=reader, case=case_id)
    leases = {lease.pk: lease for lease in mine.order_by("pk")}
    if lease_id not in leases:
        raise Lease.DoesNotExist
    entry = Entry.objects.select_for_update().get(case=case_id)
    if Reading.objects.filter(reader=reader, case=case_id).exists():
        raise LeaseLostError(READ_ALREADY)
    held = [lease for lease in leases.values() if lease.ended_at is None]
    free = entry.state == Entry.State.WAITING or (entry.state == Entry.State.LEASED and bool(held))
    if not free:
        raise LeaseLostError(_("the lease ran out and the case went on: what you entered is kept as a draft"))
    return [leases[lease_id], *(lease for lease in held if lease.pk != lease_id)]


def refit_where_due(project_id: UUID) -> None:
    """Ask for a refit when enough reference standards came since the last one was asked for.

    Runs after the reading's transaction, whose locks stay short: what is missed here is asked for next time.
    """
    last = jobs_in([project_id]).filter(name="refit").order_by("-created_at").first()
    labels = ReferenceStandard.objects.filter(read_cases(project_id))
    if last is not None:
        labels = labels.filter(updated_at__gt=last.created_at)
    policy = Policy.objects.filter(pk=project_id).first() or Policy(project_id=project_id)
    if refit_is_due(labels.count(), policy.refit_every):
        ask_refit(project_id=project_id)
        ask_regions(project_id=project_id)


def skip(*, reader: User, lease_id: UUID, case_id: UUID, passed: Passed, now: datetime) -> Workload:
    """Pass a case on to other readers; when all have, or nobody could read it, it is set aside.

    Sending again changes nothing.

    raises: as submit.
    """
    case = case_for(reader, case_id)
    with transaction.atomic():
        lock_reader(reader, case.project_id)
        if not skipped_before(reader, case_id, passed):
            closing = closable(reader, lease_id, case_id)
            write_skip(reader, case_id, passed, now)
            end(closing, Lease.Ending.SKIPPED, now)
            left = after_skip(case.project_id, case_id, is_final=passed.is_final)
            Entry.objects.filter(case=case).update(state=left)
            given = next_leases(reader, case.project_id, now)
            record_skip(reader, case_id, passed)
            record_leases(given)
    return workload(reader, case.project_id)


def skipped_before(reader: User, case_id: UUID, passed: Passed) -> bool:
    """Whether this very message came before.

    raises: IdempotencyConflictError where the key passed another case on, or for another reason.
    """
    made = Skip.objects.filter(reader=reader, idempotency_key=passed.idempotency_key).first()
    if made is None:
        return False
    then = (made.case_id, made.reason, made.comment, made.is_final)
    now = (case_id, passed.reason, passed.comment, passed.is_final)
    check_same(then, now, what="another skip")
    return True


def write_skip(reader: User, case_id: UUID, passed: Passed, now: datetime) -> None:
    """Write the skip; the draft goes, since the case is not offered to this reader again."""
    Skip.objects.create(
        case_id=case_id,
        reader=reader,
        reason=Skip.Reason(passed.reason),
        comment=passed.comment,
        is_final=passed.is_final,
        idempotency_key=passed.idempotency_key,
        created_at=now,
    )
    Draft.objects.filter(case=case_id, reader=reader).delete()


def record_skip(reader: User, case_id: UUID, passed: Passed) -> None:
    """Audit a skip by its reason; the comment is the reader's own words and stays out."""
    record(
        actor=str(reader.pk),
        action="case.skip",
        object_type="case",
        object_id=str(case_id),
        details={"reason": passed.reason} | ({"final": True} if passed.is_final else {}),
    )


def save_draft(*, reader: User, lease_id: UUID, case_id: UUID, entered: Entered, now: datetime) -> Draft:
    """Keep a draft; over a lease that is lost too, so that nothing entered is lost with it.

    raises: Case.DoesNotExist, Lease.DoesNotExist, ForbiddenError, NewerDraftError, LeaseLostError.
    """
    case = case_for(reader, case_id)
    with transaction.atomic():
        lock_reader(reader, case.project_id)
        lost = lost_lease(reader, lease_id, case_id)
        if Reading.objects.filter(reader=reader, case=case).exists():
            raise LeaseLostError(READ_ALREADY)
        draft = keep_draft(reader=reader, case_id=case_id, now=now, entered=entered)
    if lost is not None:
        raise lost
    return draft


def lost_lease(reader: User, lease_id: UUID, case_id: UUID) -> LeaseLostError | None:
    """Say whether the reader's word on a case would still count.

    raises: Lease.DoesNotExist for another's lease.
    """
    try:
        closable(reader, lease_id, case_id)
    except LeaseLostError as lost:
        return lost
    return None
