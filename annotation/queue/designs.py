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
from annotation.queue.services import UNRANKED_VALUES
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
    readers = Membership.objects.filter(project=case.project_id, role=Role.READER)
    is_hopeless = readers.count() >= wanted and not free_readers(case.project_id, case.pk).exists()
    return done if is_hopeless else SECOND_PLACE


def after_skip(project_id: UUID, case_id: UUID) -> Entry.State:
    """Let a case wait for who has neither read it nor passed it on; else it is read, or set aside."""
    if free_readers(project_id, case_id).exists():
        return Entry.State.WAITING
    return Entry.State.DONE if readings_of(case_id).exists() else Entry.State.SET_ASIDE


def readings_of(case_id: UUID) -> QuerySet[Reading]:
    """List what readers have read of a case; sources are none."""
    return Reading.objects.filter(case=case_id, reader__isnull=False)


def free_readers(project_id: UUID, case_id: UUID) -> QuerySet[Membership]:
    """List a project's readers who have neither read a case nor passed it on."""
    skipped = Skip.objects.filter(case=case_id, reader=OuterRef("user"))
    read = Reading.objects.filter(case=case_id, reader=OuterRef("user"))
    return Membership.objects.filter(~Exists(skipped), ~Exists(read), project=project_id, role=Role.READER)
