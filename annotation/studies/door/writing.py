"""The stored file: our own preamble and file meta, the de-identified header, then frame after frame."""

import struct
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import BinaryIO, cast

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.uid import UID, ExplicitVRLittleEndian

from annotation.studies.door.image import PIXEL_KEYWORDS
from annotation.studies.door.pixels import Frame, Layout
from annotation.studies.door.shared import SharedElement, put, stands_alone, written
from annotation.studies.door.verdict import RejectedFileError

IMPLEMENTATION = UID("2.25.302816021163954021406177523846113205431")
TAG_OF = {keyword: tag for tag, keyword in PIXEL_KEYWORDS.items()}


def describe_pixels(described: Dataset, layout: Layout, frames: int) -> None:
    """Write the image pixel module (PS3.3 C.7.6.3) for the normalised frames."""
    for element in _pixel_module(layout, frames):
        described.add(element)
    if described.get("SegmentationType") == "BINARY":
        # PS3.3 C.8.20.2: BINARY is one bit a pixel; a fractional one of maximum 1 says the same in bytes.
        put(described, "SegmentationType", "FRACTIONAL")
        put(described, "MaximumFractionalValue", 1)
        put(described, "SegmentationFractionalType", "OCCUPANCY")


@lru_cache(maxsize=64)
def _pixel_module(layout: Layout, frames: int) -> tuple[SharedElement, ...]:
    told: dict[str, object] = {
        "Rows": layout.rows,
        "Columns": layout.columns,
        "SamplesPerPixel": layout.samples,
        "PhotometricInterpretation": layout.photometric,
        "BitsAllocated": layout.bits_allocated,
    }
    if layout.keyword == "PixelData":
        told |= {"BitsStored": layout.bits_stored, "HighBit": layout.bits_stored - 1}
        told["PixelRepresentation"] = int(layout.signed)
    if layout.samples > 1:
        told["PlanarConfiguration"] = 0
    if frames > 1:
        told["NumberOfFrames"] = frames
    return tuple(written(keyword, value) for keyword, value in told.items())


def write_header(stream: BinaryIO, described: Dataset, layout: Layout, frames: int) -> int:
    """Write everything up to the first pixel.

    returns: the offset of the first frame in the file.
    """
    held = cast("Collection[DataElement]", described.values())  # nothing of it is raw: it was made here
    if not all(map(stands_alone, held)):
        correct_ambiguous_vr(described, is_little_endian=True)
    elements = {int(element.tag): element for element in held}
    body = b"".join(_encoded(elements[tag]) for tag in sorted(elements))
    tag = TAG_OF[layout.keyword]
    length = frames * layout.frame_bytes
    pixels = struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, _representation(layout), 0, length + length % 2)
    return stream.write(b"".join((bytes(128), b"DICM", _file_meta(described), body, pixels)))


def _encoded(element: DataElement) -> bytes:
    if not isinstance(element, SharedElement):
        return _bytes_of(element)
    if element.encoded is None:
        element.encoded = _bytes_of(element)
    return element.encoded


def _bytes_of(element: DataElement) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_data_element(buffer, element)
    return buffer.getvalue()


def write_frames(stream: BinaryIO, decoded: Iterable[Frame], layout: Layout, frames: int) -> Frame:
    """Write all frames; each must look like the first.

    returns: the middle one, which shows the most.
    raises: RejectedFileError where a frame differs or some are missing.
    """
    written, middle = 0, None
    for frame in decoded:
        if frame.layout != layout:
            raise RejectedFileError("the frames differ in size or pixel type")
        stream.write(frame.pixels.data)
        middle = frame if written == frames // 2 else middle
        written += 1
    if written != frames or middle is None:
        raise RejectedFileError(
            "(0028,0008) Number of Frames is more than there are frames in (7FE0,0010) Pixel Data"
        )
    stream.write(b"\0" * (frames * layout.frame_bytes % 2))
    return middle


def _representation(layout: Layout) -> bytes:
    if layout.keyword != "PixelData":
        return b"OF" if layout.keyword == "FloatPixelData" else b"OD"
    return b"OW" if layout.bits_allocated > 8 else b"OB"


def _file_meta(described: Dataset) -> bytes:
    """Write the file's meta information (PS3.10 7.1)."""
    elements = (
        written("MediaStorageSOPClassUID", described.SOPClassUID),
        written("MediaStorageSOPInstanceUID", described.SOPInstanceUID),
        *_own_meta(),
    )
    body = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01" + b"".join(map(_encoded, elements))
    return struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(body)) + body


@cache
def _own_meta() -> tuple[SharedElement, ...]:
    return (
        written("TransferSyntaxUID", ExplicitVRLittleEndian),
        written("ImplementationClassUID", IMPLEMENTATION),
        written("ImplementationVersionName", "FOVEA_1"),
    )
