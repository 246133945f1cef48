"""The voxels of a volume's file as one block, read with bounds: never more than its header claims."""

import gzip
import zlib
from typing import BinaryIO, Protocol, cast

import numpy as np

from annotation.studies.door import limits
from annotation.studies.door.pixels import Pixels
from annotation.studies.door.verdict import RejectedFileError

GZIP = b"\x1f\x8b"
AXES = 3
PIECE_BYTES = 64 * 1024


class Readable(Protocol):
    """Where bytes come from, unpacked."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill a buffer as far as there are bytes."""


def unpacked(stream: BinaryIO) -> BinaryIO:
    """Give a file's bytes from the start, inflated where it is packed by gzip."""
    stream.seek(0)
    is_packed = stream.read(2) == GZIP
    stream.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb")) if is_packed else stream


def three(sizes: list[int]) -> tuple[int, int, int]:
    """Take a size of two or three axes (further ones of length 1 go) as (columns, rows, slices).

    raises: RejectedFileError where it has more axes, or is beyond the limits.
    """
    while len(sizes) > AXES and sizes[-1] == 1:
        sizes = sizes[:-1]
    if len(sizes) > AXES:
        raise RejectedFileError(
            f"the volume has {len(sizes)} axes ({' × '.join(map(str, sizes))}): send each of its volumes as a"
            " file of its own"
        )
    if len(sizes) < AXES - 1 or min(sizes) < 1:
        raise RejectedFileError("the volume has fewer than two axes, or an empty one")
    columns, rows, slices = (*sizes, 1)[:AXES]
    if columns * rows > limits.FRAME_PIXELS or slices > limits.FRAMES or max(columns, rows) > 65535:
        raise RejectedFileError("Rows × Columns or Number of Frames is beyond what Fovea reads")
    return columns, rows, slices


def block_of(stream: Readable, kind: np.dtype[np.generic], size: tuple[int, int, int]) -> Pixels:
    """Read voxels in the order column, row, slice; gives (slice, row, column).

    raises: RejectedFileError where they are too many or some are missing.
    """
    columns, rows, slices = size
    length = columns * rows * slices * kind.itemsize
    if length > limits.DECODED_BYTES:
        raise RejectedFileError(f"the voxels are more than {limits.DECODED_BYTES // limits.MEBIBYTE} MiB")
    block = np.empty((slices, rows, columns), kind)
    view, place = block.data.cast("B"), 0
    while place < length:
        count = stream.readinto(view[place:])
        if not count:
            raise RejectedFileError("the file holds fewer voxels than its header says")
        place += count
    return block


def check_kind(kind: "np.dtype[np.generic]") -> None:
    """Take real numbers alone.

    raises: RejectedFileError.
    """
    if kind.kind not in "iuf" or kind.itemsize > 8:
        raise RejectedFileError("the voxels are colours, complex or of a kind that DICOM does not hold")


class Inflated:
    """What gzip or zlib packed, from a place in a file on, inflated as far as it is asked for."""

    def __init__(self, stream: BinaryIO, place: int) -> None:
        stream.seek(place)
        self._stream, self._packed = stream, zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer as far as there are bytes."""
        while True:
            packed = self._packed.unconsumed_tail or self._stream.read(PIECE_BYTES)
            if not packed:
                return 0
            block = self._packed.decompress(packed, min(len(buffer), limits.MEBIBYTE))
            if block:
                buffer[: len(block)] = block
                return len(block)
