"""The stored file: our own preamble and file meta, the de-identified header, then frame after frame."""

import struct
from collections.abc import Iterable
from typing import BinaryIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

from annotation.studies.door.image import PIXEL_KEYWORDS
from annotation.studies.door.pixels import Frame, Layout
from annotation.studies.door.verdict import RejectedFileError

IMPLEMENTATION = UID("2.25.302816021163954021406177523846113205431")
TAG_OF = {keyword: tag for tag, keyword in PIXEL_KEYWORDS.items()}


def describe_pixels(described: Dataset, layout: Layout, frames: int) -> None:
    """Write the image pixel module (PS3.3 C.7.6.3) for the normalised frames."""
    described.Rows, described.Columns = layout.rows, layout.columns
    described.SamplesPerPixel = layout.samples
    described.PhotometricInterpretation = layout.photometric
    described.BitsAllocated = layout.bits_allocated
    if layout.keyword == "PixelData":
        described.BitsStored, described.HighBit = layout.bits_stored, layout.bits_stored - 1
        described.PixelRepresentation = int(layout.signed)
    if layout.samples > 1:
        described.PlanarConfiguration = 0
    if frames > 1:
        described.NumberOfFrames = frames
    if described.get("SegmentationType") == "BINARY":
        # PS3.3 C.8.20.2: BINARY is one bit a pixel; a fractional one of maximum 1 says the same in bytes.
        described.SegmentationType, described.MaximumFractionalValue = "FRACTIONAL", 1
        described.SegmentationFractionalType = "OCCUPANCY"


def write_header(stream: BinaryIO, described: Dataset, layout: Layout, frames: int) -> int:
    """Write everything up to the first pixel.

    returns: the offset of the first frame in the file.
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    buffer.write(bytes(128) + b"DICM")
    write_file_meta_info(buffer, _file_meta(described))
    write_dataset(buffer, described)
    tag = TAG_OF[layout.keyword]
    representation = _representation(layout)
    length = frames * layout.frame_bytes
    buffer.write(struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, representation, 0, length + length % 2))
    return stream.write(buffer.getvalue())


def write_frames(stream: BinaryIO, decoded: Iterable[Frame], layout: Layout, frames: int) -> Frame:
    """Write all frames; each must look like the first.

    returns: the middle one, which shows the most.
    raises: RejectedFileError where a frame differs or some are missing.
    """
    written, middle = 0, None
    for frame in decoded:
        if frame.layout != layout:
            raise RejectedFileError("the frames differ in size or pixel type")
        stream.write(frame.pixels.tobytes())
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


def _file_meta(described: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = described.SOPClassUID
    meta.MediaStorageSOPInstanceUID = described.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "FOVEA_1"
    return meta
