"""Probabilities of pixels → a mask without islands, or regions with a score. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from annotation.readings.agreement.drawn import overlap
from mlworker.regions.rasters import CORE, Box

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Points = list[list[float]]
# A larger overlap with a surer region of the same class is the same thing found twice.
SAME = 0.5
CORNERS = 24


@dataclass(frozen=True)
class Found:
    """A region that was found. outline: of its pixels, where the shape is a polygon."""

    box: Box
    outline: Points


def mask_in(chances: Floats, *, threshold: float, smallest: float) -> Labels:
    """Name each pixel's class, islands removed, holes filled: (y, x, class), background first → (y, x).

    threshold: least probability of not being background. smallest: pixels that a part has at least.
    """
    labels = _labelled(chances, threshold)
    for number in range(1, chances.shape[2]):
        parts, count = ndimage.label(labels == number)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        labels[(sizes < smallest)[parts] & (parts > 0)] = 0
    return _filled(labels, smallest)


def _filled(labels: Labels, smallest: float) -> Labels:
    """Fill holes that are smaller than any part, with the class around them."""
    holes, count = ndimage.label(labels == 0)
    around = ndimage.maximum(ndimage.grey_dilation(labels, size=3), holes, np.arange(count + 1))
    small = (np.bincount(holes.ravel(), minlength=count + 1) < smallest) & (np.arange(count + 1) > 0)
    filled: Labels = np.where(small[holes], np.asarray(around, dtype=np.uint8)[holes], labels)
    return filled


def _labelled(chances: Floats, threshold: float) -> Labels:
    foreground = 1.0 - chances[..., 0] >= threshold
    return np.where(foreground, chances[..., 1:].argmax(axis=-1) + 1, 0).astype(np.uint8)


def found_in(chances: Floats, *, threshold: float, smallest: float, core: float = CORE) -> list[Found]:
    """Find connected parts, the surest first; core: what share of a region's extent was learned."""
    labels = _labelled(chances, threshold)
    found = [
        one
        for number in range(1, chances.shape[2])
        for one in _parts_of(labels == number, chances[..., number], number, smallest, core)
    ]
    return _once(sorted(found, key=lambda one: -one.box.score))


def _parts_of(
    drawn: NDArray[np.bool_], chance: Floats, number: int, smallest: float, core: float
) -> list[Found]:
    parts, _ = ndimage.label(drawn)
    found = []
    for place, slices in enumerate(ndimage.find_objects(parts), start=1):
        own = parts[slices] == place
        if own.sum() < smallest:
            continue
        (rows, columns), score = slices, float(chance[slices][own].mean())
        bounds = Box(columns.start, rows.start, columns.stop, rows.stop, number, score)
        grown = _grown(bounds, core, drawn.shape)
        found.append(Found(grown, _outline(own, rows.start, columns.start)))
    return found


def _grown(box: Box, core: float, shape: tuple[int, ...]) -> Box:
    """Grow a core's box to the whole region's, within the image."""
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    across, down = (box.right - box.left) / core / 2, (box.bottom - box.top) / core / 2
    left, right = max(0.0, middle[0] - across), min(float(shape[1]), middle[0] + across)
    top, bottom = max(0.0, middle[1] - down), min(float(shape[0]), middle[1] + down)
    return Box(left, top, right, bottom, box.label, box.score)


def _outline(own: NDArray[np.bool_], top: int, left: int) -> Points:
    """Give the farthest pixel in each of some directions from the middle."""
    rows, columns = np.nonzero(own & ~ndimage.binary_erosion(own))
    middle = rows.mean(), columns.mean()
    turn = np.arctan2(rows - middle[0], columns - middle[1])
    direction = ((turn + np.pi) / (2 * np.pi) * CORNERS).astype(int) % CORNERS
    distance = np.hypot(rows - middle[0], columns - middle[1])
    far = [
        group[distance[group].argmax()]
        for group in (np.flatnonzero(direction == one) for one in range(CORNERS))
        if len(group)
    ]
    return [[float(columns[at] + left + 0.5), float(rows[at] + top + 0.5)] for at in far]


def _once(found: Sequence[Found]) -> list[Found]:
    """Leave out what overlaps a surer one of its class."""
    kept: list[Found] = []
    for one in found:
        same = [other for other in kept if other.box.label == one.box.label]
        if all(overlap(one.box.edges, other.box.edges) < SAME for other in same):
            kept.append(one)
    return kept


def points_of(kind: str, found: Found) -> Points:
    """Write a region as its kind's points; a polygon that has too few corners is its box's."""
    box = found.box
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    if kind == "box":
        return [[box.left, box.top], [box.right, box.bottom]]
    if kind == "ellipse":
        level = [[box.left, down], [box.right, down]]
        upright = [[across, box.top], [across, box.bottom]]
        return level + upright if box.right - box.left >= box.bottom - box.top else upright + level
    corners = [[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]]
    return found.outline if len(found.outline) >= 3 else corners
