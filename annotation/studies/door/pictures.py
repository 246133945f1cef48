"""PNG and JPEG become DICOM: pixels decoded and described anew; nothing else of the file is looked at."""

from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from pydicom.dataset import Dataset

from annotation.studies.door import limits
from annotation.studies.door.pixels import Frame, Layout, Pixels
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.verdict import RejectedFileError

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


def read_picture(stream: BinaryIO) -> Frame:
    """Decode the first image of a PNG or JPEG, upright as its EXIF orientation says.

    raises: RejectedFileError where it is too large or its pixel type has no DICOM counterpart.
    """
    Image.MAX_IMAGE_PIXELS = limits.FRAME_PIXELS
    with Image.open(stream, formats=("PNG", "JPEG")) as picture:
        if picture.width * picture.height > limits.FRAME_PIXELS:
            raise RejectedFileError("the picture has more pixels than Fovea reads")
        upright = ImageOps.exif_transpose(picture)
        pixels = _pixels(upright)
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
    described.SOPClassUID = SECONDARY_CAPTURE
    described.SOPInstanceUID = identity.uid(f"instance of {source_digest}")
    described.SeriesInstanceUID = identity.uid(f"series of {source_digest}")
    described.StudyInstanceUID = identity.uid(f"study of {source_digest}")
    described.Modality = modality
    described.ConversionType = "WSD"
    described.InstanceNumber = 1
    for keyword in ("StudyDate", "StudyTime", "SeriesNumber", "Laterality"):
        setattr(described, keyword, None)
    return described
