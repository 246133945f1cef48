"""How far the surfaces of two masks lie apart, in mm, and how much they share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from annotation.readings.agreement.measured import Floats

Drawn = NDArray[np.bool_]
NEITHER, ONE_EMPTY = "neither reader drew it", "one reader drew it, the other did not"


@dataclass(frozen=True)
class Apart:
    """Two masks compared. dice: 0 – 1; distances in mm; why: what is not defined, and so None.

    mean_mm:      over the surface voxels of both, to the nearest of the other.
    hausdorff_mm: the larger of the two directed 95th percentiles.
    """

    dice: float | None
    mean_mm: float | None
    hausdorff_mm: float | None
    why: str = ""


def compared(one: Drawn, other: Drawn, spacing_mm: Sequence[float]) -> Apart:
    """Compare two masks of one grid; spacing_mm: along each axis."""
    sizes = int(one.sum()), int(other.sum())
    if not any(sizes):
        return Apart(None, None, None, NEITHER)
    dice = 2.0 * int((one & other).sum()) / sum(sizes)
    if not all(sizes):
        return Apart(dice, None, None, ONE_EMPTY)
    points = [surface_points(drawn, spacing_mm) for drawn in (one, other)]
    there, back = (_nearest(points[0], points[1]), _nearest(points[1], points[0]))
    mean = (there.sum() + back.sum()) / (len(there) + len(back))
    farthest = max(np.percentile(there, 95), np.percentile(back, 95))
    return Apart(dice, float(mean), float(farthest))


def surface_points(drawn: Drawn, spacing_mm: Sequence[float]) -> Floats:
    """List voxels with a face to what is not drawn or not on the image; (point, axis) in mm."""
    at = np.argwhere(drawn)
    box = tuple(slice(low, high + 1) for low, high in zip(at.min(axis=0), at.max(axis=0), strict=True))
    inner = drawn[box]
    found = np.argwhere(inner & ~binary_erosion(inner))
    return np.asarray((found + at.min(axis=0)) * np.asarray(spacing_mm, dtype=np.float64))


def _nearest(points: Floats, others: Floats) -> Floats:
    found, _ = cKDTree(others).query(points)
    return np.asarray(found, dtype=np.float64)
