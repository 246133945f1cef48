"""Words of a protocol as codes: SNOMED CT and UCUM where terms.csv has them, else our own scheme 99FOVEA."""

import hashlib
import re
from typing import Final

from highdicom.sr import CodedConcept

from annotation.exchange.out.terms import terms

OWN: Final = "99FOVEA"
CODE_LENGTH: Final = 16  # SH
MEANING_LENGTH: Final = 64  # LO


def coded(value: str, label: str) -> CodedConcept:
    """Code an answer or a label by its value, or by its words; what has no code gets one of our own."""
    for term in (value, label):
        found = terms().get(term.strip().lower().replace("_", " "))
        if found:
            return CodedConcept(*found)
    return own(value, label)


def own(value: str, label: str) -> CodedConcept:
    """Make a code of our scheme: the value itself where it is short and plain, else a digest of it."""
    is_plain = len(value) <= CODE_LENGTH and re.fullmatch(r"[A-Za-z0-9_.-]+", value)
    code = value if is_plain else hashlib.sha256(value.encode()).hexdigest()[:CODE_LENGTH]
    words = re.sub(r"[\x00-\x1f\\]", " ", label).strip() or value
    return CodedConcept(code, OWN, words[:MEANING_LENGTH])


def listed(term: str) -> CodedConcept:
    """Give a code that the table has for sure."""
    return CodedConcept(*terms()[term])


def unit_of(text: str) -> CodedConcept:
    """Code a unit as a protocol writes it; what UCUM does not know is an annotation in braces."""
    found = terms().get(f"unit:{text.strip().lower() or '1'}")
    if found:
        return CodedConcept(*found)
    plain = re.sub(r"[^A-Za-z0-9_/-]+", "_", text.strip())[: CODE_LENGTH - 2]
    return CodedConcept(f"{{{plain or 'unit'}}}", "UCUM", text[:MEANING_LENGTH] or "unit")


def measure_of(name: str) -> tuple[CodedConcept, CodedConcept] | None:
    """Code a measurement by its name, whose end is the unit: "area_mm2"; None where it is not known."""
    measure, _, unit = name.rpartition("_")
    if f"measure:{measure}" not in terms() or f"unit:{unit}" not in terms():
        return None
    return listed(f"measure:{measure}"), listed(f"unit:{unit}")
