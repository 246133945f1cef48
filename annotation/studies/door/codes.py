"""Coded concepts that may pass: those of public dictionaries; meanings are looked up, never copied."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from pydicom.sr import _concepts_dict, _snomed_dict

SCHEMES = ("DCM", "SCT", "UCUM", "FMA")


class Concept(NamedTuple):
    """A code as the dictionaries give it."""

    scheme: str
    value: str
    meaning: str


def _dictionary(scheme: str) -> Iterator[tuple[str, str]]:
    names: dict[str, dict[str, tuple[str, list[int]]]] = _concepts_dict.concepts[scheme]  # type: ignore[assignment]
    return ((value, meaning) for coded in names.values() for value, (meaning, _) in coded.items())


@cache
def _known() -> dict[tuple[str, str], Concept]:
    return {
        (scheme, value): Concept(scheme, value, meaning[:64])
        for scheme in SCHEMES
        for value, meaning in _dictionary(scheme)
    }


def concept(scheme: str, value: str) -> Concept | None:
    """Look a code up; SNOMED's retired form (SRT) is answered in its present one."""
    if scheme in ("SRT", "SNM3", "99SDM"):
        scheme, value = "SCT", _snomed_dict.mapping["SRT"].get(value, "")
    return _known().get((scheme, value))
