"""Regions that a reader drew → labels of pixels to learn from. Pure.

Points are (column, row), 0, 0 the top left corner of the top left pixel: a pixel's centre lies half further.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.readings.agreement.drawn import Edges

Labels = NDArray[np.uint8]
Points = Sequence[Sequence[float]]
UNKNOWN = 255
# Boxes and ellipses are learned by their core: the rim between two that touch is background, and parts them.
CORE = 0.85


@dataclass(frozen=True)
class Box:
    """Edges in pixels; label: number of the class, from 1."""

    left: float
    top: float
    right: float
    bottom: float
    label: int
    score: float = 1.0

    @property
    def edges(self) -> Edges:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def area(self) -> float:
        """In square pixels."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def scaled(self, across: float, down: float) -> "Box":
        """Bring it to an image of another size."""
        left, right = self.left * across, self.right * across
        return Box(left, self.top * down, right, self.bottom * down, self.label, self.score)


def box_of(points: Points, label: int) -> Box:
    """Bound a region of any shape."""
    across, down = zip(*points, strict=True)
    return Box(min(across), min(down), max(across), max(down), label)


def drawn(kind: str, regions: Sequence[tuple[int, Points]], shape: tuple[int, int]) -> Labels:
    """Paint regions of a kind, each with its class number; the smaller ones over the larger ones."""
    labels = np.zeros(shape, dtype=np.uint8)
    by_area = sorted(regions, key=lambda one: -box_of(one[1], one[0]).area)
    for number, points in by_area:
        if kind in {"box", "ellipse"}:
            _paint_core(labels, kind, box_of(points, number))
        else:
            labels[_inside(points, shape)] = number
    return labels


def _paint_core(labels: Labels, kind: str, box: Box) -> None:
    """Paint an ellipse's core; what lies in the box beyond the ellipse may be anything."""
    rows, columns = np.ogrid[: labels.shape[0], : labels.shape[1]]
    across = (columns + 0.5 - (box.left + box.right) / 2) / max((box.right - box.left) / 2, 0.5)
    down = (rows + 0.5 - (box.top + box.bottom) / 2) / max((box.bottom - box.top) / 2, 0.5)
    distance = across**2 + down**2
    inside = (np.abs(across) <= 1) & (np.abs(down) <= 1)
    if kind == "box":
        labels[inside & (distance > 1) & (labels == 0)] = UNKNOWN
    labels[inside & (distance <= 1)] = 0
    labels[distance <= CORE**2] = box.label


def _inside(points: Points, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Say which pixels have their centre in a polygon."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    down, across = rows + 0.5, columns + 0.5
    inside = np.zeros(shape, dtype=np.bool_)
    for (x, y), (other_x, other_y) in zip(points, [*points[1:], points[0]], strict=True):
        if y != other_y:
            edge = x + (down - y) * (other_x - x) / (other_y - y)
            inside ^= ((y <= down) != (other_y <= down)) & (across < edge)
    return inside
