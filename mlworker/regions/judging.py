"""How well masks and boxes agree with a reader's. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.readings.agreement import drawn
from mlworker.regions.rasters import Box


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Twice the shared pixels over all of both (Dice 1945); 1 where both are empty."""
    total = int(one.sum()) + int(other.sum())
    return 1.0 if total == 0 else 2.0 * int((one & other).sum()) / total


def f1(found: Sequence[Box], truth: Sequence[Box]) -> float:
    """Harmonic mean of precision and recall at an overlap of a half; 1 where neither has a box."""
    return drawn.f1(*([(box.label, box.edges) for box in boxes] for boxes in (found, truth)))
