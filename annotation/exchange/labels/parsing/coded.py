"""What DICOM objects say of themselves and by codes."""

from typing import Final

from pydicom.dataset import Dataset

from annotation.exchange.labels.statements import reader_in
from annotation.exchange.out.terms import words_for

OURS: Final = "Fovea"


def names_of(item: Dataset) -> list[str]:
    """Give every name that a code goes by: its value, its meaning, the terms that we code so."""
    code, scheme = str(item.get("CodeValue", "")), str(item.get("CodingSchemeDesignator", ""))
    meaning = str(item.get("CodeMeaning", ""))
    return [one for one in (code, *words_for(code, scheme), meaning) if one]


def reader_of(found: Dataset, name: object) -> str:
    """Give the pseudonym of the reader in an object that this product wrote: "Reader^…"."""
    family, _, given = str(name or "").partition("^")
    is_ours = str(found.get("Manufacturer", "")) == OURS and family == "Reader"
    return reader_in(given) if is_ours else ""


def split_name(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read "question:label" as our own objects write it: the question, if it says one, and the label."""
    question, colon, label = text.partition(":")
    return ((question,), (label,)) if colon else ((), (text,) if text else ())
