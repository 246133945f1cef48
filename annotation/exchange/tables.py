"""labels.csv (`path,label[,patient_id][,split]`): choices for the protocol, patients, and who is held out."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, BinaryIO, Final

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from annotation.exchange.archives import DeliveryError
from annotation.exchange.deliveries import DeliveredFile
from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.sandbox import LoneServer, in_memory

CHILD: Final = "annotation.exchange.table_child"
TABLE_BYTES = 64 * MEBIBYTE
MAX_CHOICES = 20
SPLITS = {
    **dict.fromkeys(("", "train", "training", "open"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "held_out", "holdout"), "test"),
}


class Line(BaseModel, extra="forbid", frozen=True):
    """What a child says of a row, or what is wrong with the table."""

    path: Annotated[str, Field(max_length=4096)] = ""
    label: Annotated[str, Field(max_length=4096)] = ""
    patient_id: Annotated[str, Field(max_length=1024)] = ""
    split: Annotated[str, Field(max_length=64)] = ""
    problem: Annotated[str, Field(max_length=200)] = ""


LINE: Final[TypeAdapter[Line]] = TypeAdapter(Line)


@dataclass(frozen=True)
class Row:
    """What the table says of one file; split: "" where the table has no such column."""

    label: str
    patient_id: str
    split: str


@dataclass(frozen=True)
class Table:
    """Rows by path, relative to the table's folder."""

    rows: dict[str, Row] = field(default_factory=dict)

    def row(self, path: str) -> Row:
        """Look up what is said of a file; of one that is not listed, nothing."""
        return self.rows.get(path, Row("", "", ""))

    def names(self, path: str) -> bool:
        """Whether the table says anything of a file; where there is no table, none is missing."""
        return not self.rows or path in self.rows

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Values and texts of the labels in use, by alphabet; none where they are no choice between few."""
        labels = sorted({row.label for row in self.rows.values() if row.label})
        return [(label, text_of(label)) for label in labels] if 2 <= len(labels) <= MAX_CHOICES else []


def text_of(label: str) -> str:
    """How a label reads on screen: no_finding → No finding."""
    words = label.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def read_table(found: DeliveredFile | None) -> Table:
    """Read a delivery's table, in the sandbox.

    raises: DeliveryError naming the row and the rule, DoorBrokenError.
    """
    if found is None:
        return Table()
    if found.size > TABLE_BYTES:
        raise DeliveryError(f"labels.csv is larger than {TABLE_BYTES // MEBIBYTE} MiB")
    with in_memory("rows") as answer, found.open() as stream, closing(LoneServer(CHILD)) as server:
        ended = server.send(b"{}", [stream.fileno(), answer.fileno()], partial(_empty, answer))
        if ended:
            raise DeliveryError(f"labels.csv cannot be read: {ended}")
        answer.seek(0)
        with open(answer.fileno(), "rb", closefd=False) as lines:
            return Table(_strictest(_rows(lines)))


def _empty(answer: BinaryIO) -> None:
    answer.seek(0)
    answer.truncate()


def _rows(lines: Iterable[bytes]) -> dict[str, Row]:
    """Read what a child wrote, which is not trusted.

    raises: DeliveryError.
    """
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, start=2):
        try:
            said = LINE.validate_json(line)
        except ValidationError as error:
            raise DeliveryError(f"labels.csv, row {number}: a value is too long, or no text") from error
        if said.problem:
            raise DeliveryError(f"labels.csv cannot be read: {said.problem}")
        path = said.path.replace("\\", "/").removeprefix("./")
        split = SPLITS.get(said.split.lower())
        if not path:
            raise DeliveryError(f"labels.csv, row {number}: path is empty")
        if split is None:
            raise DeliveryError(
                f"labels.csv, row {number}: split is none of train, val, test; or leave it empty"
            )
        rows.setdefault(path, Row(said.label, said.patient_id, split))
    return rows


def _strictest(rows: dict[str, Row]) -> dict[str, Row]:
    """Hold a patient out wholly of whom any file is held out; test comes before validation."""
    splits = sorted((row.split, row.patient_id) for row in rows.values() if row.split in ("val", "test"))
    held = {patient: split for split, patient in reversed(splits) if patient}
    return {
        path: Row(row.label, row.patient_id, held.get(row.patient_id, row.split))
        for path, row in rows.items()
    }
