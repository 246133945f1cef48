"""Reads of the log: searched by person, action, object, outcome and time; in pages, or from end to end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import close_old_connections, connection
from django.db.models import Q, QuerySet

from audit.models import Event

BLOCK = 2000
ACTIONS = """
WITH RECURSIVE named(action) AS (
    SELECT MIN(action) FROM audit_event
    UNION ALL
    SELECT (SELECT MIN(action) FROM audit_event WHERE audit_event.action > named.action)
    FROM named WHERE named.action IS NOT NULL
)
SELECT action FROM named WHERE action IS NOT NULL
"""


@dataclass(frozen=True)
class Wanted:
    """What of the log is asked for; None and "" ask for everything.

    actors, objects: ids; first_day, last_day: both included, in UTC.
    """

    actors: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    objects: frozenset[str] | None = None
    outcome: str = ""
    first_day: date | None = None
    last_day: date | None = None


def events_of(wanted: Wanted) -> QuerySet[Event]:
    """Events that are asked for, in no order."""
    found = Q()
    for column, values in (
        ("actor__in", wanted.actors),
        ("action__in", wanted.actions),
        ("object_id__in", wanted.objects),
    ):
        found &= Q() if values is None else Q(**{column: values})
    if wanted.outcome:
        found &= Q(outcome=wanted.outcome)
    if wanted.first_day:
        found &= Q(at__gte=midnight(wanted.first_day))
    if wanted.last_day:
        found &= Q(at__lt=midnight(wanted.last_day) + timedelta(days=1))
    return Event.objects.filter(found)


def midnight(day: date) -> datetime:
    """When a day begins in UTC."""
    return datetime.combine(day, time.min, UTC)


def page_before(wanted: Wanted, *, before: int | None, length: int) -> tuple[list[Event], bool]:
    """Take the newest events before a sequence number, and whether there are more."""
    events = events_of(wanted).order_by("-sequence")
    if before is not None:
        events = events.filter(sequence__lt=before)
    found = list(events[: length + 1])
    return found[:length], len(found) > length


def blocks_of(wanted: Wanted, *, until: int) -> Iterator[list[Event]]:
    """Read all that is asked for, oldest first, some thousands at a time.

    Each block is a query of its own: it may be read in another thread than the one before.
    """
    last = 0
    while True:
        events = events_of(wanted).filter(sequence__gt=last, sequence__lte=until)
        block = list(events.order_by("sequence")[:BLOCK])
        if not connection.in_atomic_block:
            close_old_connections()
        if block:
            yield block
        if len(block) < BLOCK:
            return
        last = block[-1].sequence


def actions() -> list[str]:
    """Name every action that was audited; one query that jumps from one to the next along the index."""
    with connection.cursor() as cursor:
        cursor.execute(ACTIONS)
        return [name for (name,) in cursor.fetchall()]
