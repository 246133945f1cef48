"""NIfTI, NRRD and MetaImage become DICOM: one multi-frame image, slice after slice along its normal.

Patient coordinates are DICOM's: x to the patient's left, y to the back, z to the head (LPS), in mm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import DSfloat

from annotation.studies.door.pixels import Frame, Layout, Pixels
from annotation.studies.door.pseudonyms import Identity
from annotation.studies.door.verdict import RejectedFileError

Floats = NDArray[np.float64]
GREY_BYTE, GREY_WORD = "1.2.840.10008.5.1.4.1.1.7.2", "1.2.840.10008.5.1.4.1.1.7.3"
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
PER_FRAME, POSITION = 0x52009230, 0x00200032
LARGEST_SKEW = 1e-3  # cosine between rows and columns
SIXTEEN_BITS = 2**16 - 1
MASK_VALUES, MASK_SHARE = 32, 0.5


@dataclass(frozen=True)
class Volume:
    """Voxels with their place.

    voxels:  (slice, row, column) as stored; the value is slope · voxel + intercept.
    spacing: mm from column to column, row to row, slice to slice.
    steps:   (3, 3) mm in patient coordinates: row n leads to the next column, row, slice; None = not known.
    origin:  (3,) mm, the centre of the first voxel.
    """

    voxels: Pixels
    spacing: tuple[float, float, float]
    steps: Floats | None = None
    origin: Floats | None = None
    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True)
class Coded:
    """How voxels are written: as unsigned integers above an offset, or as the real numbers that they are."""

    layout: Layout
    kind: np.dtype[Any]
    offset: float = 0.0


def placed(voxels: Pixels, affine: Floats, slope: float = 1.0, intercept: float = 0.0) -> Volume:
    """Place voxels by a matrix of (column, row, slice, 1) → patient coordinates in mm."""
    steps = affine[:3, :3].T.copy()
    lengths = np.linalg.norm(steps, axis=1)
    if not np.all(np.isfinite(affine)) or not np.all(lengths > 0):
        raise RejectedFileError("the header's matrix places the voxels nowhere: an axis has no length")
    spacing = (float(lengths[0]), float(lengths[1]), float(lengths[2]))
    return Volume(voxels, spacing, steps, affine[:3, 3].copy(), slope, intercept)


def in_order(volume: Volume) -> Volume:
    """Turn the slices so that they go along the normal (row direction × column direction, PS3.3 C.7.6.2.1.1).

    raises: RejectedFileError where rows and columns are not at right angles: DICOM cannot say that.
    """
    if volume.steps is None or volume.origin is None:
        return volume
    column, row, between = volume.steps
    skew = abs(float(column @ row)) / (volume.spacing[0] * volume.spacing[1])
    if skew > LARGEST_SKEW:
        raise RejectedFileError("the volume's rows and columns are not at right angles: resample it first")
    if float(np.cross(column, row) @ between) >= 0:
        return volume
    last = volume.origin + between * (len(volume.voxels) - 1)
    steps = np.stack([column, row, -between])
    return Volume(volume.voxels[::-1], volume.spacing, steps, last, volume.slope, volume.intercept)


def coded(volume: Volume) -> Coded:
    """Choose how the voxels are written without loss.

    raises: RejectedFileError where they look like a mask, or no pixels of DICOM hold them.
    """
    voxels = volume.voxels
    low, high = float(np.min(voxels)), float(np.max(voxels))
    whole = np.isfinite(low) and np.isfinite(high) and _are_whole(voxels)
    if whole and low == 0 and high <= MASK_VALUES and len(voxels) > 1:
        _refuse_masks(voxels)
    if whole and high - low <= SIXTEEN_BITS:
        bits = 8 if voxels.dtype == np.uint8 else 16
        offset = 0.0 if low >= 0 and high <= SIXTEEN_BITS else low
        return Coded(_layout(voxels, "PixelData", bits), np.dtype(f"<u{bits // 8}"), offset)
    if voxels.dtype.kind in "iu" and voxels.itemsize > 4:
        raise RejectedFileError("the voxels are 64-bit integers beyond 16 bits: save them as 32 bit")
    is_single = voxels.dtype == np.float32 and (volume.slope, volume.intercept) == (1.0, 0.0)
    if is_single:
        return Coded(_layout(voxels, "FloatPixelData", 32), np.dtype("<f4"))
    return Coded(_layout(voxels, "DoubleFloatPixelData", 64), np.dtype("<f8"))


def _are_whole(voxels: Pixels) -> bool:
    return voxels.dtype.kind in "iu" or all(bool(np.all(one == np.rint(one))) for one in voxels)


def _refuse_masks(voxels: Pixels) -> None:
    counts = np.zeros(MASK_VALUES + 1, np.int64)
    for one in voxels:
        counts += np.bincount(one.astype(np.int64).ravel(), minlength=MASK_VALUES + 1)
    if counts[0] >= MASK_SHARE * counts.sum():
        names = np.flatnonzero(counts)
        told = ", ".join(map(str, names[:4])) + (", …" if len(names) > 4 else "")
        raise RejectedFileError(
            f"the volume looks like a mask (values {told}), not an image: import it as its image's labels"
        )


def _layout(voxels: Pixels, keyword: str, bits: int) -> Layout:
    return Layout(
        keyword=keyword,
        rows=voxels.shape[1],
        columns=voxels.shape[2],
        samples=1,
        photometric="MONOCHROME2",
        bits_allocated=bits,
        bits_stored=bits,
        signed=False,
    )


def frames_of(volume: Volume, code: Coded) -> Iterator[Frame]:
    """Give slice after slice as it is written."""
    for one in volume.voxels:
        if code.layout.keyword == "PixelData":
            wide = one.astype(np.float64 if one.dtype.kind == "f" else np.int64)
            yield Frame((wide - wide.dtype.type(code.offset)).astype(code.kind), code.layout)
        elif code.layout.keyword == "FloatPixelData":
            yield Frame(one.astype(code.kind), code.layout)
        else:
            yield Frame(one.astype(code.kind) * volume.slope + volume.intercept, code.layout)


def described_volume(
    volume: Volume, code: Coded, identity: Identity, source_digest: str, modality: str
) -> Dataset:
    """Write the header of a volume: its place and what its values mean; a volume's file states no more."""
    described = Dataset()
    is_real = code.layout.keyword != "PixelData"
    described.SOPClassUID = PARAMETRIC_MAP if is_real else GREY_WORD if code.kind.itemsize > 1 else GREY_BYTE
    for keyword, what in (
        *(("SOPInstanceUID", "instance"), ("SeriesInstanceUID", "series"), ("StudyInstanceUID", "study")),
        ("FrameOfReferenceUID", "frame of reference"),
    ):
        setattr(described, keyword, identity.uid(f"{what} of {source_digest}"))
    described.ImageType = ["DERIVED", "SECONDARY"]
    described.Modality = modality
    described.ConversionType = "WSD"
    described.BurnedInAnnotation = "NO"
    described.InstanceNumber = 1
    described.PositionReferenceIndicator = ""
    for keyword in ("StudyDate", "StudyTime", "SeriesNumber", "Laterality"):
        setattr(described, keyword, None)
    described.PresentationLUTShape = "IDENTITY"
    described.FrameIncrementPointer = PER_FRAME
    if not is_real:
        described.RescaleSlope = exact(volume.slope)
        described.RescaleIntercept = exact(volume.intercept + volume.slope * code.offset)
        described.RescaleType = "US"
    _describe_place(described, volume, identity.uid(f"dimensions of {source_digest}"))
    return described


def _describe_place(described: Dataset, volume: Volume, organisation: str) -> None:
    """Write functional groups (PS3.3 C.7.6.16): spacing and direction once, a position for every frame."""
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [exact(volume.spacing[1]), exact(volume.spacing[0])]
    measures.SliceThickness = measures.SpacingBetweenSlices = exact(volume.spacing[2])
    shared.PixelMeasuresSequence = Sequence([measures])
    if volume.steps is not None:
        directions = volume.steps / np.array(volume.spacing)[:, None]
        orientation = Dataset()
        orientation.ImageOrientationPatient = [exact(one) for one in directions[:2].ravel()]
        shared.PlaneOrientationSequence = Sequence([orientation])
    described.SharedFunctionalGroupsSequence = Sequence([shared])
    described.PerFrameFunctionalGroupsSequence = Sequence(
        [_of_frame(volume, number) for number in range(len(volume.voxels))]
    )
    named, index = Dataset(), Dataset()
    named.DimensionOrganizationUID = index.DimensionOrganizationUID = organisation
    index.DimensionIndexPointer, index.FunctionalGroupPointer = POSITION, 0x00209113
    described.DimensionOrganizationType = "3D"
    described.DimensionOrganizationSequence = Sequence([named])
    described.DimensionIndexSequence = Sequence([index])


def _of_frame(volume: Volume, number: int) -> Dataset:
    frame, content = Dataset(), Dataset()
    content.StackID, content.InStackPositionNumber = "1", number + 1
    content.DimensionIndexValues = [number + 1]
    frame.FrameContentSequence = Sequence([content])
    if volume.steps is not None and volume.origin is not None:
        position = Dataset()
        place = volume.origin + volume.steps[2] * number
        position.ImagePositionPatient = [exact(one) for one in place]
        frame.PlanePositionSequence = Sequence([position])
    return frame


def exact(number: float) -> DSfloat:
    """Write a number with as many digits as a decimal string of DICOM holds."""
    return DSfloat(float(number) + 0.0, auto_format=True)
