"""Where points of a frame lie in the patient, and the other way round: mm, left posterior superior. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def axes_of(attributes: Mapping[str, Any]) -> tuple[Points, Points, Points]:
    """Give where a frame begins, and the ways of one pixel along a row and down a column, in mm (LPS)."""
    down, along = (float(value) for value in attributes["PixelSpacing"])  # PS3.3 10.7.1.3: between rows first
    axes = np.asarray(attributes["ImageOrientationPatient"], dtype=np.float64).reshape(2, 3)
    origin = np.asarray(attributes["ImagePositionPatient"], dtype=np.float64)
    return origin, axes[0] * along, axes[1] * down


def in_patient(attributes: Mapping[str, Any], points: Points) -> Points:
    """Place points of a frame in the patient: a position is that of the first pixel's centre."""
    origin, along, down = axes_of(attributes)
    return np.asarray(origin + (points[:, :1] - 0.5) * along + (points[:, 1:] - 0.5) * down)


def on_frame(attributes: Mapping[str, Any], placed: Points) -> Points:
    """Place points of the patient on a frame: the inverse, dropping what lies off its plane."""
    origin, along, down = axes_of(attributes)
    ways = np.stack([along, down], axis=1)
    return np.asarray(np.linalg.lstsq(ways, (placed - origin).T, rcond=None)[0].T + 0.5)


def off_plane_mm(attributes: Mapping[str, Any], placed: Points) -> float:
    """How far points of the patient lie off a frame's plane."""
    origin, along, down = axes_of(attributes)
    normal = np.cross(along, down)
    return float(np.abs((placed - origin) @ (normal / np.linalg.norm(normal))).max())
