"""Synthetic images with known truth, none from a patient. Geometry is anisotropic and oblique."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    XRayAngiographicImageStorage,
)

CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
    "DX": DigitalXRayImageStorageForPresentation,
    "XA": XRayAngiographicImageStorage,
    "US": UltrasoundImageStorage,
    "OT": SecondaryCaptureImageStorage,
    "CR": "1.2.840.10008.5.1.4.1.1.1",
}

# Row and column directions of a double-oblique plane, unit vectors at right angles.
OBLIQUE = (0.936, 0.312, -0.16, -0.2784, 0.94, 0.1977)
SPACING_MM = (0.7, 0.9)
SLICE_MM = 2.5


def a_slice(number: int = 1, *, modality: str = "CT", rows: int = 24, columns: int = 20) -> Dataset:
    """One slice of an oblique, anisotropic series, signed 16 bit; its pixels depend on its number alone."""
    made = Dataset()
    made.SOPClassUID = CLASSES[modality]
    made.SOPInstanceUID = f"1.2.826.0.1.3680043.10.999.{number}"
    made.StudyInstanceUID = "1.2.826.0.1.3680043.10.998.1"
    made.SeriesInstanceUID = "1.2.826.0.1.3680043.10.997.1"
    made.FrameOfReferenceUID = "1.2.826.0.1.3680043.10.996.1"
    made.PatientName, made.PatientID = "Phantom^One", "PHANTOM-1"
    made.Modality, made.InstanceNumber = modality, number
    made.StudyDate, made.SeriesDate, made.AcquisitionDate = "20200229", "20200229", "20200305"
    made.StudyTime = "101500"
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.WindowCenter, made.WindowWidth = 40, 400
    place(made, number)
    fill(made, np.random.default_rng(number).integers(-100, 1200, (rows, columns), dtype=np.int16))
    return made


def place(made: Dataset, number: int) -> None:
    """Put a slice SLICE_MM · number along the normal of the oblique plane."""
    row, column = np.array(OBLIQUE[:3]), np.array(OBLIQUE[3:])
    position = np.cross(row, column) * SLICE_MM * number
    made.ImageOrientationPatient = [f"{value:.6f}" for value in OBLIQUE]
    made.ImagePositionPatient = [f"{value:.6f}" for value in position]
    made.PixelSpacing, made.SliceThickness = list(SPACING_MM), SLICE_MM


def fill(made: Dataset, pixels: np.ndarray, *, photometric: str = "") -> None:
    """Write pixels and their description; (row, column) or (row, column, 3), integers."""
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    made.PhotometricInterpretation = photometric or ("MONOCHROME2" if pixels.ndim == 2 else "RGB")
    made.BitsAllocated = made.BitsStored = pixels.itemsize * 8
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    content = pixels.tobytes()
    made.PixelData = content + b"\0" * (len(content) % 2)
    made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"


def dicom(made: Dataset, *, syntax: str = ExplicitVRLittleEndian, preamble: bytes = bytes(128)) -> bytes:
    """A data set as a DICOM file."""
    made.file_meta = getattr(made, "file_meta", None) or FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.preamble = preamble
    stream = io.BytesIO()
    dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def chest(seed: int = 0, *, rows: int = 28, columns: int = 24, bits: int = 8) -> np.ndarray:
    """A grey picture of two dark ovals in a bright trunk, with noise: (row, column), unsigned."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    lungs = sum(np.exp(-(((x - side) / 0.3) ** 2) - (y / 0.6) ** 2) for side in (-0.45, 0.45))
    noise = np.random.default_rng(seed).normal(0, 0.03, (rows, columns))
    shown = np.clip(0.8 - 0.6 * lungs + noise, 0, 1)
    values: np.ndarray = (shown * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    return values


def png(pixels: np.ndarray) -> bytes:
    """An array as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def jpeg(pixels: np.ndarray, *, orientation: int = 1, comment: bytes = b"") -> bytes:
    """An array as a JPEG file with an EXIF orientation and a comment."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = comment.decode()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95, exif=exif, comment=comment)
    return stream.getvalue()


def series(count: int, *, modality: str = "CT") -> Sequence[bytes]:
    """Files of one series, slice after slice."""
    return [dicom(a_slice(number, modality=modality)) for number in range(1, count + 1)]
