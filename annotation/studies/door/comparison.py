"""What de-identification did to a file, tag by tag: read off what came out, not off what was meant to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from annotation.studies.door.deidentify import table
from annotation.studies.door.shared import SharedElement
from annotation.studies.door.values import element_of, words

KEPT, CLEANED, REPLACED, SHIFTED, EMPTIED = "kept", "cleaned", "replaced", "shifted", "emptied"
NORMALISED, DROPPED, ADDED = "normalised", "dropped", "added"
DEEDS = (KEPT, CLEANED, REPLACED, SHIFTED, EMPTIED, NORMALISED, DROPPED, ADDED)

# What an action does to every value that it lets through; of the others, each value is looked at.
BY_ACTION = {
    **dict.fromkeys(("uid", "pseudonym", "unnamed"), REPLACED),
    **dict.fromkeys(("date", "datetime"), SHIFTED),
    **dict.fromkeys(("keep", "class_uid", "time", "lut"), KEPT),
}
# Written anew for the normalised frames (PS3.3 C.7.6.3), or gone into them (palettes).
PIXEL_TAGS = frozenset(
    [
        *range(0x00280002, 0x00280009, 2),
        *(0x00280010, 0x00280011),
        *range(0x00280100, 0x00280104),
        *range(0x00281101, 0x00281104),
        *range(0x00281201, 0x00281204),
        *(0x7FE00008, 0x7FE00009, 0x7FE00010),
    ]
)
LONGEST_SHOWN = 96


@dataclass(frozen=True)
class Change:
    """One attribute before and after; either side is None where it is not there.

    depth: how many sequences it lies in.
    """

    tag: int
    deed: str
    depth: int
    before: Dataset | None
    after: Dataset | None

    @property
    def key(self) -> str:
        """The tag as a certificate may name it: of private and unknown ones only that they are that."""
        if (self.tag >> 16) % 2:
            return "private"
        if (self.tag >> 24) in (0x50, 0x60):
            return f"{self.tag >> 24:02X}XX{self.tag & 0xFFFF:04X}"
        return f"{self.tag:08X}" if dictionary_has_tag(self.tag) else "unknown"


def changes(source: Dataset, kept: Dataset, depth: int = 0) -> Iterator[Change]:
    """Compare a data set with what was kept of it, depth first in the order of the tags."""
    for number in sorted({int(tag) for tag in (*source.keys(), *kept.keys())}):
        yield from _changes_of(source, kept, number, depth)


def _changes_of(source: Dataset, kept: Dataset, number: int, depth: int = 0) -> Iterator[Change]:
    """Compare one attribute, and what lies in it."""
    tag = Tag(number)
    deed = _deed(source, kept, tag)
    before, after = (source if tag in source else None), (kept if tag in kept else None)
    yield Change(number, deed, depth, before, after)
    if deed == KEPT and kept[tag].VR == "SQ" and source[tag].VR == "SQ":
        for inner, outer in zip(source[tag].value, kept[tag].value, strict=False):
            yield from changes(inner, outer, depth + 1)


def counted(source: Dataset, kept: Dataset) -> dict[str, int]:
    """How often each deed was done to each attribute: "00100010 replaced" → 1."""
    numbers, after = {int(tag) for tag in source.keys()}, {int(tag): one for tag, one in kept.items()}  # noqa: SIM118
    told: Counter[str] = Counter()
    for number in sorted(numbers | after.keys()):
        element = after.get(number)
        if element is None:
            told[_line(number, NORMALISED if number in PIXEL_TAGS else DROPPED)] += 1
        elif number not in numbers:
            told[_line(number, ADDED)] += 1
        elif isinstance(element, SharedElement) and element.is_cleaned:
            element.deeds = element.deeds or _told(source, kept, number)
            told.update(element.deeds)
        else:
            told.update(_told(source, kept, number))
    return dict(told)


def _told(source: Dataset, kept: Dataset, number: int) -> tuple[str, ...]:
    return tuple(_line(change.tag, change.deed) for change in _changes_of(source, kept, number))


@lru_cache(maxsize=4096)
def _line(number: int, deed: str) -> str:
    return f"{Change(number, deed, 0, None, None).key} {deed}"


def _deed(source: Dataset, kept: Dataset, tag: int) -> str:
    if tag not in kept:
        return NORMALISED if tag in PIXEL_TAGS else DROPPED
    if tag not in source:
        return ADDED
    rule = table().get(int(tag))
    if rule is None:
        return REPLACED  # what says how it was de-identified
    return _changed(source, kept, tag, rule.action)


def _changed(source: Dataset, kept: Dataset, tag: int, action: str) -> str:
    """Say what an action did to a value that is still there."""
    if action == "sequence":
        return KEPT
    if kept[tag].is_empty:
        return EMPTIED
    if action in BY_ACTION:
        return BY_ACTION[action]
    return KEPT if _same(source, kept, tag) else CLEANED


def _same(source: Dataset, kept: Dataset, tag: int) -> bool:
    before = element_of(source, tag)
    return before is not None and words(before.value) == words(kept[tag].value)


def shown(found: Dataset | None, tag: int) -> str:
    """Write an element's value as a person reads it, cut short; for the eyes of who brought the file."""
    if found is None:
        return ""
    try:
        element = found[tag]
    except Exception:  # noqa: BLE001 - a damaged value may raise anything, and is only looked at here
        return "(cannot be read)"
    if element.VR == "SQ":
        count = len(element.value)
        return f"{count} item{'' if count == 1 else 's'}"
    if isinstance(element.value, bytes):
        return f"({len(element.value)} bytes)"
    text = "\\".join(words(element.value))
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
