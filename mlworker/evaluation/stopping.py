"""What tells when more labels bring little: stability of predictions, uncertainty of the pool, a forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Numbers = NDArray[np.integer]
EXPONENTS = np.geomspace(0.1, 2.0, 25)
DRAWS, COVERED = 4_000, 0.9
FEWEST_POINTS, SMALLEST_SPAN, NEXT = 5, 2.0, 100
NORMAL_95 = 3.92  # width of a 95 % interval in standard deviations
SMALLEST_DEVIATION = 2e-3


@dataclass(frozen=True)
class Forecast:
    """What the next labels will bring: the expected gain and its 90 % interval, in the metric's unit."""

    labels: int
    gain: float
    low: float
    high: float


def kappa(before: Numbers, after: Numbers, classes: int) -> float:
    """Agreement of two models beyond chance (Cohen 1960), mean over decisions: 1 where all is the same.

    before, after: (case, decision) predicted class numbers.
    """
    return float(np.mean([_kappa(*pair, classes) for pair in zip(before.T, after.T, strict=True)]))


def _kappa(before: Numbers, after: Numbers, classes: int) -> float:
    table = np.bincount(before * classes + after, minlength=classes**2).reshape(classes, classes)
    shares = table / len(before)
    observed = float(np.trace(shares))
    expected = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return 1.0 if expected >= 1.0 else (observed - expected) / (1.0 - expected)


def uncertainty(probabilities: Floats) -> float:
    """Mean of the cases' uncertainty. probabilities: (case, decision, class)."""
    return float(uncertainties(probabilities).mean())


def uncertainties(probabilities: Floats) -> Floats:
    """Entropy as a share of the largest possible one, mean over decisions.

    probabilities: (case, decision, class). returns: (case,).
    """
    safe = np.maximum(probabilities.astype(np.float64), 1e-12)
    entropies = -(safe * np.log(safe)).sum(axis=-1) / np.log(probabilities.shape[-1])
    return np.asarray(entropies.mean(axis=-1))


def forecast(curve: Sequence[Mapping[str, float]], *, more: int = NEXT, seed: int = 0) -> Forecast | None:
    """Foresee the gain of the next labels from an inverse power law value = a − b·labels^−c.

    a and b by weighted least squares for each c of a grid; each c counts by how well it explains the curve,
    so that the interval holds what the curve cannot tell, and by how much models scatter about it: what a
    reader of the curve will see is the difference of two models.
    curve: [{"labels", "value", "low", "high"}, …], intervals 95 %.
    returns: None where it is too early: fewer than five points, or labels that have not doubled.
    """
    points = last_of_each(curve)
    labels = np.array([point["labels"] for point in points], dtype=np.float64)
    if len(points) < FEWEST_POINTS or labels.max() < SMALLEST_SPAN * max(labels.min(), 1.0):
        return None
    values = np.array([point["value"] for point in points], dtype=np.float64)
    widths = np.array([point["high"] - point["low"] for point in points], dtype=np.float64)
    deviations = np.maximum(widths / NORMAL_95, SMALLEST_DEVIATION)
    gains = _drawn_gains(labels, values, deviations, more=more, seed=seed)
    if not len(gains):
        return None
    low, high = np.quantile(gains, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Forecast(more, float(np.median(gains)), float(low), float(high))


def last_of_each(curve: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """Take the newest model of each number of labels, by number of labels; none without a label."""
    newest = {point["labels"]: point for point in curve if point["labels"] > 0}
    return [newest[labels] for labels in sorted(newest)]


def _drawn_gains(
    labels: Floats, values: Floats, deviations: Floats, *, more: int, seed: int
) -> NDArray[np.float64]:
    """Draw gains from what the curve leaves open: exponent, level and height."""
    fits = [_fitted(labels, values, deviations, exponent) for exponent in EXPONENTS]
    evidence = np.array([fit.evidence for fit in fits])
    chances = np.exp(evidence - evidence.max())
    random = np.random.default_rng(seed)
    counts = random.multinomial(DRAWS, chances / chances.sum())
    last = labels.max()
    gains = [np.empty(0)]
    for exponent, fit, count in zip(EXPONENTS, fits, counts, strict=True):
        level, height = random.multivariate_normal(fit.centre, fit.covariance, size=count).T
        allowed = (height >= 0.0) & (level <= 1.0)
        scatter = random.normal(0.0, np.sqrt(2.0) * fit.scatter, size=count)
        gains.append((height * (last**-exponent - (last + more) ** -exponent) + scatter)[allowed])
    return np.concatenate(gains)


@dataclass(frozen=True)
class _Fit:
    centre: Floats
    covariance: Floats
    evidence: float
    scatter: float


def _fitted(labels: Floats, values: Floats, deviations: Floats, exponent: float) -> _Fit:
    """Weighted least squares of level and height, with the prior that both lie between 0 and about 1.

    The deviations are enlarged where the points scatter more than they say.
    """
    design = np.stack([np.ones_like(labels), -(labels**-exponent)], axis=1)
    reach = labels.min() ** exponent  # height that moves the first point by 1
    prior = np.diag([1.0, 1.0 / reach**2])
    centre = np.array([1.0, 0.0])
    inflation = 1.0
    for _ in range(2):
        weights = 1.0 / (deviations * inflation) ** 2
        precision = (design.T * weights) @ design + prior
        covariance = np.linalg.inv(precision)
        solved = covariance @ ((design.T * weights) @ values + prior @ centre)
        squares = ((values - design @ solved) / deviations) ** 2
        inflation = max(1.0, float(np.sqrt(squares.sum() / max(len(labels) - 3, 1))))
    weights, left_over = 1.0 / (deviations * inflation) ** 2, values - design @ solved
    misfit = float((weights * left_over**2).sum()) + float((solved - centre) @ prior @ (solved - centre))
    occam = float(np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(prior)[1])
    evidence = -0.5 * misfit + 0.5 * occam + float(0.5 * np.log(weights).sum())
    scatter = float(np.sqrt((left_over**2).sum() / max(len(labels) - 3, 1)))
    return _Fit(solved, (covariance + covariance.T) / 2, evidence, scatter)
