"""Stored images as HTJ2K without loss: a codestream a frame, behind an index. Read, they are as they were.

A packed file stands for an uncompressed one: the same bytes come out of it, at the same offsets. It holds,
little endian: its head (see Index), where each codestream begins and the last ends, what stands before the
first frame, the codestreams, and what stands after the last frame.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = b"FOVEAJPH"
HEAD: Final = struct.Struct("<8sQQIHHBBBB")
FIRST_READ: Final = 64 * 1024
BITS: Final = (8, 16)
Read = Callable[[int, int], bytes]


class PackedFileBrokenError(ValueError):
    """A packed file is not what its head says."""


@dataclass(frozen=True)
class Raster:
    """What a frame holds, as integers. bits: 8 or 16. samples: of a pixel, one after the other."""

    rows: int
    columns: int
    samples: int
    bits: int
    is_signed: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one value."""
        return np.dtype(f"<{'i' if self.is_signed else 'u'}{self.bits // 8}")

    @property
    def frame_bytes(self) -> int:
        """Of a frame, uncompressed."""
        return self.rows * self.columns * self.samples * self.bits // 8

    def plane(self, content: bytes) -> NDArray[Any]:
        """Give a frame's values: (y, x), or (y, x, sample)."""
        shape = (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)
        return np.frombuffer(content, self.dtype).reshape(shape)


@dataclass(frozen=True)
class Index:
    """Where what lies in a packed file. head: bytes before the first frame. tail: after the last.

    starts: of each codestream, and where the last one ends. begins: where what stands before the frames lies.
    """

    raster: Raster
    head: int
    tail: int
    starts: tuple[int, ...]
    begins: int

    @classmethod
    def read(cls, read: Read) -> Self:
        """Read a packed file's index. read: gives bytes of the packed file, from an offset, so many.

        raises: PackedFileBrokenError.
        """
        first = read(0, FIRST_READ)
        if len(first) < HEAD.size or not first.startswith(MAGIC):
            raise PackedFileBrokenError("a packed file does not begin as one")
        _, head, frames, tail, rows, columns, samples, bits, is_signed, _ = HEAD.unpack_from(first)
        length = 8 * (frames + 1)
        missing = HEAD.size + length - len(first)
        table = (first + read(len(first), missing) if missing > 0 else first)[HEAD.size : HEAD.size + length]
        if len(table) < length or bits not in BITS:
            raise PackedFileBrokenError("a packed file is shorter than its index")
        starts = struct.unpack(f"<{frames + 1}Q", table)
        return cls(
            Raster(rows, columns, samples, bits, bool(is_signed)), head, tail, starts, HEAD.size + length
        )

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    @property
    def pixels(self) -> int:
        """Bytes of all frames, uncompressed."""
        return self.frames * self.raster.frame_bytes

    @property
    def length(self) -> int:
        """Of the file that it stands for."""
        return self.head + self.pixels + self.tail

    def bytes_of(self, read: Read, frame: Callable[[int], bytes], offset: int, length: int) -> bytes:
        """Give bytes of the file that it stands for; fewer where that ends before.

        frame: gives one of the frames, from 0, as `frame` does; whoever asks often keeps some.
        raises: PackedFileBrokenError.
        """
        end = min(offset + max(length, 0), self.length)
        after = self.head + self.pixels
        parts = []
        if offset < min(end, self.head):
            parts.append(read(self.begins + offset, min(end, self.head) - offset))
        begin, last = max(offset, self.head) - self.head, min(end, after) - self.head
        if begin < last:
            size = self.raster.frame_bytes
            first = begin // size
            planes = b"".join(frame(number) for number in range(first, (last - 1) // size + 1))
            parts.append(planes[begin - first * size : last - first * size])
        if end > max(offset, after):
            begin = max(offset, after) - after
            parts.append(read(self.starts[-1] + begin, end - after - begin))
        return b"".join(parts)

    def frame(self, read: Read, number: int) -> bytes:
        """Give one frame, from 0.

        raises: PackedFileBrokenError.
        """
        start, end = self.starts[number], self.starts[number + 1]
        return unpacked(read(start, end - start), self.raster)


def unpacked(code: bytes, raster: Raster) -> bytes:
    """Decode one frame that was packed here.

    raises: PackedFileBrokenError.
    """
    from imagecodecs import htj2k_decode

    try:
        plane = np.ascontiguousarray(htj2k_decode(code))
    except Exception as error:
        raise PackedFileBrokenError("a packed frame cannot be decoded") from error
    if plane.dtype != raster.dtype or plane.nbytes != raster.frame_bytes:
        raise PackedFileBrokenError("a packed frame is not of the size that its file says")
    return plane.tobytes()


def pack(stream: BinaryIO, raster: Raster, *, head: int, frames: int, target: BinaryIO) -> bool:
    """Write an uncompressed file anew, packed; each frame is decoded again and compared.

    head: bytes before the first frame.
    gives: false where nothing would be saved, or a frame does not come back as it was; the target is of no
        use then.
    raises: PackedFileBrokenError where the file is shorter than it should be.
    """
    begins = HEAD.size + 8 * (frames + 1)
    stream.seek(0)
    target.seek(begins)
    target.write(exactly(stream, head))
    starts = [begins + head]
    for _ in range(frames):
        content = exactly(stream, raster.frame_bytes)
        code = packed(content, raster)
        if code is None:
            return False
        target.write(code)
        starts.append(starts[-1] + len(code))
    tail = stream.read()
    target.write(tail)
    target.seek(0)
    shape = (raster.rows, raster.columns, raster.samples, raster.bits, raster.is_signed, 0)
    target.write(HEAD.pack(MAGIC, head, frames, len(tail), *shape))
    target.write(struct.pack(f"<{frames + 1}Q", *starts))
    return starts[-1] + len(tail) < head + frames * raster.frame_bytes + len(tail)


def packed(content: bytes, raster: Raster) -> bytes | None:
    """Encode one frame; None where it cannot be, or does not come back as it was."""
    from imagecodecs import htj2k_encode

    try:
        code = bytes(htj2k_encode(raster.plane(content), reversible=True))
        return code if unpacked(code, raster) == content else None
    except Exception:  # noqa: BLE001 - the codec's own errors have no common kind; the frame stays as it is
        return None


def exactly(stream: BinaryIO, length: int) -> bytes:
    """Read so many bytes.

    raises: PackedFileBrokenError where there are fewer.
    """
    content = stream.read(length)
    if len(content) < length:
        raise PackedFileBrokenError("a file is shorter than what is known of it")
    return content


def raster_of(attributes: Any, frame_bytes: int) -> Raster | None:  # noqa: ANN401 - attributes as stored
    """Tell how an image's frames are packed; None for what is kept as it is: floats, 32 bits, one bit.

    attributes: of the image, by keyword (see annotation.studies.door.verdict.Facts).
    """
    if "BitsStored" not in attributes or int(attributes.get("BitsAllocated", 0)) not in BITS:
        return None
    rows, columns = int(attributes["Rows"]), int(attributes["Columns"])
    samples = int(attributes.get("SamplesPerPixel", 1))
    signed = int(attributes.get("PixelRepresentation", 0)) == 1
    raster = Raster(rows, columns, samples, int(attributes["BitsAllocated"]), signed)
    return raster if raster.frame_bytes == frame_bytes else None
