"""Query batches: cases that ML staff asked for by hand. Writes are one transaction each.

Locks are taken as the queue takes them: memberships, then entries by case, then the audit's head.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.projects.selectors import project_for, protocol_in_force
from annotation.projects.workload import checked_skills, written
from annotation.queue.designs import after_reading
from annotation.queue.limits import gone
from annotation.queue.models import Entry, QueryBatch
from annotation.queue.rankings import UNRANKED_VALUES
from annotation.queue.rules import (
    BATCH_RANK,
    QUERY_BATCH,
    READ_BY_ALL,
    SECOND_RANK,
    SECOND_READING,
    checked_batch,
    left_out,
)
from annotation.readings.models import Reading, Skip
from audit.services import record


@dataclass(frozen=True)
class Gathered:
    """What came of asking: the batch, None where no case could be in it, and what was left out, by why."""

    batch: QueryBatch | None
    left_out: Mapping[str, int]


@transaction.atomic
def make_batch(  # noqa: PLR0913  what is asked for, and two words of how
    *,
    project: Project,
    numbers: Sequence[int],
    why: str,
    by: User,
    now: datetime,
    again: bool = False,
    judging: bool = False,
) -> Gathered:
    """Put cases before every ranked one until they are read; what a reader holds stays with the reader.

    numbers: of the cases. again: those that are read get a second reading, by another reader; judging: those
    of the audit stream too.
    raises:  RefusedError where there is no case, too many, or no word of why.
    """
    why = checked_batch(numbers, why)
    lock_project(project.pk)
    entries = Entry.objects.select_for_update(of=("self",)).select_related("case").order_by("case_id")
    found = list(entries.filter(project=project, case__number__in=numbers))
    exhausted = read_by_all(project.pk, found) if again else set()
    verdicts = [
        READ_BY_ALL
        if one.pk in exhausted
        else left_out(one.case.stream, one.state, is_in_batch=is_in_batch(one), again=again, judging=judging)
        for one in found
    ]
    chosen = [entry for entry, verdict in zip(found, verdicts, strict=True) if not verdict]
    reasons = Counter(filter(None, verdicts)) + Counter(held_out=len(set(numbers)) - len(found))
    if not chosen:
        return Gathered(None, reasons)
    batch = QueryBatch.objects.create(project=project, asked_by=by, why=why, size=len(chosen), created_at=now)
    place = {**UNRANKED_VALUES, "rank": BATCH_RANK, "reason": QUERY_BATCH, "batch": batch}
    place["state"] = Entry.State.WAITING
    Entry.objects.filter(pk__in=[entry.pk for entry in chosen]).update(**place)
    read = [one.pk for one in chosen if one.state == Entry.State.DONE or one.reason == SECOND_READING]
    Entry.objects.filter(pk__in=read).update(reason=SECOND_READING)
    cases = sorted(entry.case.number for entry in chosen)
    record_batch(by, "query_batch.make", batch, {"cases": cases})
    return Gathered(batch, reasons)


@transaction.atomic
def require_batch_skills(batch: QueryBatch, skills: str | Sequence[str], *, by: User) -> None:
    """Give a batch's cases to readers with these tags alone; it holds from their next case on.

    raises: WorkloadError.
    """
    tags = checked_skills(skills)
    QueryBatch.objects.filter(pk=batch.pk).update(required_skills=written(tags))
    record_batch(by, "query_batch.require_skills", batch, {"skills": list(tags)})


@transaction.atomic
def withdraw_batch(*, project: Project, batch_id: UUID, by: User, now: datetime) -> int:
    """Send a batch's unread cases back among all others; what a reader holds stays with the reader.

    returns: how many went back; 0 where it was withdrawn before.
    raises:  QueryBatch.DoesNotExist.
    """
    lock_project(project.pk)
    batch = QueryBatch.objects.select_for_update().get(pk=batch_id, project=project)
    if batch.withdrawn_at is not None:
        return 0
    unread = [Entry.State.WAITING, Entry.State.LEASED]
    entries = Entry.objects.select_for_update().filter(batch=batch, state__in=unread).order_by("case_id")
    back = Entry.objects.filter(pk__in=[entry.pk for entry in entries])
    count = back.update(**UNRANKED_VALUES, batch=None)
    is_read = Reading.objects.filter(case=OuterRef("pk"), reader__isnull=False)
    protocol = protocol_in_force(project.pk)
    back.filter(Exists(is_read)).update(rank=SECOND_RANK, reason=SECOND_READING)
    for entry in back.filter(Exists(is_read), state=Entry.State.WAITING).select_related("case"):
        Entry.objects.filter(pk=entry.pk).update(**after_reading(entry.case, protocol))
    batch.withdrawn_at = now
    batch.save(update_fields=["withdrawn_at"])
    record_batch(by, "query_batch.withdraw", batch, {"went_back": count})
    return count


def is_free(entry: Entry) -> bool:
    """Whether a case can be in a new batch as it stands."""
    return entry.state == Entry.State.WAITING and entry.batch_id is None


def is_in_batch(entry: Entry) -> bool:
    """Whether a batch is still waiting for a case; one that was read for an older batch is free."""
    return entry.batch_id is not None and entry.state != Entry.State.DONE


def read_by_all(project_id: UUID, entries: Sequence[Entry]) -> set[UUID]:
    """Name the read cases that no reader is left for: all have read them or passed them on.

    Who is paused or away for a while is left; who is gone for long (limits.gone), or disabled, is not.
    """
    members = Membership.objects.filter(project=project_id, role=Role.READER, user__is_active=True)
    readers = set(members.exclude(gone(timezone.now())).values_list("user", flat=True))
    done = [one.pk for one in entries if one.state == Entry.State.DONE]
    read: dict[UUID, set[UUID]] = {pk: set() for pk in done}
    for acts in (Reading.objects, Skip.objects):
        for case, reader in acts.filter(case__in=done).values_list("case", "reader"):
            read[case].add(reader)
    return {case for case, by in read.items() if readers <= by}


def lock_project(project_id: UUID) -> None:
    """Wait until no reader is being given a case and no ranking is being written, and keep it so."""
    list(Membership.objects.select_for_update().filter(project=project_id).order_by("pk"))


def record_batch(by: User, action: str, batch: QueryBatch, details: dict[str, object]) -> None:
    """Audit what was done to a batch; the words of why stay in its row."""
    record(
        actor=str(by.pk), action=action, object_type="query_batch", object_id=str(batch.pk), details=details
    )


def batches_for(user: User, project_id: UUID) -> QuerySet[QueryBatch]:
    """List a project's batches, newest first, each with its cases read, being read and waiting."""
    counts = {
        f"now_{state}": Count("entries", filter=Q(entries__state=state))
        for state in (Entry.State.DONE, Entry.State.LEASED, Entry.State.WAITING)
    }
    batches = QueryBatch.objects.filter(project=project_for(user, project_id))
    return batches.select_related("asked_by").annotate(**counts)
