"""labels.csv (`path,label[,patient_id][,split]`): choices for the protocol, patients, and who is held out."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from annotation.exchange.archives import DeliveryError
from annotation.exchange.deliveries import DeliveredFile
from annotation.studies.door.limits import MEBIBYTE

TABLE_BYTES = 64 * MEBIBYTE
MAX_CHOICES = 20
SPLITS = {
    **dict.fromkeys(("", "train", "training", "open"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "held_out", "holdout"), "test"),
}


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
    """Read a delivery's table.

    raises: DeliveryError naming the row and the rule.
    """
    if found is None:
        return Table()
    if found.size > TABLE_BYTES:
        raise DeliveryError(f"labels.csv is larger than {TABLE_BYTES // MEBIBYTE} MiB")
    with found.open() as stream:
        content = stream.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeliveryError("labels.csv is not UTF-8: save it as CSV UTF-8") from error
    reader = csv.DictReader(io.StringIO(text))
    if "path" not in (reader.fieldnames or ()):
        raise DeliveryError("labels.csv has no column named path: give path,label[,patient_id][,split]")
    return Table(_strictest(_rows(reader)))


def _rows(reader: "Iterable[dict[str, str]]") -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for number, record in enumerate(reader, start=2):
        path = (record.get("path") or "").strip().replace("\\", "/").removeprefix("./")
        split = SPLITS.get((record.get("split") or "").strip().lower())
        if not path:
            raise DeliveryError(f"labels.csv, row {number}: path is empty")
        if split is None:
            raise DeliveryError(
                f"labels.csv, row {number}: split is none of train, val, test; or leave it empty"
            )
        rows.setdefault(path, Row(_cell(record, "label"), _cell(record, "patient_id"), split))
    return rows


def _cell(record: dict[str, str], name: str) -> str:
    return (record.get(name) or "").strip()


def _strictest(rows: dict[str, Row]) -> dict[str, Row]:
    """Hold a patient out wholly of whom any file is held out, whatever order the files come in."""
    held = {row.patient_id: row.split for row in rows.values() if row.patient_id and row.split != "train"}
    return {
        path: Row(row.label, row.patient_id, held.get(row.patient_id, row.split))
        for path, row in rows.items()
    }
