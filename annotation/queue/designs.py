"""Reading designs: how many readers read a case, and what becomes of its place once one has."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Role
from annotation.projects.models import Case, Membership, Protocol
from annotation.projects.selectors import settings_in
from annotation.queue.models import Entry
from annotation.queue.rules import SECOND_RANK, SECOND_READING, readings_wanted
from annotation.queue.services import UNRANKED_VALUES, spoken_of
from annotation.readings.models import Reading, Skip

SECOND_PLACE: Mapping[str, Any] = UNRANKED_VALUES | {
    "state": Entry.State.WAITING,
    "rank": SECOND_RANK,
    "reason": SECOND_READING,
}


def after_reading(case: Case, protocol: Protocol) -> Mapping[str, Any]:
    """Say what becomes of a case's place now that it was read: done, or first in line for the next reader.

    A project with fewer readers than it wants keeps its cases waiting for those who come.
    """
    settings = settings_in(protocol)
    wanted = readings_wanted(case.pk, settings.readers, settings.second_share)
    done = {"state": Entry.State.DONE}
    if wanted == 1 or readings_of(case.pk).count() >= wanted:
        return done
    readers = Membership.objects.filter(project=case.project_id, role=Role.READER).count()
    free = free_readers(case.project_id, case.pk, again=True)
    return done if readers >= wanted and not free.exists() else SECOND_PLACE


def after_skip(project_id: UUID, case_id: UUID, *, is_final: bool = False) -> Entry.State:
    """Let a case wait for who has neither read it nor passed it on; else it is read, or set aside.

    is_final: nobody could read it, the reader says.
    """
    is_read = readings_of(case_id).exists()
    if not is_final and free_readers(project_id, case_id, again=is_read).exists():
        return Entry.State.WAITING
    return Entry.State.DONE if is_read else Entry.State.SET_ASIDE


def readings_of(case_id: UUID) -> QuerySet[Reading]:
    """List what readers have read of a case; sources are none."""
    return Reading.objects.filter(case=case_id, reader__isnull=False)


def free_readers(project_id: UUID, case_id: UUID, *, again: bool) -> QuerySet[Membership]:
    """List a project's readers who have neither read a case nor passed it on and can sign in.

    again: as independent readers of what is read: who has spoken of it with a colleague is none.
    """
    skipped = Skip.objects.filter(case=case_id, reader=OuterRef("user"))
    read = Reading.objects.filter(case=case_id, reader=OuterRef("user"))
    free = Membership.objects.filter(~Exists(skipped), ~Exists(read), project=project_id, role=Role.READER)
    free = free.filter(user__is_active=True)
    return free.exclude(Exists(spoken_of(OuterRef("user")).filter(case=case_id))) if again else free
