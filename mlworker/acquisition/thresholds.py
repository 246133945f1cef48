"""Class thresholds (Nuggehalli 2023, DIRECT): read next to the cut that separates a class from the others."""

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, distributions


def leads(probabilities: Floats) -> Floats:
    """Lead of each class over the best of the others: (case, class) → (class, case), -1 … 1."""
    distributions(probabilities)
    if probabilities.shape[1] < 2:
        raise ValueError("class thresholds need at least 2 classes")
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    best_other = np.where(probabilities == top[:, 1:], top[:, :1], top[:, 1:])
    return np.asarray((probabilities - best_other).T, dtype=np.float64)


def cut(values: Floats, members: np.ndarray) -> float:
    """Find the threshold with the fewest errors, members at or above it; the middle one where many are.

    values: (case,) leads, -1 … 1. members: (case,) true where a case is of the class.
    """
    order = np.argsort(values, kind="stable")
    edges = np.concatenate([[-1.0], values[order], [1.0]])
    below = np.concatenate([[0], np.cumsum(members[order])])
    above = np.count_nonzero(~members) - np.concatenate([[0], np.cumsum(~members[order])])
    errors = np.where(np.diff(edges) > 0.0, below + above, len(values) + 1)
    best = np.flatnonzero(errors == errors.min())
    middle = best[len(best) // 2]
    return float(0.5 * (edges[middle] + edges[middle + 1]))


def closeness(probabilities: Floats, known: Floats, labels: Indices) -> Floats:
    """Say how near each case's lead is to its class's cut, 1 on it: (class, case), 0 … 1.

    probabilities: (case, class) of unread cases. known: (label, class), predictions of labelled cases by
    heads that did not learn from them. labels: (label,) class numbers.
    """
    rows = zip(leads(probabilities), leads(known), strict=True)
    values = [1.0 - np.abs(unread - cut(own, labels == number)) for number, (unread, own) in enumerate(rows)]
    return np.asarray(np.clip(np.stack(values), 0.0, 1.0))
