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
from annotation.projects.selectors import case_for, protocol_in_force, settings_in
from annotation.queue.designs import after_reading_by, after_skip
from annotation.queue.disputes import judge
from annotation.queue.drawn import with_drawn
from annotation.queue.models import Entry, Lease, Pick
from annotation.queue.practice import Told, practice_lease, refuse_skip
from annotation.queue.practising import practised
from annotation.queue.repeats import (
    closed,
    is_repeat,
    open_repeat,
    plan_repeat,
    record_again,
    repeated_before,
    take_repeat,
)
from annotation.queue.rules import LeaseLostError, refit_is_due
from annotation.queue.selectors import Workload, workload
from annotation.queue.services import end, next_leases, record_leases
from annotation.queue.skips import Passed, record_skip, skipped_before, write_skip
from annotation.queue.suggestions import Shown, kept_suggestion
from annotation.readings.gold_models import GoldReading
from annotation.readings.models import Draft, Reading, ReferenceStandard
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
from jobs.selectors import jobs_in

READ_ALREADY = gettext_lazy("the case is read already: revise the reading instead")


@dataclass(frozen=True)
class Submitted:
    """What became of a reading, and what is next. told: after a case of known answer."""

    reading_id: UUID
    revision: int
    workload: Workload
    told: Told | None = None


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
    if is_repeat(reader, lease_id):
        return repeated(reader=reader, case=case, answered=answered, now=now)
    if practice_lease(reader, lease_id) is not None:
        made, ahead, told = practised(reader=reader, lease_id=lease_id, case=case, answered=answered, now=now)
        return Submitted(made.pk, 1, ahead, told)
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
        membership, halt = lock_reader(reader, case.project_id), None
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
            place = after_reading_by(reader, Entry.objects.select_related("case").get(case=case), protocol)
            Entry.objects.filter(case=case).update(**place)
            chosen = settings_in(protocol)
            if chosen.adjudicated:
                judge(case_id=case_id, project_id=case.project_id, now=now)
            plan_repeat(reader=reader, case=case, settings=chosen, now=now)
            given, halt = next_leases(membership, now)
            record_revision(revision, "reading.submit")
            record_leases(given)
    if fresh:
        refit_where_due(case.project_id)
    ahead = workload(reader, case.project_id, protocol, halt=halt)
    return Submitted(revision.reading_id, revision.number, ahead)


def repeated(*, reader: User, case: Case, answered: Answered, now: datetime) -> Submitted:
    """Take answers to a case that the reader has read before, as if it were any; raises as submit does."""
    protocol = protocol_in_force(case.project_id)
    examined = examine(case=case, protocol=protocol, answered=answered)
    with transaction.atomic():
        membership, halt = lock_reader(reader, case.project_id), None
        made = repeated_before(reader, case.pk, answered)
        if made is None:
            made, closing = take_repeat(
                reader=reader, case=case, examined=examined, answered=answered, now=now
            )
            end(closing, Lease.Ending.SUBMITTED, now)
            given, halt = next_leases(membership, now)
            record_again(made)
            record_leases(given)
    ahead = workload(reader, case.project_id, protocol, halt=halt)
    return Submitted(made.repeat_id, made.number, ahead)


@transaction.atomic
def keep_late_answers(reader: User, case_id: UUID, answered: Answered, now: datetime) -> None:
    """Keep answers that came too late as the reader's newest draft; never beside a reading of theirs."""
    if is_answered(reader, case_id):
        return
    newest = Draft.objects.filter(case=case_id, reader=reader).values_list("version", flat=True).first() or 0
    late = Entered(newest + 1, answered.answers, answered.seconds, answered.protocol_version)
    keep_draft(reader=reader, case_id=case_id, now=now, entered=late)


def closable(reader: User, lease_id: UUID, case_id: UUID) -> list[Lease]:
    """Lock what the reader's word on a case ends: the lease named, and a newer one of the same reader.

    raises: Lease.DoesNotExist for another's, LeaseLostError where the case went to somebody else or is read.
    """
    mine = Lease.objects.select_for_update().filter(reader=reader, case=case_id)
    leases = {lease.pk: lease for lease in mine.order_by("pk")}
    if lease_id not in leases:
        raise Lease.DoesNotExist
    entry = Entry.objects.select_for_update().get(case=case_id)
    if is_answered(reader, case_id):
        raise LeaseLostError(READ_ALREADY)
    held = [lease for lease in leases.values() if lease.ended_at is None]
    free = entry.state == Entry.State.WAITING or (entry.state == Entry.State.LEASED and bool(held))
    if not free:
        raise LeaseLostError(_("the lease ran out and the case went on: what you entered is kept as a draft"))
    return [leases[lease_id], *(lease for lease in held if lease.pk != lease_id)]


def is_answered(reader: User, case_id: UUID) -> bool:
    """Whether a reader has read a case, or answered it as a gold case, whose answer they may know."""
    read = Reading.objects.filter(reader=reader, case=case_id)
    return read.exists() or GoldReading.objects.filter(reader=reader, gold=case_id).exists()


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
    if is_repeat(reader, lease_id):
        return pass_again(reader=reader, case=case, passed=passed, now=now)
    refuse_skip(reader, lease_id)
    with transaction.atomic():
        membership, halt = lock_reader(reader, case.project_id), None
        if not skipped_before(reader, case_id, passed):
            closing = closable(reader, lease_id, case_id)
            write_skip(reader, case_id, passed, now)
            end(closing, Lease.Ending.SKIPPED, now)
            left = after_skip(case.project_id, case_id, is_final=passed.is_final)
            Entry.objects.filter(case=case).update(state=left)
            judge(case_id=case_id, project_id=case.project_id, now=now)
            given, halt = next_leases(membership, now)
            record_skip(reader, case_id, passed)
            record_leases(given)
    return workload(reader, case.project_id, halt=halt)


def pass_again(*, reader: User, case: Case, passed: Passed, now: datetime) -> Workload:
    """Pass on a case that the reader has read before, as if it were any; the queue stays as it is."""
    with transaction.atomic():
        membership, halt = lock_reader(reader, case.project_id), None
        if not skipped_before(reader, case.pk, passed):
            closing = closed(open_repeat(reader, case.pk), now)
            write_skip(reader, case.pk, passed, now)
            end(closing, Lease.Ending.SKIPPED, now)
            given, halt = next_leases(membership, now)
            record_skip(reader, case.pk, passed)
            record_leases(given)
    return workload(reader, case.project_id, halt=halt)


def save_draft(*, reader: User, lease_id: UUID, case_id: UUID, entered: Entered, now: datetime) -> Draft:
    """Keep a draft; over a lease that is lost too, so that nothing entered is lost with it.

    raises: Case.DoesNotExist, Lease.DoesNotExist, ForbiddenError, NewerDraftError, LeaseLostError.
    """
    case = case_for(reader, case_id)
    with transaction.atomic():
        lock_reader(reader, case.project_id)
        again = is_repeat(reader, lease_id)
        lost = None if again else lost_lease(reader, lease_id, case_id)
        if again:
            open_repeat(reader, case_id)
        elif is_answered(reader, case_id):
            raise LeaseLostError(READ_ALREADY)
        draft = keep_draft(reader=reader, case_id=case_id, now=now, entered=entered)
    if lost is not None:
        raise lost
    return draft


def lost_lease(reader: User, lease_id: UUID, case_id: UUID) -> LeaseLostError | None:
    """Say whether the reader's word on a case would still count.

    raises: Lease.DoesNotExist for another's lease.
    """
    practice = practice_lease(reader, lease_id)
    if practice is not None:
        return None if practice.case_id == case_id else LeaseLostError(READ_ALREADY)
    try:
        closable(reader, lease_id, case_id)
    except LeaseLostError as lost:
        return lost
    return None
