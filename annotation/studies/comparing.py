"""One file, before and after de-identification, for the eyes of who brought it; nothing of it is kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from annotation.studies.door.comparison import DEEDS
from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.options import known_options
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Order
from annotation.studies.keys import dataset_key, source_digest
from annotation.studies.models import Dataset

ANSWER_BYTES = 16 * MEBIBYTE
MOST_INDENT = 12
FIELDS = ("tag", "name", "before", "after", "basic_profile")


@dataclass(frozen=True)
class Row:
    """One attribute before and after, as text; indent: how many sequences it lies in."""

    tag: str
    name: str
    before: str
    after: str
    basic_profile: str
    deed: str
    indent: range


@dataclass(frozen=True)
class Comparison:
    """What would become of a file.

    problem: why it would be refused; waits: why its pixels would wait for a human; "" = neither.
    """

    rows: list[Row]
    problem: str = ""
    waits: str = ""


def compare(dataset: Dataset, stream: BinaryIO, options: Sequence[str]) -> Comparison:
    """Open a file in the sandbox and say what de-identification under these options would do to it.

    stream: a real file; the caller closes it.
    raises: DoorBrokenError where the sandbox does not start.
    """
    key = dataset_key(dataset.pk)
    order = Order(
        key=key.hex(),
        source_digest=source_digest(key, stream),
        options=known_options(list(options)),
        compare=True,
    )
    with Sandbox(1) as door, door.judge([(order, stream)]) as [admission]:
        if admission.verdict.outcome != "compared":
            return Comparison([], problem=admission.verdict.reason)
        return Comparison(_rows(admission.stored.read(ANSWER_BYTES)), waits=admission.verdict.reason)


def _rows(answer: bytes) -> list[Row]:
    """Read what the child wrote, which is not trusted: text, known deeds, whole numbers."""
    try:
        return [_row(told) for told in json.loads(answer)]
    except (ValueError, KeyError, TypeError):
        return []


def _row(told: dict[str, object]) -> Row:
    if told["deed"] not in DEEDS:
        raise ValueError("no such deed")
    tag, name, before, after, basic_profile = (str(told[field]) for field in FIELDS)
    indent = range(min(MOST_INDENT, int(str(told["depth"]))))
    return Row(tag, name, before, after, basic_profile, str(told["deed"]), indent)
