"""Headers of stored files → the DICOM JSON model (PS3.18 Annex F). Pure: bytes in, plain values out.

The files were written by the sandboxed child: explicit VR, little endian, every length given, pixels last.
They are read here with bounds all the same: nothing is inflated or decoded, all else is refused.
"""

import base64
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Element = dict[str, Any]
DataSet = dict[str, Element]
Locate = Callable[[str], str]

ITEM = 0xFFFE_E000
PIXELS = frozenset({0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010})
DEEPEST = 16
INLINE_BYTES = 1024
PREAMBLE = 132

LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
NUMBERS = {"FL": "<f", "FD": "<d", "SL": "<i", "SS": "<h", "UL": "<I", "US": "<H", "SV": "<q", "UV": "<Q"}
ONE_TEXT = frozenset({"LT", "ST", "UT", "UR"})


class UnreadableHeaderError(ValueError):
    """A stored header is not what the door writes."""


@dataclass(frozen=True)
class Read:
    """One element as it stands: its value is header[start:end]."""

    tag: int
    vr: str
    start: int
    end: int


def as_json(header: bytes, locate: Locate) -> DataSet:
    """Give a header in the JSON model, without group 0002.

    header: a stored file's bytes before its first frame.
    locate: address of a value too long to stand inline, by its path ("7FE00010", "00283010/0/00283006").
    raises: UnreadableHeaderError.
    """
    found: DataSet = {}
    for one in elements(header, PREAMBLE, len(header)):
        if one.tag >> 16 > 2:
            found[f"{one.tag:08X}"] = _element(header, one, f"{one.tag:08X}", locate, 0)
    return found


def value_at(header: bytes, path: str) -> bytes:
    """Read the value that a path names (see `as_json`).

    raises: KeyError where there is none, UnreadableHeaderError.
    """
    first, *rest = path.split("/")
    start, end = PREAMBLE, len(header)
    one = _named(header, start, end, first)
    while rest:
        number, name, *rest = rest
        if one.vr != "SQ" or not number.isdigit():
            raise KeyError(path)
        items = list(_items(header, one))
        if int(number) >= len(items):
            raise KeyError(path)
        one = _named(header, *items[int(number)], name)
    if one.vr not in BYTES or one.tag in PIXELS:
        raise KeyError(path)
    return header[one.start : one.end]


def _named(header: bytes, start: int, end: int, name: str) -> Read:
    found = next((one for one in elements(header, start, end) if f"{one.tag:08X}" == name), None)
    if found is None:
        raise KeyError(name)
    return found


def elements(header: bytes, start: int, end: int) -> Iterator[Read]:
    """Walk the elements of one level; pixels are named with an empty value.

    raises: UnreadableHeaderError.
    """
    place = start
    while place < end:
        one, place = _next(header, place, end)
        yield one


def _next(header: bytes, place: int, end: int) -> tuple[Read, int]:
    """Read one element's head and where the next one begins."""
    try:
        group, number = struct.unpack_from("<HH", header, place)
        tag = group << 16 | number
        vr = header[place + 4 : place + 6].decode("ascii")
        long = vr in LONG
        (length,) = struct.unpack_from("<I" if long else "<H", header, place + (8 if long else 6))
    except (struct.error, UnicodeDecodeError) as error:
        raise UnreadableHeaderError(f"the stored header breaks off at byte {place}") from error
    begin = place + (12 if long else 8)
    if tag in PIXELS:
        return Read(tag, vr, begin, begin), end
    if begin + length > end:
        raise UnreadableHeaderError(f"the stored header ends inside ({group:04X},{number:04X})")
    return Read(tag, vr, begin, begin + length), begin + length


def _items(header: bytes, sequence: Read) -> Iterator[tuple[int, int]]:
    """Give where the items of a sequence begin and end."""
    place = sequence.start
    while place < sequence.end:
        try:
            group, number, length = struct.unpack_from("<HHI", header, place)
        except struct.error as error:
            raise UnreadableHeaderError(f"the stored header breaks off at byte {place}") from error
        stop = place + 8 + length
        if group << 16 | number != ITEM or stop > sequence.end:
            raise UnreadableHeaderError("a sequence of the stored header is not made of whole items")
        yield place + 8, stop
        place = stop


def _element(header: bytes, one: Read, path: str, locate: Locate, depth: int) -> Element:
    if one.tag in PIXELS:
        return {"vr": one.vr, "BulkDataURI": locate(path)}
    if one.vr == "SQ":
        return _sequence(header, one, path, locate, depth)
    value = header[one.start : one.end]
    if not value:
        return {"vr": one.vr}
    if one.vr in BYTES:
        if len(value) > INLINE_BYTES:
            return {"vr": one.vr, "BulkDataURI": locate(path)}
        return {"vr": one.vr, "InlineBinary": base64.b64encode(value).decode()}
    values = _values(one.vr, value)
    return {"vr": one.vr, "Value": values} if values else {"vr": one.vr}


def _sequence(header: bytes, one: Read, path: str, locate: Locate, depth: int) -> Element:
    if depth > DEEPEST:
        raise UnreadableHeaderError("the stored header is nested too deep")
    items = []
    for number, (start, end) in enumerate(_items(header, one)):
        item = {}
        for inner in elements(header, start, end):
            name = f"{inner.tag:08X}"
            item[name] = _element(header, inner, f"{path}/{number}/{name}", locate, depth + 1)
        items.append(item)
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def _values(vr: str, value: bytes) -> list[Any]:
    """Values of one element; numbers are numbers, what is empty among several is null."""
    if vr in NUMBERS:
        return [_finite(number) for (number,) in struct.iter_unpack(NUMBERS[vr], _whole(vr, value))]
    if vr == "AT":
        pairs = struct.iter_unpack("<HH", value[: len(value) // 4 * 4])
        return [f"{group:04X}{number:04X}" for group, number in pairs]
    text = value.decode("utf-8", errors="replace")
    if vr in ONE_TEXT:
        return [text.rstrip(" \0")]
    words = [word.strip(" \0") for word in text.split("\\")]
    if not any(words):
        return []
    return [_word(vr, word) for word in words]


def _whole(vr: str, value: bytes) -> bytes:
    size = struct.calcsize(NUMBERS[vr])
    return value[: len(value) // size * size]


def _word(vr: str, word: str) -> object:
    if not word:
        return None
    if vr == "PN":
        return {"Alphabetic": word}
    if vr in {"DS", "IS"}:
        return _number(vr, word)
    return word


def _number(vr: str, word: str) -> object:
    """Read a number that was written as text; what is none stays text (PS3.18 F.2.3 allows both)."""
    try:
        return int(word) if vr == "IS" else _finite(float(word))
    except ValueError:
        return word


def _finite(number: float) -> float | None:
    """JSON has no infinity."""
    return number if math.isfinite(number) else None
