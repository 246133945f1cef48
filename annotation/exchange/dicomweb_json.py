"""Elements of the DICOM JSON model (PS3.18 Annex F) by keyword, and tags as requests name them. Pure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_keyword, dictionary_VR, tag_for_keyword

Element = dict[str, Any]
DataSet = dict[str, Element]
TAG = re.compile(r"[0-9A-Fa-f]{8}")
NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})


class UnknownAttributeError(ValueError):
    """What a request names is neither a keyword nor a tag of DICOM."""


class Attribute(NamedTuple):
    """An attribute as the dictionary has it; tag: eight hexadecimal digits."""

    keyword: str
    tag: str
    vr: str


@cache
def attribute(keyword: str) -> Attribute:
    """Look an attribute up by its keyword.

    raises: UnknownAttributeError.
    """
    tag = tag_for_keyword(keyword) if keyword else None
    if tag is None:
        raise UnknownAttributeError("an attribute is named that DICOM does not know")
    return Attribute(keyword, f"{tag:08X}", dictionary_VR(tag).split(" or ")[0])


def attribute_named(text: str) -> Attribute:
    """Look an attribute up by keyword or tag (PS3.18 8.3.1.1); of a path its first part.

    raises: UnknownAttributeError.
    """
    first = text.partition(".")[0]
    if not TAG.fullmatch(first):
        return attribute(first) if first.isalnum() and len(first) <= 64 else attribute("")
    try:
        return attribute(dictionary_keyword(int(first, 16)))
    except KeyError:
        return attribute("")


def element(vr: str, *values: object) -> Element:
    """Write an element; with no value where all are absent."""
    given = [value for value in values if value not in (None, "")]
    if not given:
        return {"vr": vr}
    return {"vr": vr, "Value": [_value(vr, value) for value in values]}


def _value(vr: str, value: object) -> object:
    if value in (None, ""):
        return None
    return {"Alphabetic": str(value)} if vr == "PN" else value


def dataset(values: Mapping[str, object]) -> DataSet:
    """Write attributes given by keyword; a list is several values."""
    return ordered(_elements(values))


def ordered(elements: DataSet) -> DataSet:
    """Sort by tag, as the standard asks."""
    return dict(sorted(elements.items()))


def _elements(values: Mapping[str, object]) -> DataSet:
    found = {}
    for keyword, value in values.items():
        named = attribute(keyword)
        if named.vr == "SQ":
            found[named.tag] = _sequence(value)
        else:
            several = value if isinstance(value, list) else [value]
            found[named.tag] = _signed(element(named.vr, *(plain(named.vr, one) for one in several)))
    return found


def plain(vr: str, value: object) -> object:
    """Give a value the JSON type of its representation."""
    if vr not in NUMBERS:
        return value if value is None else str(value)
    try:
        return (float(value) if vr == "DS" else int(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _signed(found: Element) -> Element:
    """Choose SS where the dictionary says US or SS and a value is below zero."""
    if found["vr"] != "US":
        return found
    below_zero = any(isinstance(one, int) and one < 0 for one in found.get("Value", ()))
    return found | {"vr": "SS"} if below_zero else found


def _sequence(value: object) -> Element:
    items = [dataset(item) for item in value] if isinstance(value, list) else []
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
