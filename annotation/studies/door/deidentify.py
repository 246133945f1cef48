"""De-identification by a keep-list: what the table does not name is dropped, at every depth.

Performed: PS3.15 Annex E, Basic Application Level Confidentiality Profile, and those of its options that
the data set chose (options.py).
"""

import csv
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from annotation.studies.door import characteristics, values
from annotation.studies.door.limits import NESTING
from annotation.studies.door.options import DEFAULT_OPTIONS, method_codes
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.shared import SharedElement, is_ambiguous, stands_alone, written
from annotation.studies.door.verdict import RejectedFileError

CLEANERS = values.CLEANERS | characteristics.CLEANERS
TABLE_FILE = Path(__file__).with_name("keep_list.csv")

CHARACTER_SET, PIXEL_REPRESENTATION = 0x00080005, 0x00280103
CONTEXTUAL = frozenset({"code", "lut"})  # what they let through hangs on the elements beside
LONGEST_REMEMBERED, LONGEST_SEQUENCE, MOST_REMEMBERED = 256, 4096, 10_000


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
    kept = _walk(identity, frozenset(options)).kept(source, depth=0)
    return mark(kept, identity, options, masked=masked)


def mark(
    kept: Dataset, identity: Identity, options: Collection[str] = DEFAULT_OPTIONS, *, masked: bool = False
) -> Dataset:
    """Give a cleaned data set its pseudonym, and say what was done, and nothing that was not (PS3.15 E.1).

    masked: a person has had parts of the pixels overwritten.
    """
    for keyword in ("PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        if keyword not in kept:
            kept.add(_emptied(keyword))  # type 2 (PS3.3): must be there, may be empty
    for element in (*_named(identity.pseudonym), *_stated(frozenset(options), masked)):
        kept.add(element)
    return kept


@cache
def _emptied(keyword: str) -> SharedElement:
    return written(keyword, "")


@lru_cache(maxsize=64)
def _named(pseudonym: str) -> tuple[SharedElement, ...]:
    return tuple(written(keyword, pseudonym) for keyword in ("PatientName", "PatientID"))


@lru_cache(maxsize=64)
def _stated(options: frozenset[str], masked: bool) -> tuple[SharedElement, ...]:  # noqa: FBT001  for the cache
    dates = "MODIFIED" if "dates" in options else "REMOVED"
    codes = Sequence([_code(*code) for code in method_codes(options, masked=masked)])
    return (
        written("PatientIdentityRemoved", "YES"),
        written("LongitudinalTemporalInformationModified", dates),
        written("DeidentificationMethod", "Fovea keep-list 3"),
        written("DeidentificationMethodCodeSequence", codes),
    )


class _Walk:
    """The walk through one patient's files: only tags of the table are even looked at.

    An element that is equal to one of before, in a data set of the same character set and representation of
    pixels, becomes the same again.
    """

    def __init__(self, identity: Identity, options: frozenset[str]) -> None:
        self._identity = identity
        self._actions = _actions(options)
        self._remembered: dict[tuple[Any, ...], SharedElement | None] = {}

    def kept(self, source: Dataset, *, depth: int, context: tuple[str, ...] = ()) -> Dataset:
        if depth > NESTING:
            raise RejectedFileError(f"sequences are nested deeper than {NESTING}")
        kept = Dataset()
        actions = self._actions
        elements = {number: held for tag, held in source.items() if (number := int(tag)) in actions}
        context = (*context, _told(source, CHARACTER_SET), _told(source, PIXEL_REPRESENTATION))
        for number in sorted(elements):
            key = self._key(number, elements[number], depth, context)
            if key is not None and key in self._remembered:
                cleaned: DataElement | None = self._remembered[key]
            else:
                cleaned = self._cleaned(source, elements[number].tag, depth=depth, context=context)
                if key is not None and len(self._remembered) < MOST_REMEMBERED and stands_alone(cleaned):
                    cleaned = SharedElement(cleaned, is_cleaned=True) if cleaned is not None else None
                    self._remembered[key] = cleaned
            if cleaned is not None:
                kept.add(cleaned)
        return kept

    def _key(
        self, number: int, held: DataElement | RawDataElement, depth: int, context: tuple[str, ...]
    ) -> tuple[Any, ...] | None:
        """Name what an element becomes by all that it hangs on; nothing where that is long."""
        action = self._actions[number]
        if not isinstance(held, RawDataElement) or action in CONTEXTUAL or is_ambiguous(number):
            return None
        longest = LONGEST_REMEMBERED if action != "sequence" else 0 if depth else LONGEST_SEQUENCE
        if len(held.value or b"") > longest:
            return None
        return (number, held.VR, held.value, held.length, held.is_implicit_VR, held.is_little_endian, context)

    def _cleaned(
        self, source: Dataset, tag: BaseTag, *, depth: int, context: tuple[str, ...]
    ) -> DataElement | None:
        action = self._actions[int(tag)]
        if action == "sequence":
            return self._sequence(source, tag, depth=depth, context=context)
        return CLEANERS[action](source, tag, self._identity)

    def _sequence(
        self, source: Dataset, tag: BaseTag, *, depth: int, context: tuple[str, ...]
    ) -> DataElement | None:
        """Clean every item; a sequence whose items are all empty goes."""
        element = source[tag]
        if element.VR != "SQ":
            return None
        items = [self.kept(item, depth=depth + 1, context=context) for item in element.value]
        return DataElement(tag, "SQ", Sequence(items)) if any(len(item) for item in items) else None


@lru_cache(maxsize=16)
def _walk(identity: Identity, options: frozenset[str]) -> _Walk:
    return _Walk(identity, options)


def _told(source: Dataset, tag: int) -> str:
    """Write an element as it is held, to tell one data set from another."""
    held = source.get_item(tag)
    return "" if held is None else repr(held.value)


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
