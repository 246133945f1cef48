"""The fork server that opens archives: lists zip and tar, unpacks, a throw-away child an order. No Django."""

import bz2
import codecs
import gzip  # noqa: F401 - tarfile imports it late: files of code are out of a child's reach
import json
import lzma
import os
import socket
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, Protocol, cast

from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.serving import Work, serve

BLOCK_BYTES: Final = MEBIBYTE
MOST_NAME: Final = 4096
WALL_SECONDS, CPU_SECONDS, OUTPUT_BYTES = 1800, 1800, 64 * 1024 * MEBIBYTE
LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
ENCRYPTED, LOCKED = 1, "encrypted: pack the zip without a password"
LINK, ODD = "a link: links are not followed", "not a plain file"
DAMAGED: Final = "the zip is damaged or encrypted here"
Listed = dict[str, Any]


class Unpacker(Protocol):
    """Takes what is packed, block after block, and gives what it was."""

    def decompress(self, data: bytes) -> bytes:
        """Unpack a block."""


class Inflate:
    """Deflated data without a head (zip's method 8), at most so much for a block."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def decompress(self, data: bytes) -> bytes:
        """Unpack a block."""
        return self._inflate.decompress(data)


METHODS: Final[Mapping[int, Callable[[], Unpacker]]] = {
    zipfile.ZIP_DEFLATED: Inflate,
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
}


def act(text: bytes, descriptors: list[int]) -> None:
    """Do what a message asks with an archive: list it, unpack a packed tar, or unpack one member."""
    asked = json.loads(text)
    source = cast("BinaryIO", os.fdopen(descriptors[0], "rb"))
    with source, os.fdopen(descriptors[1], "r+b") as answer:
        match asked["act"]:
            case "list zip":
                write_lines(listed_zip(source, asked["most"]), answer)
            case "list tar":
                write_lines(listed_tar(source, asked["most"]), answer)
            case "unpack":
                unpack(source, answer)
            case "member":
                unpack_member(source, answer, asked)


def write_lines(rows: Iterable[Listed], answer: BinaryIO) -> None:
    """Write a member a line."""
    for row in rows:
        answer.write(json.dumps(row).encode() + b"\n")


def listed_zip(source: BinaryIO, most: int) -> Iterator[Listed]:
    """List the files of a zip, with where their bytes begin; one more than is allowed is enough to say so."""
    with zipfile.ZipFile(source) as archive:
        files = (one for one in archive.infolist() if not one.is_dir())
        for _, one in zip(range(most + 1), files, strict=False):
            yield {
                "name": readable(one.filename)[:MOST_NAME],
                "size": one.file_size,
                "offset": data_offset(source, one.header_offset),
                "packed": one.compress_size,
                "method": one.compress_type,
                "crc": one.CRC,
                "problem": problem_of(one),
            }


def problem_of(member: zipfile.ZipInfo) -> str:
    """Say why a member of a zip cannot be read; "" where it can."""
    if stat.S_ISLNK(member.external_attr >> 16):
        return LINK
    return LOCKED if member.flag_bits & ENCRYPTED else ""


def data_offset(source: BinaryIO, header: int) -> int:
    """Say where a member's bytes begin, behind its own header; -1 where there is none."""
    source.seek(header)
    head = source.read(LOCAL_HEADER.size)
    if len(head) < LOCAL_HEADER.size:
        return -1
    mark, name, extra = LOCAL_HEADER.unpack(head)
    return header + LOCAL_HEADER.size + int(name) + int(extra) if mark == b"PK\x03\x04" else -1


def listed_tar(source: BinaryIO, most: int) -> Iterator[Listed]:
    """List what is in a tar that is not packed: its members lie there as they are."""
    with tarfile.open(fileobj=source, mode="r:") as archive:
        members = (one for one in archive if not one.isdir())
        for _, one in zip(range(most + 1), members, strict=False):
            yield {
                "name": readable(one.name.removeprefix("./"))[:MOST_NAME],
                "size": one.size,
                "offset": one.offset_data,
                "packed": one.size,
                "method": zipfile.ZIP_STORED,
                "crc": None,
                "problem": problem_in_tar(one),
            }


def readable(name: str) -> str:
    """Give a name as text; what is no UTF-8 in it is replaced."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def problem_in_tar(member: tarfile.TarInfo) -> str:
    """Say why a member of a tar cannot be read; "" where it can."""
    if member.issym() or member.islnk():
        return LINK
    return "" if member.isreg() and not member.issparse() else ODD


def unpack(source: BinaryIO, target: BinaryIO) -> None:
    """Write what gzip, bzip2 or xz packed, as it was."""
    with tarfile.open(fileobj=source, mode="r:*") as packed:
        stream = cast("BinaryIO", packed.fileobj)
        stream.seek(0)
        while block := stream.read(BLOCK_BYTES):
            target.write(block)


def unpack_member(source: BinaryIO, target: BinaryIO, member: Listed) -> None:
    """Write one member of a zip, no further than its announced size.

    raises: ValueError where it is not what the list says, or packed in a way that is not known.
    """
    method = METHODS.get(member["method"])
    unpacker = lzma_unpacker() if member["method"] == zipfile.ZIP_LZMA else method() if method else None
    if unpacker is None:
        raise ValueError(DAMAGED)
    source.seek(member["offset"])
    left, size, crc = member["packed"], 0, 0
    while left and (block := source.read(min(BLOCK_BYTES // 16, left))):
        left -= len(block)
        plain = unpacker.decompress(block)
        size, crc = size + len(plain), zlib.crc32(plain, crc)
        if size > member["size"]:
            raise ValueError(DAMAGED)
        target.write(plain)
    if (size, crc) != (member["size"], member["crc"]):
        raise ValueError(DAMAGED)


def lzma_unpacker() -> Unpacker:
    """Make what unpacks zip's method 14."""
    return cast("Unpacker", zipfile.LZMADecompressor())  # type: ignore[attr-defined]


def main() -> None:
    """Serve on the socket whose descriptor is the last argument."""
    lzma.LZMADecompressor()
    for name in ("cp437", "utf-8", "ascii", "iso8859-1"):
        codecs.lookup(name)
    serve(
        socket.socket(fileno=int(sys.argv[-1])),
        Work(act, WALL_SECONDS, cpu_seconds=CPU_SECONDS, output_bytes=OUTPUT_BYTES),
    )
