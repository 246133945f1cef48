"""Write confidentiality_profile.csv from the standard itself: PS3.15 in DocBook, as NEMA publishes it.

    python -m annotation.studies.door.confidentiality_source part15.xml

part15.xml: https://dicom.nema.org/medical/dicom/current/source/docbook/part15/part15.xml
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from annotation.studies.door.confidentiality import TABLE_FILE

DOCBOOK, IDENTIFIER = "{http://docbook.org/ns/docbook}", "{http://www.w3.org/XML/1998/namespace}id"
TABLE = "table_E.1-1"
# What the table's columns are called in its head, in order, and in our file; "" = not taken over.
COLUMNS = (
    ("Attribute Name", "name"),
    ("Tag", "tag"),
    ("Retd.", ""),
    ("In Std. Comp. IOD", ""),
    ("Basic Prof.", "basic_profile"),
    ("Rtn. Safe Priv. Opt.", "retain_safe_private"),
    ("Rtn. UIDs Opt.", "retain_uids"),
    ("Rtn. Dev. Id. Opt.", "retain_device_identity"),
    ("Rtn. Inst. Id. Opt.", "retain_institution_identity"),
    ("Rtn. Pat. Chars. Opt.", "retain_patient_characteristics"),
    ("Rtn. Long. Full Dates Opt.", "retain_full_dates"),
    ("Rtn. Long. Modif. Dates Opt.", "retain_modified_dates"),
    ("Clean Desc. Opt.", "clean_descriptors"),
    ("Clean Struct. Cont. Opt.", "clean_structured_content"),
    ("Clean Graph. Opt.", "clean_graphics"),
)
FIELDS = ("tag", "name", "basic_profile", *(ours for _, ours in COLUMNS[5:]))
PRIVATE_TAG = "GGGGEEEE"


class UnknownTableError(Exception):
    """The document is not PS3.15, or its table has other columns than those that are understood."""


def edition_of(root: ElementTree.Element) -> str:
    """Read the edition that the document names in its subtitle.

    raises: UnknownTableError.
    """
    subtitle = " ".join(_text(one) for one in root.iter(f"{DOCBOOK}subtitle"))
    found = re.search(r"PS3\.15 (\d{4}[a-z]?)", subtitle)
    if found is None:
        raise UnknownTableError("the document does not say that it is PS3.15")
    return found[1]


def rows_of(root: ElementTree.Element) -> Iterator[dict[str, str]]:
    """Read the table's rows, by our columns' names.

    raises: UnknownTableError where a column is not the expected one.
    """
    table = next((one for one in root.iter(f"{DOCBOOK}table") if one.get(IDENTIFIER) == TABLE), None)
    if table is None:
        raise UnknownTableError(f"the document has no {TABLE}")
    head = [_text(cell) for cell in table.iter(f"{DOCBOOK}th")]
    if len(head) != len(COLUMNS) or not all(
        ours[0] in found for found, ours in zip(head, COLUMNS, strict=True)
    ):
        raise UnknownTableError(f"{TABLE} has other columns: {head}")
    for row in table.iter(f"{DOCBOOK}tr"):
        cells = [_text(cell) for cell in row.iter(f"{DOCBOOK}td")]
        if len(cells) == len(COLUMNS):
            named = {ours: cell for (_, ours), cell in zip(COLUMNS, cells, strict=True) if ours}
            yield named | {"tag": _tag(named["tag"])}


def write(rows: Iterable[dict[str, str]], edition: str, stream: TextIO) -> None:
    """Write the table as data, in the order of its tags."""
    stream.write(f"# edition: {edition}\n")
    stream.write("# table: DICOM PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes\n")
    writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["tag"]))


def _text(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).replace("\u200b", "").split())


def _tag(written: str) -> str:
    """Write (0008,0050) as 00080050, and the private attributes' condition as one name."""
    digits = re.sub(r"[^0-9A-FX]", "", written.upper())
    return digits if len(digits) == 8 and "gggg" not in written.lower() else PRIVATE_TAG


def main() -> None:
    """Read the document named on the command line and replace the table."""
    root = ElementTree.parse(Path(sys.argv[1])).getroot()  # noqa: S314 - the standard, fetched by its maintainer
    with TABLE_FILE.open("w", newline="", encoding="utf-8") as stream:
        write(rows_of(root), edition_of(root), stream)


if __name__ == "__main__":
    main()
