"""An image of our own is judged before the first fork, so that no child looks up what all of them need."""

import io

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from annotation.studies.door.admission import admit
from annotation.studies.door.verdict import Order

ROUNDS = 20  # Python adapts its code to what it has run some times
SIDE = 192
NONE_OF = Order(key="00" * 32, source_digest="00" * 32)


def warm() -> None:
    """Judge it in both common transfer syntaxes; nothing of it is kept."""
    for content in images():
        for _ in range(ROUNDS):
            admit(NONE_OF, io.BytesIO(content), io.BytesIO(), io.BytesIO()).to_json()


def images() -> list[bytes]:
    """Write the image as files."""
    return [_written(_image(), is_implicit=is_implicit) for is_implicit in (True, False)]


def _written(image: Dataset, *, is_implicit: bool) -> bytes:
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
    stream = io.BytesIO()
    dcmwrite(stream, image, enforce_file_format=True)
    return stream.getvalue()


def _image() -> Dataset:
    """Make a slice with elements of most representations."""
    image = Dataset()
    image.SpecificCharacterSet, image.Modality, image.PatientID = "ISO_IR 100", "CT", "0"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SOPClassUID = CTImageStorage
    for number, keyword in enumerate(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), start=1):
        setattr(image, keyword, f"2.25.{number}")
    image.StudyDate, image.StudyTime, image.SeriesDescription = "20000101", "120000", "AXIAL"
    image.Manufacturer, image.ManufacturerModelName, image.ConvolutionKernel = "PHILIPS", "CT", "B30"
    image.InstanceNumber, image.KVP, image.SliceThickness = 1, 120, 1
    image.PixelSpacing, image.ImagePositionPatient = [1, 1], [0, 0, 0]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.WindowCenter, image.WindowWidth, image.RescaleSlope, image.RescaleIntercept = 40, 400, 1, -1024
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID, item.CTDIvol = CTImageStorage, "2.25.4", 1.0
    image.ReferencedImageSequence = image.CTExposureSequence = Sequence([item])
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = SIDE
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = np.zeros((SIDE, SIDE), np.uint16).tobytes()
    return image
