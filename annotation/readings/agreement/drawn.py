"""How much two drawings agree: masks by Dice, regions by the overlap of their boxes. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from annotation.projects.masks import Integers, Mask, intervals
from annotation.projects.regions import Region

Edges = tuple[float, float, float, float]
Labelled = tuple[object, Edges]
HIT = 0.5


def overlap(one: Edges, other: Edges) -> float:
    """Intersection over union of two boxes: left, top, right, bottom."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(edges: Edges) -> float:
    return max(0.0, edges[2] - edges[0]) * max(0.0, edges[3] - edges[1])


def matched(found: Sequence[Labelled], truth: Sequence[Labelled]) -> int:
    """Count boxes that match one of the truth of their label at an overlap of a half, each used once.

    found: the surest first.
    """
    left = list(truth)
    count = 0
    for label, edges in found:
        fitting = [(overlap(edges, own), at) for at, (other, own) in enumerate(left) if other == label]
        best, at = max(fitting, default=(0.0, -1))
        if best >= HIT:
            count += 1
            left.pop(at)
    return count


def f1(found: Sequence[Labelled], truth: Sequence[Labelled]) -> float:
    """Harmonic mean of precision and recall at an overlap of a half; 1 where neither has a box."""
    total = len(found) + len(truth)
    return 1.0 if total == 0 else 2.0 * matched(found, truth) / total


def regions_agree(suggested: Sequence[Any], sent: Sequence[Any]) -> float:
    """F1 of two answers of regions, each on its own image: 0 – 1."""
    return f1([bounded(one) for one in suggested], [bounded(one) for one in sent])


def bounded(answer: Any) -> Labelled:  # noqa: ANN401 - JSON
    """Give the box around a region as it is answered, with its image and label."""
    region = Region.model_validate(answer)
    across, down = zip(*region.points, strict=True)
    place = (region.image, region.frame, region.label)
    return place, (min(across), min(down), max(across), max(down))


def masks_agree(suggested: object, sent: object) -> float:
    """Mean Dice over the classes that either answer has, 0 – 1; 1 where neither has any."""
    found = dice_by_class(suggested, sent)
    return float(np.mean([*found.values()])) if found else 1.0


def dice_by_class(one_answer: object, other_answer: object) -> dict[str, float]:
    """Dice of each class that either answer has, 0 – 1.

    Masks of the same images in another order agree in nothing: both are written in reading order.
    """
    one, other = _mask(one_answer), _mask(other_answer)
    values = sorted({*(one.classes if one else ()), *(other.classes if other else ())})
    if one is None or other is None or (one.images, one.shape) != (other.images, other.shape):
        return dict.fromkeys(values, 0.0)
    return {value: _dice(_spans(one, value), _spans(other, value)) for value in values}


def _mask(answer: object) -> Mask | None:
    return Mask.model_validate(answer) if answer else None


def _spans(mask: Mask, value: str) -> Integers:
    return intervals(mask.classes[value], mask.size) if value in mask.classes else np.zeros((0, 2), np.int64)


def _dice(one: Integers, other: Integers) -> float:
    """Dice of two lists of runs, (run, 2): first voxel, and the one after the last."""
    total = _length(one) + _length(other)
    shared = int((_before(other, one[:, 1]) - _before(other, one[:, 0])).sum())
    return 2.0 * shared / total if total else 1.0


def _length(spans: Integers) -> int:
    return int((spans[:, 1] - spans[:, 0]).sum())


def _before(spans: Integers, places: Integers) -> Integers:
    """Count the voxels of runs that lie before each place."""
    lengths = np.concatenate([[0], np.cumsum(spans[:, 1] - spans[:, 0])])
    begun = np.searchsorted(spans[:, 0], places)
    ends = np.concatenate([[0], spans[:, 1]])
    found: Integers = lengths[begun] - np.maximum(0, ends[begun] - places)
    return found
