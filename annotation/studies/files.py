"""Names of stored files, made by the server from digests alone, and writing under them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, cast

from django.core.files.storage import default_storage

BLOCK_BYTES = 1024 * 1024
ORIGINALS = "originals/"


@dataclass(frozen=True)
class Span:
    """Bytes of a stored file: [offset, offset + length)."""

    name: str
    offset: int
    length: int

    def read(self) -> bytes:
        """Read them at once."""
        return read_span(self.name, self.offset, self.length)

    def fill(self, target: memoryview) -> bool:
        """Write them into a buffer of their length where that needs no waiting; false where it does."""
        return cast("Ranged", default_storage).fill_at_once(self.name, self.offset, target)

    def blocks(self) -> Iterator[bytes]:
        """Read them a block at a time.

        raises: EOFError where the file is shorter than its row says.
        """
        for start in range(0, self.length, BLOCK_BYTES):
            wanted = min(BLOCK_BYTES, self.length - start)
            block = read_span(self.name, self.offset + start, wanted)
            if len(block) < wanted:
                raise EOFError("a stored file is shorter than its row says")
            yield block


def instance_name(digest: str) -> str:
    """Name the de-identified DICOM file of an instance's digest."""
    return f"instances/{digest[:2]}/{digest}.dcm"


def thumbnail_name(digest: str) -> str:
    """Name the small picture of an instance's digest."""
    return f"thumbnails/{digest[:2]}/{digest}.png"


def quarantine_name(source_digest: str) -> str:
    """Name a file as it came: inside, it may name the patient."""
    return f"quarantine/{source_digest[:2]}/{source_digest}"


def preview_name(source_digest: str) -> str:
    """Name the picture in which an admin looks for burned-in text."""
    return f"{quarantine_name(source_digest)}.png"


def original_name(source_digest: str) -> str:
    """Name a file as it came, sealed: kept where the data set says so."""
    return f"{ORIGINALS}{source_digest[:2]}/{source_digest}.sealed"


def frame_span(digest: str, pixel_offset: int, frame_bytes: int, number: int) -> Span:
    """Say where a stored instance's frame lies, from 1: uncompressed, little endian, colour by pixel."""
    return Span(instance_name(digest), pixel_offset + (number - 1) * frame_bytes, frame_bytes)


def digest_of(stream: BinaryIO) -> str:
    """SHA-256 of a stream from where it stands."""
    digest = hashlib.sha256()
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def put(name: str, stream: BinaryIO) -> None:
    """Store a file under the name of its content; what is there already is the same and stays."""
    put_all({name: stream})


def put_all(contents: Mapping[str, BinaryIO]) -> None:
    """Store several files likewise: the disk is waited for once, not file after file."""
    cast("Ranged", default_storage).save_new(contents)


def remove_unfinished(before: datetime) -> int:
    """Remove what writers that died left of files, last written to before a time; gives how many files."""
    return cast("Ranged", default_storage).remove_unfinished(before)


def remove(name: str) -> None:
    """Delete a file where it is there."""
    default_storage.delete(name)


class Ranged(Protocol):
    """A storage of which parts of files are read, and to which several are written at once."""

    def save_new(self, contents: Mapping[str, BinaryIO]) -> None:
        """Store files under names of their content: what is there already is the same and stays."""

    def remove_unfinished(self, before: datetime, /) -> int:
        """Remove what was last written to before a time and has no name yet; gives how many files."""

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Read these bytes; fewer where the file ends before."""

    def fill_at_once(self, name: str, offset: int, target: memoryview) -> bool:
        """Fill a buffer from an offset on; false where a disk or a peer would have to be waited for."""


def read_span(name: str, offset: int, length: int) -> bytes:
    """Read just these bytes of a stored file."""
    return cast("Ranged", default_storage).read_range(name, offset, length)


def read_whole(name: str) -> bytes:
    """Read a small stored file."""
    with default_storage.open(name) as stored:
        return bytes(stored.read())
