"""PNG, JPEG and TIFF become DICOM: pixels decoded and described anew; nothing else is looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile
from pydicom.dataset import Dataset

from annotation.studies.door import limits
from annotation.studies.door.pixels import Frame, Layout, Pixels
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.shared import SharedElement, put, written
from annotation.studies.door.verdict import RejectedFileError

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PAGE_NUMBERS, BITS_PER_SAMPLE = 0x00182001, 258
# Classes for several pages: grey of 8 bits, grey of 16, colour.
GREY_BYTE, GREY_WORD, COLOUR = (f"{SECONDARY_CAPTURE}.{kind}" for kind in (2, 3, 4))
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Pages:
    """A picture's pages, decoded when they are asked for: all of a TIFF, the first of any other."""

    frames: Iterator[Frame]
    count: int


def open_pages(stream: BinaryIO) -> Pages:
    """Open a PNG, JPEG or TIFF.

    raises: RejectedFileError where it is too large or its pixel type has no DICOM counterpart.
    """
    Image.MAX_IMAGE_PIXELS = limits.FRAME_PIXELS
    picture = Image.open(stream, formats=("PNG", "JPEG", "TIFF"))
    count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    if picture.width * picture.height > limits.FRAME_PIXELS or count > limits.FRAMES:
        raise RejectedFileError("the picture has more pixels than Fovea reads")
    if picture.width * picture.height * count > limits.DECODED_BYTES:
        raise RejectedFileError(
            f"the pages are more than {limits.DECODED_BYTES // limits.MEBIBYTE} MiB once decoded"
        )
    return Pages(_decoded(picture, count), count)


def _decoded(picture: Image.Image, count: int) -> Iterator[Frame]:
    for number in range(count):
        if count > 1:
            picture.seek(number)
        if picture.width * picture.height > limits.FRAME_PIXELS:
            raise RejectedFileError("the picture has more pixels than Fovea reads")
        _check_depth(picture)
        yield _frame(ImageOps.exif_transpose(picture))


def _check_depth(picture: Image.Image) -> None:
    """Refuse what Pillow would shorten to 8 bits in silence."""
    depths = picture.tag_v2.get(BITS_PER_SAMPLE, ()) if isinstance(picture, TiffImageFile) else ()
    if picture.mode == "F" or (len(depths) > 1 and max(depths) > 8):
        raise RejectedFileError(
            "the TIFF's pixels are real numbers, or colours of more than 8 bits: save it as grey of 16 bits"
            " or as colour of 8"
        )


def _frame(picture: Image.Image) -> Frame:
    """Give the pixels as they are written.

    raises: RejectedFileError where its pixel type has no DICOM counterpart.
    """
    pixels = _pixels(picture)
    layout = Layout(
        keyword="PixelData",
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples=1 if pixels.ndim == 2 else 3,
        photometric="MONOCHROME2" if pixels.ndim == 2 else "RGB",
        bits_allocated=pixels.itemsize * 8,
        bits_stored=pixels.itemsize * 8,
        signed=False,
    )
    return Frame(pixels, layout)


def _pixels(picture: Image.Image) -> Pixels:
    """Grey as 8 or 16 bit, everything else as RGB; transparency is dropped, colours stay as stored."""
    if picture.mode in SIXTEEN_BIT:
        return np.ascontiguousarray(np.asarray(picture), dtype="<u2")
    if picture.mode == "I":
        return _from_32_bit(picture)
    grey = picture.mode in ("1", "L", "LA")
    return np.array(picture.convert("L" if grey else "RGB"), dtype=np.uint8)


def _from_32_bit(picture: Image.Image) -> Pixels:
    """Pillow's 32-bit mode holds what was 16 bit in the file."""
    wide = np.asarray(picture)
    if int(wide.min()) < 0 or int(wide.max()) > 65535:
        raise RejectedFileError("the picture's values do not fit 16 bit")
    return wide.astype("<u2")


def described_picture(identity: Identity, source_digest: str, modality: str) -> Dataset:
    """Write the header of a plain picture: no date, no spacing, since the file states none."""
    described = Dataset()
    for element in _stated(modality):
        described.add(element)
    described.SOPInstanceUID = identity.uid(f"instance of {source_digest}")
    described.SeriesInstanceUID = identity.uid(f"series of {source_digest}")
    described.StudyInstanceUID = identity.uid(f"study of {source_digest}")
    return described


@lru_cache(maxsize=64)
def _stated(modality: str) -> tuple[SharedElement, ...]:
    told = {
        "SOPClassUID": SECONDARY_CAPTURE,
        "Modality": modality,
        "ConversionType": "WSD",
        "InstanceNumber": 1,
    }
    unknown = dict.fromkeys(("StudyDate", "StudyTime", "SeriesNumber", "Laterality"))
    return tuple(written(keyword, value) for keyword, value in (told | unknown).items())


def describe_pages(described: Dataset, layout: Layout, pages: int) -> None:
    """Name the class of a picture of several pages, and count them (PS3.3 C.8.6.3)."""
    if pages == 1:
        return
    grey = GREY_BYTE if layout.bits_allocated == 8 else GREY_WORD
    put(described, "SOPClassUID", grey if layout.samples == 1 else COLOUR)
    described.BurnedInAnnotation = "NO"
    described.FrameIncrementPointer = PAGE_NUMBERS
    described.PageNumberVector = list(range(1, pages + 1))
    if layout.samples == 1:
        described.PresentationLUTShape = "IDENTITY"
        described.RescaleSlope, described.RescaleIntercept, described.RescaleType = "1", "0", "US"
