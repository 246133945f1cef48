"""The standard's table as data, and our keep-list held against every row of it."""

import io
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from annotation.studies.door.confidentiality import TABLE_FILE, profile, row_of
from annotation.studies.door.confidentiality_source import (
    COLUMNS,
    UnknownTableError,
    edition_of,
    rows_of,
    write,
)
from annotation.studies.door.deidentify import table
from annotation.studies.door.options import OPTIONS, column_of, method_codes

# How much of a value is gone: X drops it; Z empties or replaces it, D and U replace it (PS3.15 Table E.1-1a).
STRICTNESS = {"": 3, "empty": 2, "sex": 0, "pseudonym": 1, "unnamed": 1, "uid": 1}
ASKED = {"X": 3, "Z": 1, "D": 1, "U": 1, "U*": 1}
HEAD = "".join(f"<th><para>{name}</para></th>" for name, _ in COLUMNS)
PLAIN = "<td><para>{}</para></td>"


def strictness(action: str) -> int:
    return STRICTNESS.get(action, 0)


def ruled() -> Iterator[tuple[str, int]]:
    """Rows of the standard that our keep-list has an action for."""
    for tag in table():
        if row_of(tag) is not None:
            yield f"{tag:08X}", tag


def test_the_table_is_whole_and_of_a_stated_edition() -> None:
    assert profile().edition == "2026c"
    assert len(profile().rows) == 656
    assert profile().rows["00100010"].basic_profile == "Z"
    assert profile().rows["00080020"].options["retain_modified_dates"] == "C"
    assert {len(row.options) for row in profile().rows.values()} == {10}


@pytest.mark.parametrize(("name", "tag"), sorted(ruled()))
def test_without_options_no_action_is_milder_than_the_basic_profile(name: str, tag: int) -> None:
    row, rule = row_of(tag), table()[tag]
    assert row is not None
    asked = min(ASKED[one] for one in row.basic_profile.split("/"))
    ours = rule.under(()) if rule.action != "sequence" else "uid"  # what is in a sequence is walked by itself
    assert strictness(ours) >= asked, (name, rule)


@pytest.mark.parametrize(("name", "tag"), sorted(ruled()))
def test_an_option_keeps_only_what_the_standard_lets_it_keep(name: str, tag: int) -> None:
    row, rule = row_of(tag), table()[tag]
    assert row is not None
    columns = [column_of(rule.option)] if rule.option else []
    assert all(row.options[column] in {"K", "C"} for column in columns), (name, rule)


def test_what_the_keep_list_does_not_name_is_dropped_whatever_the_standard_says() -> None:
    named = {f"{tag:08X}" for tag in table()}
    unnamed = [row for tag, row in profile().rows.items() if tag not in named]
    assert len(unnamed) > 580
    assert row_of(0x00091001) is profile().rows["GGGGEEEE"]
    assert row_of(0x60023000) is profile().rows["60XX3000"]
    assert row_of(0x50020022) is profile().rows["50XXXXXX"]
    assert row_of(0x00280010) is None


def test_every_option_states_its_own_code_and_is_explained() -> None:
    codes = {option.name: option.code for option in OPTIONS}
    assert codes["dates"] == "113107"
    assert codes["patient"] == "113108"
    assert [code for code, _ in method_codes(("dates", "pixels"), masked=False)] == ["113100", "113107"]
    assert [code for code, _ in method_codes((), masked=True)] == ["113100", "113101"]
    assert all(len(option.explanation) > 80 for option in OPTIONS)


def document(*rows: list[str], subtitle: str = "DICOM PS3.15 2026c - Security") -> ElementTree.Element:
    body = "".join(f"<tr>{''.join(PLAIN.format(cell) for cell in row)}</tr>" for row in rows)
    return ElementTree.fromstring(
        f'<book xmlns="http://docbook.org/ns/docbook"><subtitle>{subtitle}</subtitle>'
        f'<table xml:id="table_E.1-1"><thead><tr>{HEAD}</tr></thead><tbody>{body}</tbody></table></book>'
    )


def row(name: str, tag: str, basic: str, **options: str) -> list[str]:
    return [name, tag, "N", "Y", basic, *(options.get(column, "") for _, column in COLUMNS[5:])]


def test_the_script_reads_the_standard_as_it_is_published() -> None:
    root = document(
        row("Study Date", "(0008,0020)", "Z", retain_full_dates="K", retain_modified_dates="C"),
        row("Curve Data", "(50<emphasis>XX</emphasis>,XXXX)", "X", clean_graphics="C"),
        row("Private Attributes", "(gggg,eeee) where gggg is odd", "X", retain_safe_private="C"),
    )
    stream = io.StringIO()
    write(rows_of(root), edition_of(root), stream)
    lines = stream.getvalue().splitlines()
    checked_in = TABLE_FILE.read_text().splitlines()
    assert lines[:3] == checked_in[:3]
    assert set(lines) <= set(checked_in), "as the checked-in rows are"
    assert len(lines) == 6


def test_the_script_refuses_another_document_and_other_columns() -> None:
    with pytest.raises(UnknownTableError, match=r"PS3\.15"):
        edition_of(document(subtitle="DICOM PS3.16 2026c"))
    root = document(row("Study Date", "(0008,0020)", "Z"))
    heads = list(root.iter("{http://docbook.org/ns/docbook}th"))
    heads[9][0].text, heads[10][0].text = heads[10][0].text, heads[9][0].text
    with pytest.raises(UnknownTableError, match="other columns"):
        list(rows_of(root))
