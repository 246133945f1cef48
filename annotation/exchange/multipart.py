"""multipart/related as it arrives (RFC 2387): part after part into temporary files, with bounds."""

import tempfile
from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO, Protocol, cast

from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.door.sandbox import in_memory

DICOM = "application/dicom"
BLOCK_BYTES = 256 * 1024
IN_MEMORY_BYTES = 8 * MEBIBYTE
PREFACE_BYTES, HEAD_BYTES = 64 * 1024, 8 * 1024
MOST_PARTS = 20_000
BOUNDARY_CHARACTERS = 200  # RFC 2046 allows 70; Orthanc sends 73
LINE, BLANK = b"\r\n", b"\r\n\r\n"


class MalformedError(ValueError):
    """A body is not what its header says; the message names the rule."""


class TooLargeError(ValueError):
    """A part, or their number, is more than is taken."""


class UnsupportedError(ValueError):
    """A body, or a part of it, is of a media type that is not stored."""


class Readable(Protocol):
    """Where a body comes from."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, none at the end."""


def boundary_in(content_type: str) -> bytes:
    """Read the boundary of a body of DICOM files.

    raises: UnsupportedError, MalformedError.
    """
    header = Message()
    header["Content-Type"] = content_type.replace("\r", "").replace("\n", "")
    inner = str(header.get_param("type") or DICOM)
    if header.get_content_type() != "multipart/related" or inner.lower() != DICOM:
        raise UnsupportedError(f'send multipart/related; type="{DICOM}"')
    boundary = str(header.get_param("boundary") or "")
    if not 0 < len(boundary) <= BOUNDARY_CHARACTERS or not boundary.isascii():
        raise MalformedError(f"the Content-Type names no boundary of 1 to {BOUNDARY_CHARACTERS} characters")
    return boundary.encode("ascii")


def parts_in(source: Readable, boundary: bytes, *, most: int) -> Iterator[tuple[int, BinaryIO]]:
    """Give size and content of each part, as a file that the caller closes; most: bytes of the whole body.

    raises: MalformedError, TooLargeError, UnsupportedError.
    """
    body = Body(source, LINE + b"--" + boundary, most)
    body.skip_preface()
    count = 0
    while body.has_part():
        count += 1
        if count > MOST_PARTS:
            raise TooLargeError(f"more than {MOST_PARTS} parts: send them in several requests")
        body.skip_head()
        yield body.content()


class Body:
    """A body with what was read of it and not yet given away."""

    def __init__(self, source: Readable, delimiter: bytes, most: int) -> None:
        self._source, self._delimiter, self._left = source, delimiter, most
        self._held = bytearray(LINE)  # the first delimiter need not follow a line

    def skip_preface(self) -> None:
        """Go behind the first delimiter."""
        self._take(self._until(self._delimiter, PREFACE_BYTES) + len(self._delimiter))

    def has_part(self) -> bool:
        """Whether a part follows the delimiter; two dashes end the body."""
        self._need(2)
        return bytes(self._held[:2]) != b"--"

    def skip_head(self) -> None:
        """Read a part's own header: only DICOM is taken."""
        end = self._until(BLANK, HEAD_BYTES)
        head = self._take(end + len(BLANK)).decode("latin-1")
        for line in head.splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() == "content-type" and value.split(";")[0].strip().lower() != DICOM:
                raise UnsupportedError(f"a part is not {DICOM}")

    def content(self) -> tuple[int, BinaryIO]:
        """Read a part up to the next delimiter, into memory while it is small."""
        target, size, keep = in_memory("part"), 0, len(self._delimiter) - 1
        try:
            while (end := self._held.find(self._delimiter)) < 0:
                block = self._take(max(0, len(self._held) - keep))
                size += len(block)
                target = written(target, block, size)
                self._read()
            block = self._take(end)
            target = written(target, block, size + len(block))
            self._take(len(self._delimiter))
        except BaseException:
            target.close()
            raise
        target.seek(0)
        return size + len(block), target

    def _until(self, mark: bytes, most: int) -> int:
        """Find a mark, reading on as far as allowed."""
        while (place := self._held.find(mark)) < 0:
            if len(self._held) > most:
                raise MalformedError("a part's header is too long, or its boundary is missing")
            self._read()
        return place

    def _need(self, count: int) -> None:
        while len(self._held) < count:
            self._read()

    def _read(self) -> None:
        block = self._source.read(BLOCK_BYTES)
        if not block:
            raise MalformedError("the body ends before its closing boundary")
        self._left -= len(block)
        if self._left < 0:
            raise TooLargeError("the body is larger than a request may be: send it in several")
        self._held += block

    def _take(self, count: int) -> bytes:
        taken = bytes(memoryview(self._held)[:count])
        del self._held[:count]
        return taken


def written(target: BinaryIO, block: bytes, size: int) -> BinaryIO:
    """Append to a part; one that grows large moves to the disk.

    raises: TooLargeError.
    """
    if size > FILE_BYTES:
        raise TooLargeError(f"an instance is larger than {FILE_BYTES // MEBIBYTE} MiB")
    if size > IN_MEMORY_BYTES >= size - len(block):
        target.seek(0)
        moved = cast("BinaryIO", tempfile.TemporaryFile("w+b", buffering=0))  # noqa: SIM115 - it is given away
        while old := target.read(BLOCK_BYTES):
            moved.write(old)
        target.close()
        target = moved
    target.write(block)
    return target
