"""Agreement of boxes, free-response: nobody knows how many there are. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.readings.agreement.drawn import HIT, Labelled, overlap
from annotation.readings.agreement.measured import Floats, Measured, measured, summed_by_case

NO_BOX = "neither reader drew a box"
# False positives an image at which sensitivity is told (LUNA16).
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Boxes:
    """Two readers' boxes of some images. f1: free-response kappa (Carpentier 2017) has the same value.

    overlap:                 of the boxes that match, 0 – 1.
    only_one, only_other:    boxes an image that match none of the other reader's.
    """

    f1: Measured
    overlap: Measured
    only_one: Measured
    only_other: Measured


def matches(
    one: Sequence[Labelled], other: Sequence[Labelled], *, threshold: float = HIT
) -> list[tuple[int, int, float]]:
    """Pair boxes of one label one to one, the largest overlap first, whoever drew which."""
    pairs = [
        (overlap(edges, own), i, j)
        for i, (label, edges) in enumerate(one)
        for j, (same, own) in enumerate(other)
        if label == same
    ]
    found: list[tuple[int, int, float]] = []
    for value, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        is_free = all(i != first and j != second for first, second, _ in found)
        if value >= threshold and is_free:
            found.append((i, j, value))
    return found


def compared(
    images: Sequence[tuple[Sequence[Labelled], Sequence[Labelled]]],
    *,
    cases: Sequence[int] | None = None,
    threshold: float = HIT,
) -> Boxes:
    """Compare two readers' boxes, image by image.

    cases: the numbers of the images' cases, which intervals draw whole; none: each image is one.
    """
    rows = []
    for one, other in images:
        found = matches(one, other, threshold=threshold)
        shared = sum(value for _, _, value in found)
        rows.append([1.0, len(found), shared, len(one) - len(found), len(other) - len(found)])
    counts = np.asarray(rows, dtype=np.float64).reshape(-1, 5)
    sums = counts if cases is None else summed_by_case(np.array(cases, dtype=np.int64), counts)
    return Boxes(
        f1=measured(sums, lambda s: 2 * s[..., 1] / (2 * s[..., 1] + s[..., 3] + s[..., 4]), why=NO_BOX),
        overlap=measured(sums, lambda s: s[..., 2] / s[..., 1], why="no two boxes match"),
        only_one=measured(sums, lambda s: s[..., 3] / s[..., 0], why=NO_BOX),
        only_other=measured(sums, lambda s: s[..., 4] / s[..., 0], why=NO_BOX),
    )


def froc(
    images: Sequence[tuple[Sequence[tuple[float, Labelled]], Sequence[Labelled]]],
    *,
    threshold: float = HIT,
    rates: Sequence[float] = RATES,
) -> list[Measured]:
    """Sensitivity at so many false positives an image, of boxes with a score against a reader's.

    images: (score, box) that were found, the truth. A box found counts once, the surest first.
    """
    hits = [_scored(found, truth, threshold) for found, truth in images]
    scores = np.concatenate(
        [np.asarray(one, dtype=np.float64).reshape(-1, 2) for one in hits] or [np.zeros((0, 2))]
    )
    cuts = [_cut(scores, rate * len(images)) for rate in rates]
    truths = [len(truth) for _, truth in images]
    return [_sensitivity(hits, truths, cut) for cut in cuts]


def _scored(
    found: Sequence[tuple[float, Labelled]], truth: Sequence[Labelled], threshold: float
) -> list[tuple[float, float]]:
    """Score of each box found, and whether it matches one of the truth."""
    left = list(truth)
    rows = []
    for score, (label, edges) in sorted(found, key=lambda one: -one[0]):
        fitting = [(overlap(edges, own), at) for at, (same, own) in enumerate(left) if same == label]
        best, at = max(fitting, default=(0.0, -1))
        rows.append((score, float(best >= threshold)))
        if best >= threshold:
            left.pop(at)
    return rows


def _cut(scores: Floats, allowed: float) -> float:
    """Lowest score from which no more than so many boxes are false."""
    order = np.argsort(-scores[:, 0], kind="stable")
    values, false = scores[order, 0], np.cumsum(1 - scores[order, 1])
    # Boxes of one score come all or none.
    last = np.searchsorted(-values, -values, side="right") - 1
    kept = values[false[last] <= allowed]
    return float(kept.min()) if len(kept) else np.inf


def _sensitivity(hits: Sequence[list[tuple[float, float]]], truths: Sequence[int], cut: float) -> Measured:
    found = [sum(is_hit for score, is_hit in one if score >= cut) for one in hits]
    sums = np.column_stack([found, truths]).astype(np.float64) if truths else np.zeros((0, 2))
    return measured(sums, lambda s: s[..., 0] / s[..., 1], why="the reader drew no box")
