"""Masks of several readers fused voxel by voxel: STAPLE (Warfield 2004). Pure.

Voxels that the readers labelled alike are one pattern, so that the estimate takes as long for a volume as for
a slice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.readings.fusion.choices import Floats, Integers, Labels, expected, majority, matrices_of

ROUNDS, TOLERANCE = 1000, 1e-10
MARGIN = 1


@dataclass(frozen=True)
class Staple:
    """Patterns with how likely each class is, (pattern, class), and the readers' matrices.

    matrices: (reader, true class, class drawn); of two classes the diagonal is specificity, sensitivity.
    """

    shares: Floats
    matrices: Floats


def staple(patterns: Integers, counts: Floats, *, classes: int = 2, rounds: int = ROUNDS) -> Staple:
    """Estimate what is true of each pattern, and how well each reader draws it.

    patterns: (pattern, reader), class each drew there, 0 for background. counts: voxels of each pattern.
    """
    size, readers = patterns.shape
    labels = Labels(
        np.repeat(np.arange(size), readers), np.tile(np.arange(readers), size), patterns.ravel(), classes
    )
    votes, coins = labels.votes(), np.zeros(readers, dtype=bool)
    priors = np.bincount(patterns.ravel(), np.repeat(counts, readers), classes) / (counts.sum() * readers)
    shares, before = majority(labels), np.zeros((readers, classes, classes))
    for _ in range(rounds):
        matrices = matrices_of(votes, shares * counts[:, None], coins=coins)
        shares = expected(votes, priors, matrices)
        if np.abs(matrices - before).max() <= TOLERANCE:
            break
        before = matrices
    return Staple(shares, matrices)


def staple_of_voxels(masks: Sequence[NDArray[np.uint8]], *, classes: int = 2, rounds: int = ROUNDS) -> Floats:
    """How likely each class is at each voxel, (class, z, y, x), inside the box around all that was drawn.

    Outside it everybody drew background. masks: (z, y, x) of classes, 0 for background.
    """
    codes = np.zeros(masks[0].shape, dtype=np.int64)
    for number, mask in enumerate(masks):
        codes += mask.astype(np.int64) * classes**number
    found = np.zeros((classes, *codes.shape))
    found[0] = 1.0
    if codes.any():
        box = box_around(codes > 0)
        known, places, counts = np.unique(codes[box], return_inverse=True, return_counts=True)
        patterns = known[:, None] // classes ** np.arange(len(masks)) % classes
        shares = staple(patterns, counts.astype(np.float64), classes=classes, rounds=rounds).shares
        found[(slice(None), *box)] = shares.T[:, places.reshape(codes[box].shape)]
    return found


def box_around(drawn: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Box around what is drawn, one voxel wider on each side where the image goes on."""
    found = []
    for axis, size in enumerate(drawn.shape):
        others = tuple(one for one in range(drawn.ndim) if one != axis)
        at = np.flatnonzero(drawn.any(axis=others))
        found.append(slice(max(0, int(at[0]) - MARGIN), min(size, int(at[-1]) + 1 + MARGIN)))
    return tuple(found)
