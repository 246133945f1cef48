"""Events with names in the place of ids, on the page and in files."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from accounts.selectors import is_id, names_of
from annotation.projects.models import Project
from audit.models import Event

Blocks = Iterable[list[Event]]
COLUMNS: Final = (
    "sequence",
    "at",
    "actor",
    "actor_name",
    "action",
    "object_type",
    "object_id",
    "object_name",
    "outcome",
    "remote_address",
    "details",
    "previous_hash",
    "hash",
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """An event, with names where it has ids of people and projects."""

    event: Event
    actor: str
    subject: str
    details: list[tuple[str, object]]


def described(events: list[Event]) -> list[Row]:
    """Put names to the people and projects that events speak of; two queries."""
    names = names_in(events)
    return [
        Row(
            event=event,
            actor=names.get(event.actor, event.actor),
            subject=names.get(event.object_id, event.object_id[:8]),
            details=[(key, names.get(str(value), value)) for key, value in event.details.items()],
        )
        for event in events
    ]


def names_in(events: Iterable[Event]) -> dict[str, str]:
    """Find the names of everybody and every project whose id events hold."""
    ids = {one for event in events for one in (event.actor, event.object_id, *texts_of(event.details))}
    sound = {one for one in ids if is_id(one)}
    projects = Project.objects.filter(pk__in=sound).values_list("pk", "name")
    return names_of(sound) | {str(pk): name for pk, name in projects}


def texts_of(details: dict[str, Any]) -> list[str]:
    """Take what of an event's details may be an id."""
    return [value for value in details.values() if isinstance(value, str)]


def as_lines(blocks: Blocks) -> Iterator[bytes]:
    """Write JSON lines: what the chain hashes, so that it can be checked elsewhere, and names beside it."""
    for block in blocks:
        yield "".join(f"{json.dumps(one, cls=DjangoJSONEncoder)}\n" for one in records_of(block)).encode()


def as_table(blocks: Blocks) -> Iterator[bytes]:
    """Write a CSV table that a spreadsheet takes for text, whatever a name begins with."""
    yield lines_of([list(COLUMNS)])
    for block in blocks:
        yield lines_of([[harmless(one[name]) for name in COLUMNS] for one in records_of(block)])


def records_of(events: list[Event]) -> list[dict[str, Any]]:
    """Events as plain values, times in UTC to the microsecond."""
    names = names_in(events)
    return [
        {
            **{name: getattr(event, name) for name in COLUMNS if not name.endswith("_name")},
            "at": event.at.isoformat(timespec="microseconds"),
            "actor_name": names.get(event.actor, ""),
            "object_name": names.get(event.object_id, ""),
        }
        for event in events
    ]


def harmless(value: object) -> str:
    """Write a cell that no spreadsheet takes for a formula."""
    text = json.dumps(value, cls=DjangoJSONEncoder) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def lines_of(rows: list[list[str]]) -> bytes:
    """Write rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


WRITERS: Final[dict[str, tuple[str, Callable[[Blocks], Iterator[bytes]]]]] = {
    "csv": ("text/csv; charset=utf-8", as_table),
    "jsonl": ("application/jsonl; charset=utf-8", as_lines),
}
