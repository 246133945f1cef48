"""Statistics of agreement with their intervals. Pure.

Each is a function of sums over cases, so that a bootstrap replicate, which draws the cases again with
replacement, is one weighted sum.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPLICATES, SEED = 1000, 0
# Numbers that are held at a time while replicates are drawn.
BLOCK = 2**22
NOBODY = "no case has two readings to compare"

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# (…, feature) → (…), NaN where the statistic is not defined.
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Measured:
    """A statistic with its 95 % interval, or why there is none; cases: how many it rests on.

    low, high: None where one case alone, or what most replicates drew, does not define it.
    """

    value: float | None
    low: float | None
    high: float | None
    cases: int
    why: str = ""

    def as_row(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


def undefined(why: str, cases: int = 0) -> Measured:
    """Say why there is no value."""
    return Measured(None, None, None, cases, why)


def measured(contributions: Floats, statistic: Statistic, *, why: str) -> Measured:
    """Compute a statistic of all cases and its percentile interval by bootstrap over cases, seeded.

    contributions: (case, feature), whose sums the statistic takes.
    why:           what it means where these sums do not define it.
    """
    if not len(contributions):
        return undefined(NOBODY)
    patterns, counts = np.unique(contributions, axis=0, return_counts=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(contributions.sum(axis=0)))
        if not np.isfinite(value):
            return undefined(why, len(contributions))
        low, high = _interval(statistic, patterns, counts)
    if low is None or high is None:
        return Measured(value, None, None, len(contributions))
    return Measured(value, min(low, value), max(high, value), len(contributions))


def _interval(statistic: Statistic, patterns: Floats, counts: Integers) -> tuple[float | None, float | None]:
    cases = int(counts.sum())
    random = np.random.default_rng(SEED)
    step = max(1, BLOCK // len(patterns))
    found = [
        statistic(random.multinomial(cases, counts / cases, size=min(step, REPLICATES - done)) @ patterns)
        for done in range(0, REPLICATES, step)
    ]
    values = np.concatenate(found)
    defined = values[np.isfinite(values)]
    if cases < 2 or 2 * len(defined) < REPLICATES:
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def mean_of_cases(values: Floats) -> Measured:
    """Mean of one value a case."""
    found = np.stack([values, np.ones(len(values))], axis=1) if len(values) else np.zeros((0, 2))
    return measured(found, lambda sums: sums[..., 0] / sums[..., 1], why=NOBODY)
