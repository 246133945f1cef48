"""Tables: a row a reader, revision and question, as CSV, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress
from annotation.exchange.out.rules import DifferenceError

Row = dict[str, Any]
# Column → its type in Parquet. An answer that is no text is JSON.
COLUMNS: Final[Mapping[str, str]] = {
    "case": "int64",
    "patient": "string",
    "study_instance_uid": "string",
    "series_instance_uid": "string",
    "sop_instance_uids": "string",
    "modality": "string",
    "manufacturer": "string",
    "stream": "string",
    "split": "string",
    "reader": "string",
    "source": "string",
    "revision": "int64",
    "in_force": "bool",
    "read_at": "string",
    "protocol_version": "int64",
    "question": "string",
    "kind": "string",
    "answer": "string",
    "measurements": "string",
    "seconds": "double",
    "suggestion_shown": "string",
    "suggestion_taken": "bool",
    "suggestion": "string",
    "pick_reason": "string",
    "pick_strategy": "string",
    "pick_score": "double",
    "draw_probability": "double",
    "reference_standard": "string",
    "reference_readings": "int64",
    "reference_provenance": "string",
}
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
ROWS_A_GROUP: Final = 20_000


def rows_of(case: FrozenCase) -> Iterator[Row]:
    """Give a case's rows: readers by pseudonym, revisions by number, questions in the protocol's order."""
    line = case.line
    of_case = {
        "case": case.number,
        "sop_instance_uids": " ".join(case.instances),
        **{
            name: line[name]
            for name in (
                "patient",
                "study_instance_uid",
                "series_instance_uid",
                "modality",
                "manufacturer",
                "stream",
                "split",
            )
        },
    }
    for reading in line["readings"]:
        last = len(reading["revisions"]) - 1
        for place, revision in enumerate(reading["revisions"]):
            author = {"reader": reading["reader"], "source": reading.get("source") or None}
            facts = {**author, "in_force": place == last, **pick_of(reading["pick"])}
            yield from revision_rows(case, revision, of_case | facts)


def revision_rows(case: FrozenCase, revision: Mapping[str, Any], facts: Row) -> Iterator[Row]:
    """Give a row a question that the revision answers."""
    reference = case.line["reference"] or {"answers": {}, "readings": None}
    for question in case.protocols[revision["protocol"]]:
        measured = measured_of(question.key, revision)
        if question.key not in revision["answers"] and measured is None:
            continue
        yield facts | {
            "revision": revision["number"],
            "read_at": revision["at"],
            "protocol_version": revision["protocol"],
            "question": question.key,
            "kind": question.kind,
            "answer": as_text(revision["answers"].get(question.key)),
            "measurements": as_text(measured),
            "seconds": revision["seconds"],
            **suggestion_of(question.key, revision["suggestion"]),
            "reference_standard": as_text(reference["answers"].get(question.key)),
            "reference_readings": reference["readings"],
            "reference_provenance": reference.get("provenance"),
        }


def measured_of(key: str, revision: Mapping[str, Any]) -> Any:  # noqa: ANN401  JSON
    """Give what was measured or computed for a question, by region id where there are regions."""
    found = revision["measurements"]
    if key in found:
        return found[key]
    answer = revision["answers"].get(key)
    if not isinstance(answer, list):
        return None
    ids = [one["id"] for one in answer if isinstance(one, dict) and one.get("id") in found]
    return {one: found[one] for one in ids} or None


def pick_of(pick: Mapping[str, Any] | None) -> Row:
    """Say why the reader was given the case."""
    found = pick or {}
    return {
        "pick_reason": found.get("reason"),
        "pick_strategy": found.get("strategy"),
        "pick_score": found.get("score"),
        "draw_probability": found.get("draw_probability"),
    }


def suggestion_of(key: str, suggestion: Mapping[str, Any] | None) -> Row:
    """Say what the model showed of this question, and whether it was taken."""
    if not suggestion or suggestion.get("question") != key:
        return {"suggestion_shown": None, "suggestion_taken": None, "suggestion": None}
    shown = suggestion.get("shown") or None
    return {
        "suggestion_shown": shown or f"withheld: {suggestion.get('withheld') or 'not asked for'}",
        "suggestion_taken": suggestion.get("accepted") if shown else None,
        "suggestion": as_text(suggestion.get("probabilities")),
    }


def as_text(value: object) -> str | None:
    """Write an answer: words as they are, all else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def cell_of(value: object) -> str:
    """Write a cell of a spreadsheet, where no text is taken for a formula."""
    if value is None:
        return ""
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def write_csv(rows: Sequence[Row]) -> bytes:
    """Write rows as CSV in UTF-8."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([cell_of(row.get(name)) for name in COLUMNS] for row in rows)
    return written.getvalue().encode()


def write_jsonl(rows: Sequence[Row]) -> bytes:
    """Write rows as JSON lines, with the columns of the other tables."""
    return b"".join(
        json.dumps({name: row.get(name) for name in COLUMNS}, ensure_ascii=False).encode() + b"\n"
        for row in rows
    )


def write_parquet(rows: Sequence[Row]) -> bytes:
    """Write rows as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "int64": pa.int64(),
        "string": pa.string(),
        "double": pa.float64(),
        "bool": pa.bool_(),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    table = pa.Table.from_pylist([{name: row.get(name) for name in COLUMNS} for row in rows], schema=schema)
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd", row_group_size=ROWS_A_GROUP)
    return written.getvalue()


def read_csv(content: bytes) -> list[Row]:
    """Read CSV back as cells."""
    read = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    return [dict(row) for row in read]


def read_jsonl(content: bytes) -> list[Row]:
    """Read JSON lines back."""
    return [json.loads(line) for line in content.split(b"\n") if line]


def read_parquet(content: bytes) -> list[Row]:
    """Read Parquet back."""
    import pyarrow.parquet as pq

    rows: list[Row] = pq.read_table(io.BytesIO(content)).to_pylist()
    return rows


def export_table(
    frozen: Frozen, archive: Archive, report: Report, progress: Progress, *, suffix: str
) -> None:
    """Write every reading and revision as one table.

    raises: DifferenceError where what was read back differs.
    """
    rows: list[Row] = []
    for case in frozen.walked(progress):
        rows += rows_of(case)
    write, read = KINDS[suffix]
    content = write(rows)
    check_rows(rows, read(content), is_csv=suffix == "csv")
    archive.add(f"readings.{suffix}", content)
    report.count("rows", len(rows))


def check_rows(rows: Sequence[Row], read: Sequence[Row], *, is_csv: bool) -> None:
    """Hold rows against what was read back.

    raises: DifferenceError.
    """
    if len(rows) != len(read):
        raise DifferenceError(0, f"{len(rows)} rows were written and {len(read)} read back")
    for row, again in zip(rows, read, strict=True):
        for name in COLUMNS:
            wanted = cell_of(row.get(name)) if is_csv else row.get(name)
            if again.get(name) != wanted:
                raise DifferenceError(
                    row["case"], f"{name} of revision {row['revision']} was read back otherwise"
                )


KINDS: Final[Mapping[str, tuple[Callable[[Sequence[Row]], bytes], Callable[[bytes], list[Row]]]]] = {
    "csv": (write_csv, read_csv),
    "jsonl": (write_jsonl, read_jsonl),
    "parquet": (write_parquet, read_parquet),
}
