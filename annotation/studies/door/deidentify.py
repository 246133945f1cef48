"""De-identification by a keep-list: what the table does not name is dropped, at every depth.

Performed: PS3.15 Annex E, Basic Application Level Confidentiality Profile (DCM 113100), and of its options
Clean Descriptors (113105: of a series' description, words of a vocabulary) and Retain Longitudinal Temporal
Information with Modified Dates (113107).
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from annotation.studies.door.limits import NESTING
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.values import CLEANERS
from annotation.studies.door.verdict import RejectedFileError

METHOD_CODES = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)
TABLE_FILE = Path(__file__).with_name("keep_list.csv")


class Rule(NamedTuple):
    """What happens to one attribute that may stay."""

    keyword: str
    action: str


@cache
def table() -> dict[int, Rule]:
    """Read the keep-list: tag → rule."""
    with TABLE_FILE.open(newline="") as stream:
        rules = [Rule(row["keyword"], row["action"]) for row in csv.DictReader(stream)]
    return {_tag(rule.keyword): rule for rule in rules}


def deidentified(source: Dataset, identity: Identity) -> Dataset:
    """Keep what may stay of a data set, without its pixels.

    raises: RejectedFileError where sequences are nested too deep.
    """
    return mark(_walk(source, identity, depth=0), identity)


def mark(kept: Dataset, identity: Identity) -> Dataset:
    """Give a cleaned data set its pseudonym, and say what was done, and nothing that was not (PS3.15 E.1)."""
    kept.PatientName = identity.pseudonym
    kept.PatientID = identity.pseudonym
    for keyword in ("PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        setattr(kept, keyword, "")  # type 2 (PS3.3): must be there, may be empty
    kept.PatientIdentityRemoved = "YES"
    kept.LongitudinalTemporalInformationModified = "MODIFIED"
    kept.DeidentificationMethod = "Fovea keep-list 2"
    kept.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in METHOD_CODES])
    return kept


def _walk(source: Dataset, identity: Identity, *, depth: int) -> Dataset:
    """One level: only tags of the table are even looked at."""
    if depth > NESTING:
        raise RejectedFileError(f"sequences are nested deeper than {NESTING}")
    kept = Dataset()
    rules = table()
    for tag in sorted(tag for tag in source.keys() if tag in rules):  # noqa: SIM118 - iterating converts values
        rule = rules[tag]
        if rule.action == "sequence":
            cleaned = _sequence(source, tag, identity, depth=depth)
        else:
            cleaned = CLEANERS[rule.action](source, tag, identity)
        if cleaned is not None:
            kept.add(cleaned)
    return kept


def _sequence(source: Dataset, tag: int, identity: Identity, *, depth: int) -> DataElement | None:
    """Clean every item; a sequence whose items are all empty goes."""
    element = source[tag]
    if element.VR != "SQ":
        return None
    items = [_walk(item, identity, depth=depth + 1) for item in element.value]
    return DataElement(tag, "SQ", Sequence(items)) if any(len(item) for item in items) else None


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(f"keep_list.csv names {keyword}, which DICOM does not know")
    return int(tag)
