"""Metrics under case weights: one row of weights is one bootstrap replicate, all computed at once.

Each is of one decision between classes; `averaged` makes it one of a question with several.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
BINS = 10
Metric = Callable[[Floats, Labels, Floats], Floats]


def averaged(metric: Metric) -> Metric:
    """Average a metric over decisions: (case, decision, class), (case, decision), weights → (replicate,).

    A decision of which a replicate has one class alone says nothing there: a finding that nobody has would be
    recognised by whoever never sees it.
    """

    def over(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        values = [
            np.where(_is_known(column, weights), metric(own, column, weights), np.nan)
            for own, column in zip(probabilities.transpose(1, 0, 2), labels.T, strict=True)
        ]
        return _mean_known(np.stack(values, axis=1))

    return over


def of_decision(metric: Metric, decision: int) -> Metric:
    """Take one decision of several."""

    def of_one(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        return metric(probabilities[:, decision], labels[:, decision], weights)

    return of_one


def recall_of(number: int) -> Metric:
    """Recall of one class of a decision."""

    def recall(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        return class_recalls(probabilities, labels, weights)[:, number]

    return recall


def least(recalls: list[Metric]) -> Metric:
    """Least of some recalls, among those that a replicate knows; NaN where it knows none."""

    def worst(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        values = np.stack([one(probabilities, labels, weights) for one in recalls], axis=1)
        known = np.isfinite(values)
        return np.asarray(np.where(known.any(axis=1), np.where(known, values, np.inf).min(axis=1), np.nan))

    return worst


def f1(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """F1 of the last class: (replicate,), NaN where a replicate neither has it nor is told so."""
    positive = probabilities.shape[1] - 1
    told, there = probabilities.argmax(axis=1) == positive, labels == positive
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2.0 * (weights @ (told & there)) / (weights @ told + weights @ there))


def class_recalls(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """Share of each class that is recognised.

    probabilities: (case, class). labels: (case,). weights: (replicate, case).
    returns:       (replicate, class), NaN where a replicate has no case of a class.
    """
    truth = np.eye(probabilities.shape[1])[labels]
    right = (probabilities.argmax(axis=1) == labels)[:, None] * truth
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ right) / (weights @ truth))


def balanced_accuracy(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """Mean recall over the classes that a replicate has: (replicate,)."""
    return _mean_known(class_recalls(probabilities, labels, weights))


def macro_auc(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """Mean one-against-rest area under the ROC curve: (replicate,)."""
    areas = [
        _area(probabilities[:, value], labels == value, weights) for value in range(probabilities.shape[1])
    ]
    return _mean_known(np.stack(areas, axis=1))


def quadratic_kappa(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """Agreement of grades beyond chance, a miss weighing by its square (Cohen 1968): (replicate,).

    Classes stand in order; NaN where a replicate has one grade alone.
    """
    grades = np.arange(probabilities.shape[1])
    told = probabilities.argmax(axis=1)
    missed = weights @ ((told - labels) ** 2).astype(np.float64)
    by_chance = (grades[:, None] - grades) ** 2
    shares = [weights @ np.eye(len(grades))[numbers] for numbers in (labels, told)]
    expected = np.einsum("ri,ij,rj->r", shares[0], by_chance, shares[1]) / weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1.0 - missed / expected)


def calibration_error(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
    """Measure the expected calibration error of the likeliest class in ten bins (Guo 2017): (replicate,)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    members = np.eye(BINS)[place]
    gap = np.abs(weights @ (members * (confidence - right)[:, None])).sum(axis=1)
    return np.asarray(gap / weights.sum(axis=1))


def _area(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """Weighted probability that a positive case scores above a negative one, ties half: (replicate,)."""
    _, tie = np.unique(scores, return_inverse=True)
    order = np.argsort(tie, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(tie[order]) > 0])
    above = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    below = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    won = above * (np.cumsum(below, axis=1) - 0.5 * below)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(won.sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1)))


def _is_known(labels: Labels, weights: Floats) -> NDArray[np.bool_]:
    """Whether a replicate has two classes at least: (replicate,)."""
    there = weights @ (labels[:, None] == np.unique(labels))
    return np.asarray((there > 0.0).sum(axis=1) > 1)


def _mean_known(values: Floats) -> Floats:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1))
