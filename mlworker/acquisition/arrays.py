"""Array types, the checks that every acquisition function makes, and blocks that bound its memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Indices = NDArray[np.intp]
Keys = NDArray[np.uint64]
BLOCK_ROWS = 8_192


def finite(values: Floats, name: str) -> Floats:
    """Pass on values that are all finite.

    raises: ValueError naming the array, the first place and the value.
    """
    for rows in blocks(len(values)):
        bad = ~np.isfinite(values[rows])
        if bad.any():
            place = tuple(int(axis) for axis in np.argwhere(bad)[0])
            place = (place[0] + rows.start, *place[1:])
            raise ValueError(f"{name}{list(place)} is {values[place]}: scores must be finite")
    return values


def distributions(probabilities: Floats, name: str = "probabilities") -> Floats:
    """Pass on probabilities whose last axis sums to 1.

    raises: ValueError naming the rule that is broken.
    """
    finite(probabilities, name)
    if probabilities.min(initial=0.0) < -1e-6:
        raise ValueError(f"{name}: a probability is below 0")
    if probabilities.size and np.abs(probabilities.sum(axis=-1) - 1.0).max() > 1e-3:
        raise ValueError(f"{name}: a row does not sum to 1")
    return probabilities


def blocks(count: int, rows: int = BLOCK_ROWS) -> Iterator[slice]:
    """Walk through `count` rows, so many at a time."""
    return (slice(start, min(start + rows, count)) for start in range(0, count, rows))
