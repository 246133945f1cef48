"""What runs of many seeds say together: areas, targets, paired differences. NumPy and SciPy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

from mlworker.replay.turns import Curve
from mlworker.replay.worlds import Floats, Numbers

REPLICATES = 2_000
TIE = 0.005  # of balanced accuracy, over the mean height of the curve
TARGET_SHARE = 0.95
FEWEST_SEEDS = 6  # below, no paired test can reach 5 %


@dataclass(frozen=True)
class Compared:
    """Two strategies seed by seed: mean difference of the areas with its 95 % interval, and Wilcoxon's p."""

    name: str
    against: str
    difference: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int
    p: float
    p_holm: float


def area(curve: Curve) -> float:
    """Normalised area under the learning curve: its mean height over the readings (trapezium rule)."""
    return mean_height(curve.readings, curve.score)


def mean_height(x: Floats | Numbers, y: Floats) -> float:
    """Mean of a curve over x; its value where it is a single point."""
    width = float(x[-1] - x[0])
    return float(np.trapezoid(y, x) / width) if width else float(y[0])


def interval_of_mean(values: Floats, *, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean over seeds, by bootstrap. values: (seed,)."""
    means = values[_resampled(len(values), seed)].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def first_reach(x: Floats | Numbers, y: Floats, target: float) -> float:
    """Find where a curve first reaches a value, between two turns by a straight line; infinite if never."""
    reached = np.flatnonzero(y >= target)
    if not len(reached):
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return float(x[0])
    share = (target - y[at - 1]) / (y[at] - y[at - 1])
    return float(x[at - 1] + share * (x[at] - x[at - 1]))


def reach(x: Floats | Numbers, curves: Floats, target: float) -> dict[str, Any]:
    """Say where the mean curve, and each seed's, reaches a value; null where the budget ended before.

    x: (turn,). curves: (seed, turn).
    """
    resampled = np.array([first_reach(x, one, target) for one in _mean_curves(curves)])
    by_seed = np.array([first_reach(x, one, target) for one in curves])
    low, high = np.percentile(resampled, [2.5, 97.5], method="nearest")
    return {
        "value": known(first_reach(x, curves.mean(axis=0), target)),
        "interval": [known(low), known(high)],
        "by_seed": [known(one) for one in by_seed],
        "reached": int(np.isfinite(by_seed).sum()),
    }


def ratio_of_reach(x: Floats | Numbers, ours: Floats, other: Floats, target: float) -> dict[str, Any]:
    """Compare where two mean curves reach a value: ours / other, interval over the same seeds of both.

    Where only ours reaches it within the budget, the other counts with the budget: `at_most` is then true.
    """
    pairs = zip(_mean_curves(ours), _mean_curves(other), strict=True)
    ratios = [_ratio(first_reach(x, a, target), first_reach(x, b, target), x[-1]) for a, b in pairs]
    low, high = np.percentile(ratios, [2.5, 97.5], method="nearest")
    mine, its = (first_reach(x, one.mean(axis=0), target) for one in (ours, other))
    return {
        "value": known(_ratio(mine, its, x[-1])),
        "interval": [known(low), known(high)],
        "at_most": bool(np.isfinite(mine) and not np.isfinite(its)),
    }


def _ratio(mine: float, its: float, budget: float) -> float:
    return mine / min(its, float(budget))


def _mean_curves(curves: Floats) -> Floats:
    """Mean curves of resampled seeds: (replicate, turn)."""
    return np.asarray(curves[_resampled(len(curves), 0)].mean(axis=1))


def _resampled(count: int, seed: int) -> Any:  # noqa: ANN401  an index array
    return np.random.default_rng(seed).integers(count, size=(REPLICATES, count))


def known(value: float) -> float | None:
    """Give a finite number for JSON, else null."""
    return round(float(value), 6) if np.isfinite(value) else None


def compared(areas: Mapping[str, Floats], pairs: Sequence[tuple[str, str]]) -> list[Compared]:
    """Compare strategies in pairs over the same seeds; p adjusted over these pairs (Holm 1979)."""
    chances = [wilcoxon_p(areas[name] - areas[against]) for name, against in pairs]
    return [
        _compared(name, against, areas[name] - areas[against], p, adjusted)
        for (name, against), p, adjusted in zip(pairs, chances, holm(chances), strict=True)
    ]


def _compared(name: str, against: str, differences: Floats, p: float, adjusted: float) -> Compared:
    low, high = interval_of_mean(differences)
    wins, losses = int((differences > TIE).sum()), int((differences < -TIE).sum())
    return Compared(
        name,
        against,
        float(differences.mean()),
        low,
        high,
        wins,
        len(differences) - wins - losses,
        losses,
        p,
        adjusted,
    )


def wilcoxon_p(differences: Floats) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; 1 where no seed differs."""
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences, zero_method="pratt").pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """Adjust p values for their number (Holm 1979), in the order given."""
    order = np.argsort(chances, kind="stable")
    scaled = np.array(chances)[order] * np.arange(len(chances), 0, -1)
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in adjusted]


def of_strategy(curves: Sequence[Curve], target: float) -> dict[str, Any]:
    """Sum up one strategy's runs, one a seed, as plain values."""
    readings = curves[0].readings
    scores = np.stack([curve.score for curve in curves])
    areas = np.array([area(curve) for curve in curves])
    spent = np.mean([curve.seconds for curve in curves], axis=0)
    bands = [interval_of_mean(scores[:, at]) for at in range(len(readings))]
    return {
        "area_mean": known(float(areas.mean())),
        "area_interval": [known(one) for one in interval_of_mean(areas)],
        "areas": [known(value) for value in areas],
        "curve": _pairs(readings, scores.mean(axis=0)),
        "curve_interval": [[int(x), known(a), known(b)] for x, (a, b) in zip(readings, bands, strict=True)],
        "labels_to_target": reach(readings, scores, target),
        "seconds_to_target": reach(spent, scores, target) if spent.any() else None,
        "worst_class_recall": _pairs(readings, np.mean([one.worst_recall for one in curves], axis=0)),
        "calibration_error": _pairs(readings, _known_mean([one.calibration_error for one in curves])),
    }


def _pairs(x: Floats | Numbers, y: Floats) -> list[list[Any]]:
    return [[int(a), known(b)] for a, b in zip(x, y, strict=True)]


def _known_mean(rows: Sequence[Floats]) -> Floats:
    """Mean over the seeds that have a model; NaN where none has."""
    values = np.stack(rows)
    there = np.isfinite(values)
    counts = there.sum(axis=0)
    sums = np.where(there, values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
