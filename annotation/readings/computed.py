"""Values that are computed from what was drawn. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotation.projects.masks import Mask, row_counts
from annotation.projects.questions import Largest, VerticalRatio
from annotation.projects.regions import Region
from annotation.readings.measurements import rows_spanned

# What was drawn, by question: regions with their kind, or a mask.
Drawn = dict[str, tuple[str, list[Region]] | Mask]
Extents = dict[tuple[str, int], float]


def value_of(formula: VerticalRatio | Largest, drawn: Drawn, found: Mapping[str, Any]) -> float | None:
    """Compute a formula; None where what it needs was not drawn.

    found: measurements by region id.
    """
    if isinstance(formula, Largest):
        source = drawn.get(formula.of)
        regions = [] if source is None or isinstance(source, Mask) else source[1]
        values = [found[one.id][formula.measure] for one in regions if formula.measure in found[one.id]]
        return max(values, default=None)
    first, second = (extents(reference, drawn) for reference in formula.of)
    shared = [image for image in second if image in first and second[image] > 0]
    if not shared:
        return None
    image = max(shared, key=lambda one: second[one])
    return first[image] / second[image]


def extents(reference: str, drawn: Drawn) -> Extents:
    """Extent across the rows, in pixels, of all that one reference draws, by image and frame."""
    key, _, value = reference.partition(":")
    source = drawn.get(key)
    if source is None:
        return {}
    if isinstance(source, Mask):
        return mask_extents(source, value)
    kind, regions = source
    spans: dict[tuple[str, int], list[float]] = {}
    for region in regions:
        spans.setdefault((region.image, region.frame), []).extend(rows_spanned(kind, region.points))
    return {image: max(rows) - min(rows) for image, rows in spans.items()}


def mask_extents(mask: Mask, value: str) -> Extents:
    """Rows from the first to the last with a voxel of a class, by image."""
    found: Extents = {}
    for image, rows in zip(mask.images, row_counts(mask, value), strict=True):
        places = np.flatnonzero(rows)
        if len(places):
            uid, _, frame = image.partition("#")
            found[uid, int(frame or 1)] = float(places[-1] - places[0] + 1)
    return found
