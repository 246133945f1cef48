"""CSV: a row an image with a column a question, or our own tables with a row a question."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target, plain, reader_in

Row = Mapping[str, str]
# What a column is when nobody says: the commonest names of what identifies an image.
KNOWN: Final = {
    "path": "@path",
    "file": "@path",
    "file name": "@path",
    "filename": "@path",
    "image path": "@path",
    "sop instance uid": "@image",
    "sopinstanceuid": "@image",
    "sop instance uids": "@image",
    "series instance uid": "@series",
    "seriesinstanceuid": "@series",
    "study instance uid": "@study",
    "studyinstanceuid": "@study",
    "frame": "@frame",
    "patient id": "@patient",
    "patientid": "@patient",
    "case": "@case",
}
LONG: Final = {"question", "answer"}
FORMULA: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
SAMPLE: Final = 16 * 1024


def read_table(content: bytes, order: Order) -> Iterator[Statement]:
    """Give a table's statements.

    raises: LabelFileError.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LabelFileError("it is not UTF-8: save it as CSV UTF-8") from None
    csv.field_size_limit(2**26)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), restkey="")
    names = [name.strip() for name in rows.fieldnames or [] if name]
    if not names:
        raise LabelFileError("it has no row of column names")
    ids = {name: found for name in names if (found := role_of(name, order))}
    if not ids:
        raise LabelFileError(
            f"no column says which image a row is about: name one path, series_instance_uid,"
            f" sop_instance_uid, patient_id or case, or map one of yours: {names[0]}=@path"
        )
    yield from long_rows(rows, ids) if set(names) >= LONG else wide_rows(rows, ids, names, order)


def delimiter_of(text: str) -> str:
    """Guess what stands between columns from the first line."""
    head = text[:SAMPLE].partition("\n")[0]
    return max(",;\t", key=head.count)


def role_of(name: str, order: Order) -> str:
    """Say what a column identifies; nothing where it answers something."""
    told = order.columns.get(name)
    if told is not None:
        return told if told.startswith("@") else ""
    return "" if plain(name) in order.wanted else KNOWN.get(plain(name), "")


def target_of(row: Row, ids: Mapping[str, str]) -> Target:
    """Read what a row is about."""
    said: dict[str, str] = {}
    for name, role in ids.items():
        said.setdefault(role, (row.get(name) or "").strip())
    image = said.get("@image", "")
    frame = said.get("@frame", "")
    return Target(
        image="" if " " in image else image,
        frame=int(frame) if frame.isdigit() and int(frame) else 1,
        series=said.get("@series", ""),
        study=said.get("@study", ""),
        paths=(said["@path"],) if said.get("@path") else (),
        case=said.get("@case", ""),
        patient=said.get("@patient", ""),
    )


def wide_rows(
    rows: "csv.DictReader[str]", ids: Mapping[str, str], names: list[str], order: Order
) -> Iterator[Statement]:
    """Give a statement a cell of the columns that are wanted.

    raises: LabelFileError where none is.
    """
    wanted = [
        name
        for name in names
        if name not in ids and (order.columns.get(name, "-") != "-" or plain(name) in order.wanted)
    ]
    if not wanted:
        others = [name for name in names if name not in ids]
        raise LabelFileError(
            f"no column is called as a question of the protocol: map one, {others[0] if others else 'column'}"
            f"=question; there are the columns {', '.join(others[:20])}"
        )
    for number, row in enumerate(rows, start=2):
        target = target_of(row, ids)
        for name in wanted:
            text = (row.get(name) or "").strip()
            if text:
                yield Statement(f"row {number}", "cell", target, (name,), value={"text": text})


def long_rows(rows: "csv.DictReader[str]", ids: Mapping[str, str]) -> Iterator[Statement]:
    """Give a statement a row that is in force and answers something."""
    for number, row in enumerate(rows, start=2):
        text = row.get("answer") or ""
        if not text or (row.get("in_force") or "True").lower() == "false":
            continue
        target: Any = target_of(row, ids)
        value = {"text": text[1:] if text.startswith(FORMULA) else text}
        reader = reader_in(row.get("reader") or "")
        yield Statement(f"row {number}", "answer", target, (row.get("question") or "",), (), value, reader)
