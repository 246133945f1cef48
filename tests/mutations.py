"""Damaged DICOM files, made by their structure: seeded, so that a number names a file for ever.

A file is cut into its elements (sequences and items are entered), and a few of these are damaged: lengths,
representations, tags, values, order, geometry, fragments, code streams, nesting. Every transfer syntax that
has a source is mutated in its own encoding; a deflated one is inflated, mutated and deflated again.
"""

import csv
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests import phantoms

SEED = 20261122
LARGEST_SOURCE = 400_000
DEFLATED, BIG_ENDIAN, IMPLICIT = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2"
LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
REPRESENTATIONS = (*sorted(LONG), b"CS", b"DS", b"IS", b"US", b"FD", b"AT", b"PN", b"??", b"\0\0")
UNDEFINED = 0xFFFFFFFF
ITEM_GROUP, PIXEL_DATA = 0xFFFE, 0x7FE00010
GEOMETRY = (0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101)
TAGS = (PIXEL_DATA, 0x00020010, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x00081140, 0x52009230, 0x00280010)
SYNTAXES = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", IMPLICIT, DEFLATED)
TEXTS = (b"1e999", b"nan", b"-", b"99999999999999999999", b"\\" * 40, b"\xff" * 8, b"\x1b$)C", b"0\\0\\0\\0")


@dataclass(frozen=True)
class Source:
    """A sound file, and how its data set is encoded."""

    name: str
    syntax: str
    content: bytes


@dataclass(frozen=True)
class Element:
    """Where an element lies: its head, where its length is written (of `wide` bytes), its value."""

    tag: int
    start: int
    length_at: int
    wide: int
    value_at: int
    end: int


@dataclass
class File:
    """A file being damaged: bytes, and the byte order of its data set."""

    content: bytearray
    big: bool
    implicit: bool

    def elements(self) -> list[Element]:
        """Cut it as far as its structure can be followed."""
        return list(_elements(bytes(self.content), big=self.big, implicit=self.implicit))


Mutation = Callable[[File, Element, np.random.Generator], None]


@cache
def sources(real: Path) -> tuple[Source, ...]:
    """The smallest conformant real file of each transfer syntax, and phantoms with sequences."""
    with (real / "dicom_valid/labels.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if int(row["size"]) <= LARGEST_SOURCE]
    smallest: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: int(row["size"]), reverse=True):
        if row["rows"] and row["transfer_syntax"].startswith(IMPLICIT):
            smallest[row["transfer_syntax"]] = row
    found = [
        Source(row["path"], syntax, (real / "dicom_valid" / row["path"]).read_bytes())
        for syntax, row in sorted(smallest.items())
    ]
    made = [phantoms.a_slice(number, modality=name) for number, name in enumerate(("CT", "MR", "US"), 1)]
    explicit = "1.2.840.10008.1.2.1"
    return (*found, *(Source(f"phantom {one.Modality}", explicit, phantoms.dicom(one)) for one in made))


def mutated(real: Path, number: int, seed: int = SEED) -> tuple[Source, bytes]:
    """Make the damaged file of a number; its source goes round with the number."""
    every = sources(real)
    source = every[number % len(every)]
    generator = np.random.default_rng([seed, number])
    return source, damaged(source, generator)


def damaged(source: Source, generator: np.random.Generator) -> bytes:
    """Damage a file in one to four places."""
    head, body = _parts(source)
    file = File(bytearray(head + body), source.syntax == BIG_ENDIAN, source.syntax == IMPLICIT)
    for _ in range(int(generator.integers(1, 5))):
        elements = file.elements()
        if not elements:
            break
        mutate = MUTATIONS[int(generator.integers(len(MUTATIONS)))]
        mutate(file, _chosen(elements, mutate, generator), generator)
    if source.syntax != DEFLATED:
        return bytes(file.content)
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    changed = bytes(file.content)
    return changed[: len(head)] + deflater.compress(changed[len(head) :]) + deflater.flush()


def _parts(source: Source) -> tuple[bytes, bytes]:
    """Head with the file meta, and the data set, inflated where it is deflated."""
    meta = [one for one in _elements(source.content, big=False, implicit=False) if one.tag >> 16 == 2]
    start = meta[-1].end if meta else 0
    head, body = source.content[:start], source.content[start:]
    return head, zlib.decompress(body, -zlib.MAX_WBITS) if source.syntax == DEFLATED else body


def _elements(content: bytes, *, big: bool, implicit: bool) -> Iterator[Element]:
    place = 132 if content[128:132] == b"DICM" else 0
    while place + 8 <= len(content):
        in_meta = content[place : place + 2] == b"\x02\x00"
        element = _element(content, place, big=big and not in_meta, implicit=implicit and not in_meta)
        if element is None:
            return
        yield element
        place = element.end


def _element(content: bytes, place: int, *, big: bool, implicit: bool) -> Element | None:
    """Read one head; a sequence's or an item's value is entered, so its end is where its value begins."""
    order = ">" if big else "<"
    group, number = struct.unpack_from(f"{order}HH", content, place)
    representation = content[place + 4 : place + 6]
    if implicit or group == ITEM_GROUP:
        length_at, wide = place + 4, 4
    elif representation in LONG:
        length_at, wide = place + 8, 4
    else:
        length_at, wide = place + 6, 2
    value_at = length_at + wide
    if value_at > len(content):
        return None
    length = struct.unpack_from(f"{order}{'L' if wide == 4 else 'H'}", content, length_at)[0]
    entered = group == ITEM_GROUP or representation == b"SQ" or length == UNDEFINED
    end = value_at if entered else min(value_at + length, len(content))
    return Element(group << 16 | number, place, length_at, wide, value_at, end)


def _chosen(elements: Sequence[Element], mutate: Mutation, generator: np.random.Generator) -> Element:
    """Take any element; for what is about pixels or geometry, one of these where there is one."""
    wanted = WANTED.get(mutate)
    fitting = [one for one in elements if wanted is not None and wanted(one)] or list(elements)
    return fitting[int(generator.integers(len(fitting)))]


def _pick(generator: np.random.Generator, choices: Sequence[bytes]) -> bytes:
    return choices[int(generator.integers(len(choices)))]


def _length(file: File, element: Element, generator: np.random.Generator) -> None:
    order, most = (">" if file.big else "<"), 2 ** (8 * element.wide) - 1
    lengths = (0, 1, 7, 65534, most, most // 2, len(file.content), int(generator.integers(0, 4096)))
    packed = struct.pack(
        f"{order}{'L' if element.wide == 4 else 'H'}", min(most, lengths[int(generator.integers(8))])
    )
    file.content[element.length_at : element.length_at + element.wide] = packed


def _representation(file: File, element: Element, generator: np.random.Generator) -> None:
    file.content[element.start + 4 : element.start + 6] = _pick(generator, REPRESENTATIONS)


def _tag(file: File, element: Element, generator: np.random.Generator) -> None:
    tag = TAGS[int(generator.integers(len(TAGS)))]
    file.content[element.start : element.start + 4] = struct.pack(
        ">HH" if file.big else "<HH", tag >> 16, tag & 0xFFFF
    )


def _value(file: File, element: Element, generator: np.random.Generator) -> None:
    room = element.end - element.value_at
    text = _pick(generator, (*TEXTS, generator.bytes(16), bytes(16)))
    file.content[element.value_at : element.value_at + min(room, len(text))] = text[:room]


def _without(file: File, element: Element, _: np.random.Generator) -> None:
    del file.content[element.start : element.end]


def _twice(file: File, element: Element, _: np.random.Generator) -> None:
    file.content[element.start : element.start] = file.content[element.start : element.end]


def _moved(file: File, element: Element, generator: np.random.Generator) -> None:
    taken = bytes(file.content[element.start : element.end])
    del file.content[element.start : element.end]
    place = int(generator.integers(len(file.content) + 1))
    file.content[place:place] = taken


def _cut(file: File, element: Element, generator: np.random.Generator) -> None:
    del file.content[element.value_at + int(generator.integers(0, 9)) :]


def _geometry(file: File, element: Element, generator: np.random.Generator) -> None:
    numbers = (0, 1, 2, 3, 7, 8, 12, 16, 255, 4096, 32767, 65535)
    packed = struct.pack(">H" if file.big else "<H", numbers[int(generator.integers(len(numbers)))])
    file.content[element.value_at : element.value_at + 2] = packed


def _syntax(file: File, element: Element, generator: np.random.Generator) -> None:
    text = SYNTAXES[int(generator.integers(len(SYNTAXES)))].encode()
    room = element.end - element.value_at
    file.content[element.value_at : element.end] = text[:room].ljust(room, b"\0")


def _stream(file: File, element: Element, generator: np.random.Generator) -> None:
    """Damage what decoders read first: the markers at the beginning of pixels and fragments."""
    for _ in range(int(generator.integers(1, 9))):
        reach = max(1, min(400, len(file.content) - element.value_at))
        place = element.value_at + int(reach * generator.random() ** 2)
        if place < len(file.content):
            file.content[place] = int(generator.integers(256))


def _nested(file: File, element: Element, generator: np.random.Generator) -> None:
    depth = int(_pick(generator, (b"2", b"13", b"60", b"700")))
    head = struct.pack(">HH" if file.big else "<HH", 0x0008, 0x1140)
    opening = head + (b"" if file.implicit else b"SQ\0\0") + b"\xff\xff\xff\xff"
    item = (b"\xff\xfe\xe0\x00" if file.big else b"\xfe\xff\x00\xe0") + b"\xff\xff\xff\xff"
    file.content[element.start : element.start] = (opening + item) * depth


def _noise(file: File, element: Element, generator: np.random.Generator) -> None:
    length = int(generator.integers(1, 9))
    file.content[element.start : element.start + length] = generator.bytes(length)


MUTATIONS: tuple[Mutation, ...] = (
    *(_length, _length, _representation, _tag, _value, _value, _without, _twice, _moved, _cut),
    *(_geometry, _geometry, _syntax, _stream, _stream, _stream, _nested, _noise),
)
WANTED: dict[Mutation, Callable[[Element], bool]] = {
    _geometry: lambda one: one.tag in GEOMETRY,
    _syntax: lambda one: one.tag == 0x00020010,
    _stream: lambda one: one.tag in {PIXEL_DATA, 0xFFFEE000},
}
