"""What may stay of one value: bound to the grammar of its representation and, for text, to a vocabulary."""

import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from annotation.studies.door.codes import concept
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.registry import registered
from annotation.studies.door.terms import DEVICE_FAMILIES, KERNEL_WORDS, MAKERS, TERMS, described

Cleaner = Callable[[Dataset, int, Identity], DataElement | None]

DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
INTEGER = re.compile(r"[+-]?\d{1,12}")
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
KERNEL = re.compile(r"[A-Z]{0,2}\d{1,2}[A-Z]{0,1}|[A-E]|FC\d\d")
CODE_VALUE, CODING_SCHEME, CODE_MEANING, LUT_DESCRIPTOR = 0x00080100, 0x00080102, 0x00080104, 0x00283002
LONGEST_TEXT = 64  # PS3.5 6.2: VR LO
BINARY = {"US", "SS", "UL", "SL", "FL", "FD", "AT", "US or SS"}


def several(value: object) -> list[Any]:
    """Values of an element as a list; absent and empty are the empty list."""
    if value is None or value in ("", b""):
        return []
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def words(value: object) -> list[str]:
    """Values as stripped text."""
    return [str(item).strip(" \0") for item in several(value)]


def element_of(source: Dataset, tag: int) -> DataElement | None:
    """Read an element whose value is of the representation that DICOM gives it; else nothing."""
    try:
        element = source[tag]
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        return None
    return element if _same_kind(element.VR, dictionary_VR(tag)) else None


def _same_kind(found: str, expected: str) -> bool:
    return found == expected or found in expected.split(" or ") or (found in BINARY and expected in BINARY)


def _number(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    element = element_of(source, tag)
    if element is None:
        return None
    values = several(element.value)
    if element.VR in {"DS", "IS"}:
        pattern = DECIMAL if element.VR == "DS" else INTEGER
        texts = [str(value).strip() for value in values]
        fits = all(pattern.fullmatch(text) for text in texts)
        return DataElement(tag, element.VR, texts or None) if fits else None
    fits = all(isinstance(value, int | BaseTag) or _finite(value) for value in values)
    return DataElement(tag, element.VR, values if len(values) != 1 else values[0]) if fits else None


def _finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _term(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Keep defined terms; in a list, an unknown one becomes OTHER so that the rest keeps its place."""
    element = element_of(source, tag)
    found = [text.upper() for text in words(element.value)] if element is not None else []
    known = [text if text in TERMS else "OTHER" for text in found]
    if element is None or not any(text in TERMS for text in found):
        return None
    return DataElement(tag, element.VR, known)


def _uid(source: Dataset, tag: int, identity: Identity) -> DataElement | None:
    element = element_of(source, tag)
    found = words(element.value) if element is not None else []
    return DataElement(tag, "UI", [identity.uid(text) for text in found]) if any(found) else None


def _class_uid(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Keep a UID that the standard itself gives out; any other could name a site."""
    element = element_of(source, tag)
    found = words(element.value) if element is not None else []
    return DataElement(tag, "UI", found) if found and all(registered(text) for text in found) else None


def earlier(text: str, days: int) -> str | None:
    """Move a DA value (YYYYMMDD) so many days back; nothing where it is no date."""
    try:
        moved = date(int(text[:4]), int(text[4:6]), int(text[6:8])) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return moved.strftime("%Y%m%d") if moved.year >= 1000 else None


def _date(source: Dataset, tag: int, identity: Identity) -> DataElement | None:
    element = element_of(source, tag)
    found = words(element.value) if element is not None else []
    if len(found) != 1 or not re.fullmatch(r"\d{8}", found[0]):
        return None
    moved = earlier(found[0], identity.days)
    return DataElement(tag, "DA", moved) if moved else None


def _datetime(source: Dataset, tag: int, identity: Identity) -> DataElement | None:
    element = element_of(source, tag)
    found = words(element.value) if element is not None else []
    parts = re.fullmatch(r"(\d{8})([\d.]*)([+-]\d{4})?", found[0]) if len(found) == 1 else None
    if parts is None or (parts[2] and not TIME.fullmatch(parts[2])):
        return None
    moved = earlier(parts[1], identity.days)
    return DataElement(tag, "DT", moved + parts[2] + (parts[3] or "")) if moved else None


def _time(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    element = element_of(source, tag)
    found = words(element.value) if element is not None else []
    return DataElement(tag, "TM", found) if len(found) == 1 and TIME.fullmatch(found[0]) else None


def _empty(_source: Dataset, tag: int, _: Identity) -> DataElement:
    return DataElement(tag, dictionary_VR(tag), "")


def _pseudonym(_source: Dataset, tag: int, identity: Identity) -> DataElement:
    return DataElement(tag, dictionary_VR(tag), identity.pseudonym)


def _unnamed(_source: Dataset, tag: int, _: Identity) -> DataElement:
    """Replace a label that must be there (type 1) and is free text."""
    return DataElement(tag, dictionary_VR(tag), "unnamed")


def _maker(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Keep a known maker's name, however it was written."""
    element = element_of(source, tag)
    text = " ".join(words(element.value)).upper() if element is not None else ""
    known = next((maker for maker in MAKERS if re.search(rf"\b{re.escape(maker)}\b", text)), None)
    return DataElement(tag, "LO", known) if known else None


def _device(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Those words of a model name that are device families, and short numbers beside them."""
    element = element_of(source, tag)
    found = re.split(r"[\s_/-]+", " ".join(words(element.value)).upper()) if element is not None else []
    if not any(word in DEVICE_FAMILIES for word in found):
        return None
    kept = [word for word in found if word in DEVICE_FAMILIES or re.fullmatch(r"\d{1,3}(\.\d)?T?", word)]
    return DataElement(tag, "LO", " ".join(kept)[:LONGEST_TEXT])


def _description(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Write what a free description means in words of the vocabulary, as many as there is room for."""
    element = element_of(source, tag)
    kept = described(" ".join(words(element.value))) if element is not None else []
    while len(" ".join(kept)) > LONGEST_TEXT:
        kept.pop()
    return DataElement(tag, "LO", " ".join(kept)) if kept else None


def _kernel(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    element = element_of(source, tag)
    found = [text.upper() for text in words(element.value)] if element is not None else []
    fits = found and all(text in KERNEL_WORDS or KERNEL.fullmatch(text) for text in found)
    return DataElement(tag, "SH", found) if fits else None


def _code(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Write a part of a code of a public dictionary, as the dictionary has it."""
    known = concept(
        str(source.get("CodingSchemeDesignator", "")).strip(), str(source.get("CodeValue", "")).strip()
    )
    if known is None:
        return None
    part = {CODE_VALUE: known.value, CODING_SCHEME: known.scheme, CODE_MEANING: known.meaning}[tag]
    return DataElement(tag, dictionary_VR(tag), part)


def _lut(source: Dataset, tag: int, _: Identity) -> DataElement | None:
    """Keep a look-up table whose data has the length that its descriptor says (PS3.3 C.11.1.1)."""
    descriptor = element_of(source, LUT_DESCRIPTOR)
    numbers = several(descriptor.value) if descriptor is not None else []
    if len(numbers) != 3 or not all(isinstance(number, int) for number in numbers):
        return None
    if tag == LUT_DESCRIPTOR:
        return DataElement(tag, "US", [number % 65536 for number in numbers])
    element = source[tag]
    entries = numbers[0] or 65536
    data = element.value
    length = len(data) // 2 if isinstance(data, bytes) else len(several(data))
    return (
        DataElement(tag, element.VR, data) if length == entries and element.VR in {"US", "SS", "OW"} else None
    )


CLEANERS: dict[str, Cleaner] = {
    "keep": _number,
    "term": _term,
    "uid": _uid,
    "class_uid": _class_uid,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "empty": _empty,
    "pseudonym": _pseudonym,
    "unnamed": _unnamed,
    "maker": _maker,
    "device": _device,
    "description": _description,
    "kernel": _kernel,
    "code": _code,
    "lut": _lut,
}
