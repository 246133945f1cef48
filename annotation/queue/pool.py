"""Rows of the pool for machine work that looks at all of it: searches and maps. Not scoped by a user."""

from typing import NamedTuple
from uuid import UUID

from annotation.learning.scanners import scanner_name
from annotation.projects.models import Case
from annotation.queue.models import Entry
from annotation.queue.rules import SECOND_READING


class PoolRow(NamedTuple):
    """A case by its number, with what names its vector and where its image was made."""

    case_id: UUID
    number: int
    content_digest: str
    manufacturer: str
    manufacturer_model_name: str

    @property
    def site(self) -> str:
        """Name the device on which the image was made."""
        return scanner_name(self.manufacturer, self.manufacturer_model_name)


COLUMNS = (
    "pk",
    "number",
    "series__content_digest",
    "series__manufacturer",
    "series__manufacturer_model_name",
)


def rows_to_ask_for(project_id: UUID) -> list[PoolRow]:
    """List what can be in a query batch: waiting, in no batch, not of the audit stream."""
    cases = Case.objects.filter(project=project_id, stream=Case.Stream.POOL)
    waiting = cases.filter(entry__state=Entry.State.WAITING, entry__batch=None)
    return [PoolRow(*row) for row in waiting.order_by("number").values_list(*COLUMNS)]


def rows_of(project_id: UUID, numbers: list[int]) -> list[PoolRow]:
    """List cases of the pool by number."""
    cases = Case.objects.filter(project=project_id, stream=Case.Stream.POOL, number__in=numbers)
    return [PoolRow(*row) for row in cases.order_by("number").values_list(*COLUMNS)]


def rows_to_draw(project_id: UUID) -> list[PoolRow]:
    """List every case that is read or will be: of the pool and of the audit stream."""
    cases = Case.objects.filter(project=project_id).exclude(stream=Case.Stream.HELD_OUT)
    return [PoolRow(*row) for row in cases.order_by("number").values_list(*COLUMNS)]


def next_to_read(project_id: UUID, count: int) -> list[Case]:
    """List the pool's next unread cases by rank, with their images; none that a reader holds."""
    cases = Case.objects.filter(entry__project=project_id, entry__state=Entry.State.WAITING)
    unseen = cases.exclude(entry__reason=SECOND_READING)  # a second reader is shown no proposal
    ranked = unseen.filter(stream=Case.Stream.POOL).order_by("entry__rank", "entry__shuffle")
    return list(ranked.select_related("series").prefetch_related("series__instances")[:count])


def held_cases(project_id: UUID) -> set[UUID]:
    """Name the cases that readers hold."""
    held = Entry.objects.filter(project=project_id, state=Entry.State.LEASED)
    return set(held.values_list("case_id", flat=True))
