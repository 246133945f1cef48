"""The standard's own table of what an attribute may give away: PS3.15 Table E.1-1, as data.

The keep-list decides what stays; this table is what its decisions are held against.
"""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE_FILE = Path(__file__).with_name("confidentiality_profile.csv")
GROUPS = {"50": "50XXXXXX", "60": "60XX3000"}
PRIVATE = "GGGGEEEE"


class Row(NamedTuple):
    """One attribute: the Basic Profile's action, and the options' by the column's name; "" = none."""

    tag: str
    name: str
    basic_profile: str
    options: dict[str, str]


class Table(NamedTuple):
    """The whole table: tag (eight hexadecimal digits) → row, with the edition that it was read from."""

    edition: str
    rows: dict[str, Row]


@cache
def profile() -> Table:
    """Read the table."""
    with TABLE_FILE.open(newline="", encoding="utf-8") as stream:
        head = [line for line in stream if line.startswith("#")]
        stream.seek(0)
        rows = {row.tag: row for row in _rows(line for line in stream if not line.startswith("#"))}
    return Table(_edition(head), rows)


def _rows(lines: Iterator[str]) -> Iterator[Row]:
    for fields in csv.DictReader(lines):
        tag, name, basic = (fields.pop(column) for column in ("tag", "name", "basic_profile"))
        yield Row(tag, name, basic, fields)


def _edition(head: list[str]) -> str:
    stated = [line.removeprefix("# edition:").strip() for line in head if line.startswith("# edition:")]
    return stated[0]


def row_of(tag: int) -> Row | None:
    """Find what the standard says of a tag; nothing where its table does not name it."""
    rows = profile().rows
    name = f"{tag:08X}"
    if (tag >> 16) % 2:
        return rows[PRIVATE]
    return rows.get(name) or rows.get(GROUPS.get(name[:2], ""))
