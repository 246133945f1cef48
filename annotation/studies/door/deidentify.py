"""De-identification by a keep-list: what the table does not name is dropped, at every depth.

Performed: PS3.15 Annex E, Basic Application Level Confidentiality Profile, and those of its options that
the data set chose (options.py).
"""

import csv
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from annotation.studies.door import characteristics, values
from annotation.studies.door.limits import NESTING
from annotation.studies.door.options import DEFAULT_OPTIONS, method_codes
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.verdict import RejectedFileError

CLEANERS = values.CLEANERS | characteristics.CLEANERS
TABLE_FILE = Path(__file__).with_name("keep_list.csv")


class Rule(NamedTuple):
    """What happens to one attribute that may stay.

    option:    the option that it stays under; "" = under every one.
    otherwise: what happens to it where that option does not hold; "" = it is dropped.
    """

    keyword: str
    action: str
    option: str
    otherwise: str

    def under(self, options: Collection[str]) -> str:
        """Give the action under these options."""
        return self.action if not self.option or self.option in options else self.otherwise


@cache
def table() -> dict[int, Rule]:
    """Read the keep-list: tag → rule."""
    with TABLE_FILE.open(newline="") as stream:
        rules = [Rule(**row) for row in csv.DictReader(stream)]
    return {_tag(rule.keyword): rule for rule in rules}


def deidentified(
    source: Dataset,
    identity: Identity,
    options: Collection[str] = DEFAULT_OPTIONS,
    *,
    masked: bool = False,
) -> Dataset:
    """Keep what may stay of a data set, without its pixels.

    raises: RejectedFileError where sequences are nested too deep.
    """
    return mark(_Walk(identity, frozenset(options)).kept(source, depth=0), identity, options, masked=masked)


def mark(
    kept: Dataset, identity: Identity, options: Collection[str] = DEFAULT_OPTIONS, *, masked: bool = False
) -> Dataset:
    """Give a cleaned data set its pseudonym, and say what was done, and nothing that was not (PS3.15 E.1).

    masked: a person has had parts of the pixels overwritten.
    """
    kept.PatientName = identity.pseudonym
    kept.PatientID = identity.pseudonym
    for keyword in ("PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        if keyword not in kept:
            setattr(kept, keyword, "")  # type 2 (PS3.3): must be there, may be empty
    kept.PatientIdentityRemoved = "YES"
    kept.LongitudinalTemporalInformationModified = "MODIFIED" if "dates" in options else "REMOVED"
    kept.DeidentificationMethod = "Fovea keep-list 3"
    codes = method_codes(options, masked=masked)
    kept.DeidentificationMethodCodeSequence = Sequence([_code(*code) for code in codes])
    return kept


class _Walk:
    """One file's walk: only tags of the table are even looked at."""

    def __init__(self, identity: Identity, options: frozenset[str]) -> None:
        self._identity = identity
        self._actions = _actions(options)

    def kept(self, source: Dataset, *, depth: int) -> Dataset:
        if depth > NESTING:
            raise RejectedFileError(f"sequences are nested deeper than {NESTING}")
        kept = Dataset()
        actions = self._actions
        for tag in sorted(tag for tag in source.keys() if tag in actions):  # noqa: SIM118 - iterating converts values
            action = actions[tag]
            if action == "sequence":
                cleaned = self._sequence(source, tag, depth=depth)
            else:
                cleaned = CLEANERS[action](source, tag, self._identity)
            if cleaned is not None:
                kept.add(cleaned)
        return kept

    def _sequence(self, source: Dataset, tag: int, *, depth: int) -> DataElement | None:
        """Clean every item; a sequence whose items are all empty goes."""
        element = source[tag]
        if element.VR != "SQ":
            return None
        items = [self.kept(item, depth=depth + 1) for item in element.value]
        return DataElement(tag, "SQ", Sequence(items)) if any(len(item) for item in items) else None


@cache
def _actions(options: frozenset[str]) -> dict[int, str]:
    """Tag → action under these options; what would be dropped is not in it."""
    found = {tag: rule.under(options) for tag, rule in table().items()}
    return {tag: action for tag, action in found.items() if action}


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(f"keep_list.csv names {keyword}, which DICOM does not know")
    return int(tag)
