"""Reports read back: every region's place, image and measurements, held against what was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from highdicom.sr import PlanarROIMeasurementsAndQualitativeEvaluations, srread
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from annotation.exchange.out.frozen import FrozenCase
from annotation.exchange.out.rules import DifferenceError
from annotation.exchange.out.sources import references_differ

NEAR_PIXELS: Final = 1e-3
NEAR_MM: Final = 0.01


@dataclass(frozen=True)
class Expected:
    """One region as it was drawn; graphics: points of each stroke; values: what was measured, any order."""

    tracking_uid: str
    sop_instance_uid: str
    graphics: list[NDArray[np.float64]]
    values: list[float]
    is_region: bool


def check_report(
    case: FrozenCase, content: bytes, expected: Sequence[Expected], evidence: Sequence[Dataset]
) -> None:
    """Read a report back through highdicom and compare.

    raises: DifferenceError.
    """
    made: Any = srread(BytesIO(content))
    differs = references_differ(made, evidence)
    if differs:
        raise DifferenceError(case.number, differs)
    found = {
        str(group.tracking_uid): group
        for group in (
            *made.content.get_planar_roi_measurement_groups(),
            *made.content.get_image_measurement_groups(),
        )
    }
    for one in expected:
        group = found.get(one.tracking_uid)
        if group is None:
            raise DifferenceError(case.number, "a region is missing in the report that was read back")
        differs = difference(group, one)
        if differs:
            raise DifferenceError(case.number, differs)


def difference(group: Any, one: Expected) -> str:  # noqa: ANN401  one of highdicom's groups
    """Say how a group differs from what was drawn; nothing where it does not."""
    measured = group.get_measurements()
    strokes = strokes_of(group, measured)
    if one.values or one.is_region:
        if not all(any(near(wanted, stroke) for stroke in strokes) for wanted in one.graphics):
            return "a region's points were read back otherwise from SR"
        images = {
            str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
            for item in references_of(group, measured)
        }
        if images != {one.sop_instance_uid}:
            return "a region refers to another image in what was read back from SR"
    read = [float(item.value) for item in measured]
    if not all(any(abs(value - again) <= NEAR_MM for again in read) for value in one.values):
        return "a measurement was read back otherwise from SR"
    return ""


def strokes_of(group: Any, measured: Sequence[Any]) -> list[NDArray[np.float64]]:  # noqa: ANN401
    """Give the points of a group's region, or of the lines that its measurements were taken from."""
    if is_planar(group):
        return [np.asarray(group.roi.value)]
    return [np.asarray(line.value) for item in measured for line in item.referenced_coordinates]


def references_of(group: Any, measured: Sequence[Any]) -> list[Dataset]:  # noqa: ANN401
    """Give the items that name the image of a group's points."""
    if is_planar(group):
        return [group.roi.ContentSequence[0]]
    return [line.ContentSequence[0] for item in measured for line in item.referenced_coordinates]


def is_planar(group: object) -> bool:
    """Whether a group is a region's (TID 1410)."""
    return isinstance(group, PlanarROIMeasurementsAndQualitativeEvaluations)


def near(wanted: NDArray[np.float64], read: NDArray[np.float64]) -> bool:
    """Whether points are the same, to a thousandth of a pixel."""
    return wanted.shape == read.shape and bool(np.abs(wanted - read).max() <= NEAR_PIXELS)
