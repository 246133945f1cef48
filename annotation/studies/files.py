"""Names of stored files, made by the server from digests alone, and writing under them."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import BinaryIO, Protocol, cast

from django.conf import settings
from django.core.files.storage import default_storage

from annotation.studies.packing import Index, PackedFileBrokenError

BLOCK_BYTES = 1024 * 1024
ORIGINALS = "originals/"
PLAIN, PACKED = ".dcm", ".jph"
INDEXES_KEPT, FRAMES_KEPT = 4096, 3


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
    """Name the de-identified DICOM file of an instance's digest; packed, it has another form's name."""
    return f"instances/{digest[:2]}/{digest}{PLAIN}"


def other_form(name: str) -> str:
    """Name the packed form of an uncompressed file, or the other way round; "" for what has one form."""
    if not name.startswith("instances/"):
        return ""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}{PACKED if f'.{suffix}' == PLAIN else PLAIN}"


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
    """Delete a file where it is there, in whichever form."""
    for form in filter(None, (name, other_form(name))):
        default_storage.delete(form)


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
    """Read just these bytes of a stored file; of a packed one, those of the file that it stands for.

    raises: FileNotFoundError, PackedFileBrokenError.
    """
    usual_first = [read_packed, read_plain] if settings.PACKED_FRAMES else [read_plain, read_packed]
    for read in usual_first * 2:  # again, where the file is brought into its other form at this moment
        with suppress(FileNotFoundError):
            return read(name, offset, length)
    raise FileNotFoundError(f"there is no stored file {name}")


def read_plain(name: str, offset: int, length: int) -> bytes:
    """Read bytes of a file as it is stored.

    raises: FileNotFoundError.
    """
    return cast("Ranged", default_storage).read_range(name, offset, length)


def read_packed(name: str, offset: int, length: int) -> bytes:
    """Read bytes of an uncompressed file of this name that is stored packed.

    raises: FileNotFoundError.
    """
    packed = other_form(name)
    if not packed:
        raise FileNotFoundError(name)
    read, frame = partial(read_plain, packed), partial(frame_of, packed)
    try:
        return index_of(packed).bytes_of(read, frame, offset, length)
    except PackedFileBrokenError:  # or packed anew, by another version of the codec
        index_of.cache_clear()
        return index_of(packed).bytes_of(read, frame, offset, length)


@lru_cache(INDEXES_KEPT)
def index_of(packed: str) -> Index:
    """Read a packed file's index; its name stands for its content."""
    return Index.read(partial(read_plain, packed))


@lru_cache(FRAMES_KEPT)
def frame_of(packed: str, number: int) -> bytes:
    """Decode a frame of a packed file, from 0: a large one is sent in many parts."""
    return index_of(packed).frame(partial(read_plain, packed), number)


def read_whole(name: str) -> bytes:
    """Read a small stored file."""
    with default_storage.open(name) as stored:
        return bytes(stored.read())
