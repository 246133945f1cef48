"""Archives of a delivery: zip and tar, listed and unpacked by throw-away children, with bounds.

The trusted side: it parses nothing, holds the list that a child wrote against bounds, and copies ranges.
"""

import json
import os
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final, cast

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from annotation.exchange.archive_child import DAMAGED, WALL_SECONDS
from annotation.exchange.uploads import ARCHIVES, UploadError, check_path
from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.door.sandbox import LoneServer, in_memory
from annotation.studies.intake import UnreadableFileError

CHILD: Final = "annotation.exchange.archive_child"
MAX_MEMBERS = 200_000
MAX_UNPACKED_BYTES = 64 * 1024 * MEBIBYTE
IN_MEMORY_BYTES = 8 * MEBIBYTE
COPY_BYTES = 1024 * 1024
LINE_BYTES = 64 * 1024
MARGIN_SECONDS = 60
PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
ZIPPED: Final = (b"PK\x03\x04", b"PK\x05\x06")
TAR_MARK, TAR_MARK_PLACE = b"ustar", 257


class DeliveryError(Exception):
    """A delivery cannot be read at all; the message says what to do."""


class Entry(BaseModel, extra="forbid", frozen=True):
    """A member as a child lists it; offset, packed: where its bytes lie in the archive, -1: nowhere."""

    name: Annotated[str, Field(max_length=4096)]
    size: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=-1)]
    packed: Annotated[int, Field(ge=0)]
    method: int
    crc: int | None
    problem: Annotated[str, Field(max_length=200)]


ENTRY: Final[TypeAdapter[Entry]] = TypeAdapter(Entry)


class Opened:
    """An archive, and the fork server that opens it: there for as long as any of its members is known."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.server = LoneServer(CHILD, answers_within=WALL_SECONDS + MARGIN_SECONDS)
        weakref.finalize(self, close_all, stream, self.server)

    def asked(self, target: BinaryIO, act: str, **details: object) -> str:
        """Have a child do something with the archive and write into a file.

        returns: "" where it ended well, else how it ended.
        raises:  DoorBrokenError.
        """
        message = json.dumps({"act": act, **details}).encode()

        def afresh() -> None:
            target.seek(0)
            target.truncate()

        # a descriptor of the child's own: the place in the file is nobody else's
        with Path(f"/proc/self/fd/{self.stream.fileno()}").open("rb") as own:
            return self.server.send(message, [own.fileno(), target.fileno()], afresh)

    def entries(self, kind: str) -> list[Entry]:
        """List its files; at most one more than is allowed.

        raises: DeliveryError where it is damaged.
        """
        with in_memory("members") as answer:
            if self.asked(answer, f"list {kind}", most=MAX_MEMBERS):
                raise DeliveryError(f"the {kind} is damaged: pack it again")
            answer.seek(0)
            with open(answer.fileno(), "rb", closefd=False) as lines:
                try:
                    return [
                        ENTRY.validate_json(line) for line in iter(lambda: lines.readline(LINE_BYTES), b"")
                    ]
                except ValidationError as error:
                    raise DeliveryError(f"the {kind} is damaged: pack it again") from error


def close_all(stream: BinaryIO, server: LoneServer) -> None:
    """Close what nobody knows any more."""
    stream.close()
    server.close()


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    path: str
    size: int
    archive: Opened
    entry: Entry
    problem: str = ""

    def open(self) -> BinaryIO:
        """Unpack it into a temporary file, no further than its announced size."""
        if self.problem:
            raise UnreadableFileError(self.problem)
        copy = in_memory("member") if self.size <= IN_MEMORY_BYTES else temporary()
        try:
            if self.entry.method == zipfile.ZIP_STORED:
                self._copy(copy)
            elif self.archive.asked(copy, "member", **self.entry.model_dump()):
                raise UnreadableFileError(DAMAGED)
            if copy.seek(0, os.SEEK_END) != self.size:
                raise UnreadableFileError(DAMAGED)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def _copy(self, copy: BinaryIO) -> None:
        """Copy what lies in the archive as it is."""
        if self.entry.packed != self.size:
            raise UnreadableFileError(DAMAGED)
        place, end, crc = self.entry.offset, self.entry.offset + self.size, 0
        while place < end:
            block = os.pread(self.archive.stream.fileno(), min(COPY_BYTES, end - place), place)
            if not block:
                raise UnreadableFileError("the archive breaks off here")
            copy.write(block)
            place, crc = place + len(block), zlib.crc32(block, crc)
        if self.entry.crc not in (None, crc):
            raise UnreadableFileError(DAMAGED)


def temporary() -> BinaryIO:
    """Open a file on disk without a name."""
    return cast("BinaryIO", tempfile.TemporaryFile(buffering=0))


def kind_of(source: Path) -> str:
    """Tell zip, tar and packed by their first bytes, or by their name; "" where it is none of them."""
    with source.open("rb") as stream:
        head = stream.read(TAR_MARK_PLACE + len(TAR_MARK))
    if head.startswith(ZIPPED) or source.name.lower().endswith(".zip"):
        return "zip"
    if head.startswith(PACKED):
        return "packed"
    return "tar" if head[TAR_MARK_PLACE:] == TAR_MARK or source.name.lower().endswith(".tar") else ""


def members_of(source: Path) -> list[Member] | None:
    """List an archive; None where a file is none: what gzip packed may be a tar, or a volume.

    raises: DeliveryError where it is damaged or holds too much.
    """
    kind = kind_of(source)
    if not kind:
        return None
    archive = Opened(source.open("rb"))
    if kind == "packed":
        plain = unpacked(archive)
        if plain is None and source.name.lower().endswith(ARCHIVES):
            raise DeliveryError("the tar is damaged: pack it again")
        if plain is None:
            return None
        archive, kind = plain, "tar"
    entries = archive.entries(kind)
    if len(entries) > MAX_MEMBERS or sum(one.size for one in entries) > MAX_UNPACKED_BYTES:
        raise DeliveryError(f"the {kind} has over {MAX_MEMBERS} files or 64 GiB: import it in parts")
    return list(named(entries, archive))


def unpacked(archive: Opened) -> Opened | None:
    """Unpack a packed tar as a whole; None where it is damaged, or no tar."""
    plain = temporary()
    if archive.asked(plain, "unpack"):
        plain.close()
        return None
    return Opened(plain)


def named(entries: list[Entry], archive: Opened) -> Iterator[Member]:
    """Give members a path each; an unusable path is replaced by a number: it still is counted."""
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        path, problem = usable(entry.name, number, entry.problem or problem_of(entry), seen)
        yield Member(path, entry.size, archive, entry, problem)


def usable(path: str, number: int, problem: str, seen: set[str]) -> tuple[str, str]:
    """Give a member's path and problem."""
    try:
        check_path(path)
    except UploadError:
        path, problem = f"member {number}", "its path leaves the delivery or is no path"
    if path in seen:
        path, problem = f"member {number}", "a second member of the same path"
    seen.add(path)
    return path, problem


def problem_of(entry: Entry) -> str:
    """Say why a member cannot be read; "" where it can."""
    if entry.offset < 0:
        return DAMAGED
    if entry.size > FILE_BYTES:
        return f"the file is larger than {FILE_BYTES // MEBIBYTE} MiB"
    if entry.name.lower().endswith(".zip"):
        return "a zip inside a zip is not opened: import it by itself"
    if entry.name.lower().endswith(ARCHIVES):
        return "an archive inside an archive is not opened: import it by itself"
    return ""
