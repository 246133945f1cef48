"""What a region measures: lengths, angles, areas, and statistics of the pixels inside it. Pure.

Points are (column, row) with 0, 0 at the top left corner of the top left pixel, whose centre is 0.5, 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Inside = NDArray[np.bool_]
Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class PixelSize:
    """Size of a pixel down a column and along a row.

    of: patient: mm there; region: mm there by an ultrasound region's calibration; detector: mm on it, where
    things look larger; pixels: no size is known.
    """

    row: float
    column: float
    of: Literal["patient", "region", "detector", "pixels"]

    @property
    def unit(self) -> str:
        """Unit of a length."""
        return "px" if self.of == "pixels" else "mm"

    @property
    def unit_of_area(self) -> str:
        """Unit of an area, as names end with it."""
        return "px" if self.of == "pixels" else "mm2"


# PS3.3 C.8.5.5.1.1 and C.8.5.5.1.15
TWO_DIMENSIONAL, CENTIMETRES = 1, 3
CORNERS = ("MinX0", "MinY0", "MaxX1", "MaxY1")
SQUARE = PixelSize(1.0, 1.0, "pixels")


def pixel_size(attributes: Mapping[str, Any]) -> PixelSize:
    """Size of a frame's pixels: between rows first, then between columns (PS3.3 10.7.1.3).

    Without PixelSpacing, ImagerPixelSpacing tells it at the detector (PS3.3 C.8.7.1.1.3).
    """
    for keyword, of in (("PixelSpacing", "patient"), ("ImagerPixelSpacing", "detector")):
        given = attributes.get(keyword)
        if isinstance(given, list) and len(given) == 2 and all(_is_length(one) for one in given):
            return PixelSize(float(given[0]), float(given[1]), "patient" if of == "patient" else "detector")
    return SQUARE


def _is_length(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


@dataclass(frozen=True)
class CalibratedRegion:
    """A part of an ultrasound image whose pixels have a size in the patient.

    first, last: (column, row) of its corners, as points are.
    """

    first: tuple[float, float]
    last: tuple[float, float]
    size: PixelSize

    def holds(self, points: Points) -> bool:
        """Whether all points lie in it."""
        return all(
            low <= value <= high
            for point in points
            for low, value, high in zip(self.first, point, self.last, strict=True)
        )


def calibrated_regions(attributes: Mapping[str, Any]) -> list[CalibratedRegion]:
    """List an image's two-dimensional regions that are calibrated in cm, the topmost first (PS3.3 C.8.5.5).

    Spectra and M-mode show time or speed along an axis: they have no size. A delta may be negative.
    """
    regions = attributes.get("SequenceOfUltrasoundRegions") or []
    spatial = [one for one in regions if _is_spatial(one)]
    spatial.sort(key=lambda one: int(one.get("RegionFlags", 0)) & 1)  # bit 0: low priority
    return [
        CalibratedRegion(
            (one["RegionLocationMinX0"], one["RegionLocationMinY0"]),
            (one["RegionLocationMaxX1"] + 1, one["RegionLocationMaxY1"] + 1),
            PixelSize(abs(one["PhysicalDeltaY"]) * 10, abs(one["PhysicalDeltaX"]) * 10, "region"),
        )
        for one in spatial
    ]


def _is_spatial(region: Mapping[str, Any]) -> bool:
    centimetres = all(region.get(f"PhysicalUnits{axis}Direction") == CENTIMETRES for axis in "XY")
    deltas = all(_is_length(abs(region.get(f"PhysicalDelta{axis}") or 0)) for axis in "XY")
    corners = all(isinstance(region.get(f"RegionLocation{corner}"), int) for corner in CORNERS)
    return region.get("RegionSpatialFormat") == TWO_DIMENSIONAL and centimetres and deltas and corners


def size_at(attributes: Mapping[str, Any], points: Points) -> PixelSize:
    """Size of the pixels that points lie on: on calibrated ultrasound that of the region that holds them all.

    Across regions and outside of them no size is known.
    """
    regions = calibrated_regions(attributes)
    if not regions:
        return pixel_size(attributes)
    return next((one.size for one in regions if one.holds(points)), SQUARE)


def measures(kind: str, points: Points, size: PixelSize) -> dict[str, float]:
    """Measure a region of a kind: names end with the unit; nothing for a point."""
    placed = np.asarray(points, dtype=np.float64) * (size.column, size.row)
    match kind:
        case "line" | "bidirectional":
            return _lengths(placed, size)
        case "angle":
            return {"angle_deg": degrees(placed)}
        case "box":
            return _surface(corners(placed), size)
        case "ellipse":
            return _ellipse(placed, size)
        case "polygon" | "freehand":
            return _surface(placed, size)
    return {}


def _lengths(placed: Floats, size: PixelSize) -> dict[str, float]:
    """Length of a line, or of two of them, the longer one first."""
    lengths = [_length(*placed[first : first + 2]) for first in range(0, len(placed), 2)]
    names = ["long_axis", "short_axis"] if len(lengths) == 2 else ["length"]
    return {f"{name}_{size.unit}": one for name, one in zip(names, sorted(lengths)[::-1], strict=True)}


def _length(first: Floats, second: Floats) -> float:
    return float(np.hypot(*(second - first)))


def degrees(placed: Floats) -> float:
    """Angle at the middle of three points; of four, between two lines, at most 90° (Cobb 1948)."""
    if len(placed) == 3:
        first, second = placed[0] - placed[1], placed[2] - placed[1]
        return _between(first, second)
    angle = _between(placed[1] - placed[0], placed[3] - placed[2])
    return min(angle, 180.0 - angle)


def _between(first: Floats, second: Floats) -> float:
    cross = first[0] * second[1] - first[1] * second[0]
    return float(np.degrees(np.abs(np.arctan2(cross, first @ second))))


def corners(opposite: Floats) -> Floats:
    """Give the four corners of a box from two opposite ones."""
    (left, top), (right, bottom) = opposite
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _surface(outline: Floats, size: PixelSize) -> dict[str, float]:
    """Area by the shoelace formula, and length of the closed outline."""
    after = np.roll(outline, -1, axis=0)
    area = abs(float(np.sum(outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]))) / 2
    around = float(np.hypot(*(after - outline).T).sum())
    return {f"area_{size.unit_of_area}": area, f"perimeter_{size.unit}": around}


def _ellipse(placed: Floats, size: PixelSize) -> dict[str, float]:
    """Measure an ellipse drawn on pixels that need not be square.

    The halves of its axes on the image are conjugate half-diameters in mm, of which the axes are the
    singular values.
    """
    halves = np.stack([placed[1] - placed[0], placed[3] - placed[2]]) / 2
    long, short = (float(one) for one in np.linalg.svd(halves, compute_uv=False))
    h = ((long - short) / (long + short)) ** 2
    around = np.pi * (long + short) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))  # Ramanujan 1914
    return {
        f"area_{size.unit_of_area}": float(np.pi * long * short),
        f"perimeter_{size.unit}": float(around),
        f"long_axis_{size.unit}": 2 * long,
        f"short_axis_{size.unit}": 2 * short,
    }


def rows_spanned(kind: str, points: Points) -> tuple[float, float]:
    """First and last row coordinate of a box or an ellipse, as it lies on the image."""
    placed = np.asarray(points, dtype=np.float64)
    if kind != "ellipse":
        return float(placed[:, 1].min()), float(placed[:, 1].max())
    centre = placed[:, 1].mean()
    reach = float(np.hypot((placed[1] - placed[0])[1], (placed[3] - placed[2])[1])) / 2
    return float(centre - reach), float(centre + reach)


def inside(kind: str, points: Points, shape: tuple[int, int]) -> Inside:
    """Pixels whose centre lies in a region; for a point, the pixel that it is in.

    shape: rows, columns. returns: (row, column); nothing is inside lines and angles.
    """
    placed = np.asarray(points, dtype=np.float64)
    match kind:
        case "point":
            return _pixel(placed[0], shape)
        case "box":
            return _scanned(corners(placed), shape)
        case "ellipse":
            return _in_ellipse(placed, shape)
        case "polygon" | "freehand":
            return _scanned(placed, shape)
    return np.zeros(shape, dtype=np.bool_)


def _pixel(point: Floats, shape: tuple[int, int]) -> Inside:
    found = np.zeros(shape, dtype=np.bool_)
    column, row = int(np.floor(point[0])), int(np.floor(point[1]))
    if 0 <= row < shape[0] and 0 <= column < shape[1]:
        found[row, column] = True
    return found


def _scanned(outline: Floats, shape: tuple[int, int]) -> Inside:
    """Fill a closed outline by the even-odd rule, row by row through the pixels' centres."""
    found = np.zeros(shape, dtype=np.bool_)
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
    columns = np.arange(shape[1]) + 0.5
    first, last = max(0, int(np.floor(outline[:, 1].min()))), min(shape[0], int(np.ceil(outline[:, 1].max())))
    for row in range(first, last):
        y = row + 0.5
        crossed = (y0 <= y) != (y1 <= y)
        at = x0[crossed] + (y - y0[crossed]) * (x1[crossed] - x0[crossed]) / (y1[crossed] - y0[crossed])
        found[row] = np.searchsorted(np.sort(at), columns, side="right") % 2 == 1
    return found


def _in_ellipse(placed: Floats, shape: tuple[int, int]) -> Inside:
    found = np.zeros(shape, dtype=np.bool_)
    halves = np.stack([placed[1] - placed[0], placed[3] - placed[2]]) / 2
    centre, reach = placed.mean(axis=0), np.hypot(halves[0], halves[1])
    low = np.clip(np.floor(centre - reach), 0, (shape[1], shape[0])).astype(int)
    high = np.clip(np.ceil(centre + reach), 0, (shape[1], shape[0])).astype(int)
    if abs(float(np.linalg.det(halves))) < 1e-9 or (high <= low).any():
        return found
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    along = np.linalg.solve(halves.T, np.stack([x.ravel() - centre[0], y.ravel() - centre[1]]))
    found[low[1] : high[1], low[0] : high[0]] = ((along**2).sum(axis=0) <= 1).reshape(x.shape)
    return found


def statistics(values: Floats, chosen: Inside) -> dict[str, float]:
    """Mean, deviation (of the population), least and most of the pixels chosen; nothing of no pixel."""
    found = values[chosen]
    if not found.size:
        return {}
    return {
        "mean": float(found.mean()),
        "deviation": float(found.std()),
        "min": float(found.min()),
        "max": float(found.max()),
        "pixels": int(found.size),
    }
