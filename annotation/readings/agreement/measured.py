"""Statistics of agreement with their intervals. Pure.

Each is a function of sums over cases, so that a bootstrap replicate, which draws the cases again with
replacement, is one weighted sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPLICATES, SEED = 1000, 0
# Patterns from which sums over cases count as normal.
MANY = 200
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
    (found,) = all_measured(contributions, [statistic], why=why)
    return found


def all_measured(contributions: Floats, statistics: Sequence[Statistic], *, why: str) -> list[Measured]:
    """Compute several statistics of the same sums, as one alone."""
    if not len(contributions):
        return [undefined(NOBODY) for _ in statistics]
    drawn, total = resampled_sums(contributions), contributions.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [_measured(one, total, drawn, len(contributions), why) for one in statistics]


def _measured(statistic: Statistic, total: Floats, drawn: Floats, cases: int, why: str) -> Measured:
    value, values = float(statistic(total)), statistic(drawn)
    if not np.isfinite(value):
        return undefined(why, cases)
    defined = values[np.isfinite(values)]
    if cases < 2 or 2 * len(defined) < REPLICATES:
        return Measured(value, None, None, cases)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Measured(value, min(float(low), value), max(float(high), value), cases)


def resampled_sums(contributions: Floats) -> Floats:
    """Sum what bootstrap samples of the cases contribute, (replicate, feature).

    Of many cases that all differ the sums are drawn as the normal variates that they are by then.
    """
    patterns, counts = np.unique(contributions, axis=0, return_counts=True)
    cases, random = len(contributions), np.random.default_rng(SEED)
    if len(patterns) > MANY:
        spread = np.cov(contributions, rowvar=False, bias=True).reshape(patterns.shape[1], -1)
        values, axes = np.linalg.eigh(spread * cases)
        noise = random.normal(size=(REPLICATES, len(values))) * np.sqrt(values.clip(0.0))
        return np.asarray(contributions.sum(axis=0) + noise @ axes.T)
    return np.asarray(random.multinomial(cases, counts / cases, size=REPLICATES) @ patterns)


def summed_by_case(cases: Integers, contributions: Floats) -> Floats:
    """Sum what belongs to one case, (case, feature), the cases in order; cases: (row,), their numbers."""
    numbers, places = np.unique(cases, return_inverse=True)
    sums = np.zeros((len(numbers), contributions.shape[1]))
    np.add.at(sums, places, contributions)
    return sums


def means_by_case(cases: Integers, values: Floats) -> Floats:
    """Mean of what belongs to one case, (case,), the cases in order; cases: (row,), their numbers."""
    sums = summed_by_case(cases, np.column_stack([values, np.ones(len(values))]))
    return np.asarray(sums[:, 0] / sums[:, 1])


def mean_of_cases(values: Floats) -> Measured:
    """Mean of one value a case."""
    found = np.stack([values, np.ones(len(values))], axis=1) if len(values) else np.zeros((0, 2))
    return measured(found, lambda sums: sums[..., 0] / sums[..., 1], why=NOBODY)
