"""Reading designs: how many readers read a case, and what becomes of its place once one has."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Case, Membership, Protocol
from annotation.projects.selectors import settings_in
from annotation.queue.knowing import knows_of
from annotation.queue.limits import gone
from annotation.queue.models import Entry
from annotation.queue.rankings import UNRANKED_VALUES
from annotation.queue.rules import SECOND_RANK, SECOND_READING, readings_wanted
from annotation.readings.gold_models import GoldReading
from annotation.readings.models import Reading, Skip
from annotation.readings.qualifying import unqualified_in

SECOND_PLACE: Mapping[str, Any] = UNRANKED_VALUES | {
    "state": Entry.State.WAITING,
    "rank": SECOND_RANK,
    "reason": SECOND_READING,
}


def after_reading(case: Case, protocol: Protocol) -> Mapping[str, Any]:
    """Say what becomes of a case's place now that it was read: done, or first in line for the next reader.

    A project with fewer readers than it wants keeps its cases waiting for those who come; so it does for
    those who are paused or away (awaited_readers); who is disabled keeps no case waiting.
    """
    settings = settings_in(protocol)
    wanted = readings_wanted(case.pk, settings.readers, settings.second_share)
    done = {"state": Entry.State.DONE}
    unqualified = unqualified_in(case.project_id)
    if (wanted == 1 and not unqualified) or counted_readings(case.pk, unqualified) >= wanted:
        return done
    readers = Membership.objects.filter(project=case.project_id, role=Role.READER).count()
    awaited = awaited_readers(case.project_id, case.pk)
    return done if readers >= wanted and not awaited.exists() else SECOND_PLACE


def after_reading_by(reader: User, entry: Entry, protocol: Protocol) -> Mapping[str, Any]:
    """Say what becomes of a case's place now that a reader has read it, as after_reading does.

    A second reading that was asked for by hand, or because its label was doubted, is still to come where the
    reader does not count yet.
    """
    counts = reader.pk not in unqualified_in(entry.project_id)
    if entry.is_asked_for and not counts and awaited_readers(entry.project_id, entry.case_id).exists():
        return {"state": Entry.State.WAITING}
    return after_reading(entry.case, protocol)


def after_skip(project_id: UUID, case_id: UUID, *, is_final: bool = False) -> Entry.State:
    """Let a case wait for whom it can wait for (awaited_readers); else it is read, or set aside.

    is_final: nobody could read it, the reader says.
    """
    if not is_final and awaited_readers(project_id, case_id).exists():
        return Entry.State.WAITING
    return Entry.State.DONE if readings_of(case_id).exists() else Entry.State.SET_ASIDE


def counted_readings(case_id: UUID, unqualified: Collection[UUID]) -> int:
    """Count what readers whose readings count have read of a case."""
    return readings_of(case_id).exclude(reader__in=unqualified).count()


def readings_of(case_id: UUID) -> QuerySet[Reading]:
    """List what readers have read of a case; sources are none."""
    return Reading.objects.filter(case=case_id, reader__isnull=False)


def awaited_readers(project_id: UUID, case_id: UUID) -> QuerySet[Membership]:
    """List the free readers whom a case waits for; who is gone for long too, while no reading of it counts.

    Left out then, nobody might ever read it: where they come back, nothing would ask for it again.
    """
    counts = counted_readings(case_id, unqualified_in(project_id)) > 0
    again = counts or readings_of(case_id).exists()
    return free_readers(project_id, case_id, again=again, with_gone=not counts)


def free_readers(
    project_id: UUID, case_id: UUID | OuterRef, *, again: bool, with_gone: bool = False
) -> QuerySet[Membership]:
    """List a project's readers who have neither read a case, also as gold, nor passed it on and can sign in.

    Who is paused or away for a while is one: the case is asked for, and waits for them.
    again: as independent readers of what is read: who has spoken of it with a colleague is none.
    with_gone: who is gone for long (limits.gone) too; else none, so that nothing waits for them for ever.
    """
    skipped = Skip.objects.filter(case=case_id, reader=OuterRef("user"))
    read = Reading.objects.filter(case=case_id, reader=OuterRef("user"))
    shown = GoldReading.objects.filter(gold=case_id, reader=OuterRef("user"))
    here = Membership.objects.filter(project=project_id, role=Role.READER, user__is_active=True)
    free = here.filter(~Exists(skipped), ~Exists(read), ~Exists(shown))
    free = free if with_gone else free.exclude(gone(timezone.now()))
    return free.exclude(knows_of(OuterRef("user"), case_id)) if again else free
