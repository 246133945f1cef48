"""What a file of labels says, piece by piece, in its own words: plain values that cross processes. Pure.

The value of a statement, by its kind:
cell     {"text"}: a cell of a table, or a coded answer
answer   {"text"}: an answer as our own tables write it
shape    what was drawn on one image: any of box, outlines, ellipse, points, strokes (columns and rows in
         pixels), mask (rows, columns, runs), placed (position, orientation, spacing of the mask's image)
contour  {"points"}: an outline in the patient, mm (LPS)
volume   {"shape", "affine", "runs"}: voxels (k, j, i), and the matrix from (i, j, k, 1) to mm (LPS)
problem  {"text"}: why something could not be read
"""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from pydantic import TypeAdapter

Kind = Literal["cell", "answer", "shape", "contour", "volume", "problem"]
FORMATS: Final = {
    "csv": "Table (CSV)",
    "coco": "COCO",
    "voc": "Pascal VOC",
    "dicom": "DICOM SEG, SR (TID 1500), RTSTRUCT",
    "nifti": "NIfTI masks",
}
READER: Final = re.compile(r"[0-9a-f]{16}|source-[\w-]{1,60}")


class LabelFileError(Exception):
    """A file of labels cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """What a statement is about, by whatever the file gives; "" = not said. paths: tried in this order."""

    image: str = ""
    frame: int = 1
    series: str = ""
    study: str = ""
    paths: tuple[str, ...] = ()
    case: str = ""
    patient: str = ""


@dataclass(frozen=True)
class Statement:
    """One thing that a file says.

    where:     the place in the file, for people: "row 3", "annotation 17".
    questions: what it calls the question, the surest name first.
    labels:    what it calls the answer or what was drawn, the surest name first.
    reader:    the pseudonym of the reader whose it was, in files that this product wrote.
    """

    where: str
    kind: Kind
    target: Target
    questions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    value: dict[str, Any] = field(default_factory=dict)
    reader: str = ""

    def to_json(self) -> bytes:
        """As the child writes it, a line each."""
        return json.dumps(asdict(self), allow_nan=False).encode() + b"\n"


LINE: TypeAdapter[Statement] = TypeAdapter(Statement)


@dataclass(frozen=True)
class Order:
    """How a file is to be read.

    path:    where it lies in what was given, with / between.
    columns: how columns of a table are to be taken: "@path", "@image", …, or what they are mapped to.
    wanted:  the names of columns that answer something, in small letters.
    names:   what numbers stand for, from the file of names beside it: by question ("" = any), by number.
    """

    format: str
    path: str
    columns: dict[str, str] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    names: dict[str, dict[str, str]] = field(default_factory=dict)


def plain(text: str) -> str:
    """Reduce a name to what it says: small letters and digits, one space between words."""
    return re.sub(r"[\W_]+", " ", text).strip().lower()


def reader_in(text: str) -> str:
    """Give the pseudonym of a reader of this product that a name holds; nothing where it is anyone else."""
    return text if READER.fullmatch(text) else ""
