"""Where a case's voxels lie in the patient, and what they hold. Pure.

Indices are (k, j, i): slice, row, column. An affine takes (i, j, k, 1) to mm in the patient: left, posterior,
superior (LPS) as in DICOM; voxel (0, 0, 0) is the centre of the first slice's top left pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.exchange.out.rules import LeftOutError
from annotation.readings.measurements import pixel_size
from annotation.studies.frames import UnreadablePixelsError, modality_values, stored_values
from annotation.studies.pictures import Picture

Floats = NDArray[np.float64]
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
OFF_THE_LINE_MM = 0.01
UNEVEN_SHARE = 0.01
VOXEL_SHARE = 0.02
TURNED = 1e-4


@dataclass(frozen=True)
class Grid:
    """Size of a volume and where it lies; placed: whether the images say where they are in a patient."""

    shape: tuple[int, int, int]
    affine: Floats
    placed: bool

    @property
    def ras(self) -> Floats:
        """The affine to right, anterior, superior: NIfTI's."""
        return np.asarray(LPS_TO_RAS @ self.affine)


def grid_of(pictures: Sequence[Picture]) -> Grid:
    """Lay a case's frames, in reading order, on one grid.

    raises: LeftOutError saying why they lie on none.
    """
    attributes = [one.attributes for one in pictures]
    shape = (len(pictures), int(attributes[0]["Rows"]), int(attributes[0]["Columns"]))
    if any((one["Rows"], one["Columns"]) != shape[1:] for one in attributes):
        raise LeftOutError("its images differ in size: they are no volume")
    if "ImagePositionPatient" not in attributes[0] or "ImageOrientationPatient" not in attributes[0]:
        if len(pictures) > 1:
            raise LeftOutError("its images do not say where they lie: they are no volume")
        size = pixel_size(attributes[0])
        return Grid(shape, np.diag([size.column, size.row, 1.0, 1.0]), placed=False)
    return Grid(shape, placed_affine(attributes), placed=True)


def placed_affine(attributes: Sequence[dict[str, Any]]) -> Floats:
    """Take positions, orientation and spacing into one matrix (PS3.3 C.7.6.2.1.1).

    raises: LeftOutError where the slices do not lie on one grid.
    """
    if any("ImagePositionPatient" not in one or "PixelSpacing" not in one for one in attributes):
        raise LeftOutError("an image does not say where it lies, or how large its pixels are")
    positions = np.array([one["ImagePositionPatient"] for one in attributes], dtype=np.float64)
    axes = np.array([one["ImageOrientationPatient"] for one in attributes], dtype=np.float64)
    spacing = np.array([one["PixelSpacing"] for one in attributes], dtype=np.float64)
    if np.abs(axes - axes[0]).max() > TURNED or np.abs(spacing - spacing[0]).max() > TURNED:
        raise LeftOutError("its slices differ in orientation or spacing: they are no volume")
    row, column = axes[0, :3], axes[0, 3:]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * spacing[0, 1], column * spacing[0, 0]
    affine[:3, 2] = step_of(positions, np.cross(row, column), attributes[0])
    affine[:3, 3] = positions[0]
    return right_angled(affine, (attributes[0]["Columns"], attributes[0]["Rows"], len(attributes)))


def right_angled(affine: Floats, size: tuple[int, int, int]) -> Floats:
    """Turn axes that are at right angles but for rounding into ones that are: readers built on ITK insist.

    size: (i, j, k). raises: LeftOutError where a voxel would move: the gantry was tilted.
    """
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / lengths)
    turned = affine.copy()
    turned[:3, :3] = (left @ right) * lengths
    corners = np.stack(np.meshgrid(*[(0, count - 1) for count in size]), axis=-1).reshape(-1, 3)
    away = float(np.linalg.norm((turned - affine)[:3, :3] @ corners.T, axis=0).max())
    if away > slack_mm(lengths):
        raise LeftOutError("its axes are not at right angles (a tilted gantry): ITK reads no such volume")
    return turned


def slack_mm(lengths: Floats) -> float:
    """How far a voxel may lie from where its own image has it: 0.01 mm, or a fiftieth of a voxel."""
    return max(OFF_THE_LINE_MM, VOXEL_SHARE * float(lengths.min()))


def step_of(positions: Floats, normal: Floats, first: dict[str, Any]) -> Floats:
    """Give the way from one slice to the next.

    raises: LeftOutError where that differs from slice to slice.
    """
    if len(positions) == 1:
        return np.asarray(normal * float(first.get("SliceThickness") or 1.0))
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    length = float(np.linalg.norm(step))
    if length < TURNED:
        raise LeftOutError("several of its images lie in one place: they are no volume")
    away = np.linalg.norm(positions - (positions[0] + np.arange(len(positions))[:, None] * step), axis=1)
    if away.max() > max(OFF_THE_LINE_MM, UNEVEN_SHARE * length):
        raise LeftOutError(
            f"its slices are not evenly spaced (one lies {away.max():.2f} mm off): they are no volume"
        )
    return np.asarray(step)


def values_of(pictures: Sequence[Picture]) -> NDArray[Any]:
    """Read a case's values in the modality's own units: (k, j, i), or (k, j, i, sample) for colour.

    Whole numbers stay whole numbers, of the smallest type that holds them; others are float32.
    raises: LeftOutError where pixels cannot be read so.
    """
    try:
        read = [frame_values(one) for one in pictures]
    except UnreadablePixelsError as error:
        raise LeftOutError(f"its pixels cannot be read: {error}") from None
    return smallest(np.stack(read))


def frame_values(picture: Picture) -> NDArray[Any]:
    """Read one frame."""
    if int(picture.attributes.get("SamplesPerPixel", 1)) > 1:
        return stored_values(picture.content, picture.attributes)
    return modality_values(picture.content, picture.attributes)


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Choose the type that holds the values in the fewest bytes without changing whole numbers."""
    if values.size and not np.array_equal(values, np.rint(values)):
        return values.astype(np.float32)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    for kind in (np.uint8, np.int16, np.uint16, np.int32):
        bounds = np.iinfo(kind)
        if bounds.min <= low and high <= bounds.max:
            return values.astype(kind)
    return values.astype(np.float64)
