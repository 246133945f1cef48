"""Coded concepts that may pass: those of the public dictionaries that pydicom ships; meanings are looked up, never copied."""

from functools import cache
from typing import NamedTuple

from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

SCHEMES = ("DCM", "SCT", "UCUM", "FMA")


class Concept(NamedTuple):
    """A code as the dictionaries give it."""

    scheme: str
    value: str
    meaning: str


@cache
def _known() -> dict[tuple[str, str], Concept]:
    return {
        (scheme, value): Concept(scheme, value, meaning[:64])
        for scheme in SCHEMES
        for names in concepts[scheme].values()
        for value, (meaning, _) in names.items()
    }


def concept(scheme: str, value: str) -> Concept | None:
    """Look a code up; SNOMED's retired form (SRT) is answered in its present one."""
    if scheme in ("SRT", "SNM3", "99SDM"):
        scheme, value = "SCT", mapping["SRT"].get(value, "")
    return _known().get((scheme, value))
