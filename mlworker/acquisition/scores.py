"""How much a case's label would teach: pure functions, probabilities → one score a case."""

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, distributions, finite


def margin(probabilities: Floats) -> Floats:
    """One minus the lead of the likeliest class over the next (Scheffer 2001).

    probabilities: (case, class), rows sum to 1.
    returns:       (case,), 1 where the two are equal, 0 where one class is certain.
    """
    distributions(probabilities)
    if probabilities.shape[-1] < 2:
        raise ValueError("margin needs at least 2 classes")
    top = np.partition(probabilities, -2, axis=-1)[:, -2:]
    return finite(np.clip(1.0 - (top[:, 1] - top[:, 0]), 0.0, 1.0), "margin")


def entropy(probabilities: Floats) -> Floats:
    """Shannon entropy, in nats.

    probabilities: (…, class), rows sum to 1. returns: (…), 0 where one class is certain.
    """
    distributions(probabilities)
    safe = np.where(probabilities > 0.0, probabilities, 1.0)
    return finite(-(safe * np.log(safe)).sum(axis=-1), "entropy")


def bald(probabilities: Floats) -> Floats:
    """Mutual information between label and model weights, in nats (Houlsby 2011).

    probabilities: (case, head, class), rows sum to 1.
    returns:       (case,), 0 where all heads agree.
    """
    mean = entropy(probabilities.mean(axis=1))
    return finite(np.maximum(mean - entropy(probabilities).mean(axis=1), 0.0), "bald")


def multilabel_entropy(probabilities: Floats, present: Indices, asked: Indices) -> Floats:
    """Mean binary entropy, each label weighted by the inverse of its posterior prevalence, in nats.

    probabilities: (case, label), each on its own. present, asked: (label,) how often it was so far; the
    prevalence is the mean of its posterior under a flat prior. returns: (case,).
    """
    finite(probabilities, "probabilities")
    if probabilities.min(initial=0.0) < 0.0 or probabilities.max(initial=0.0) > 1.0:
        raise ValueError("probabilities: one is not between 0 and 1")
    weights = (asked + 2.0) / (present + 1.0)
    both = np.stack([probabilities, 1.0 - probabilities], axis=-1)
    return finite(entropy(both) @ (weights / weights.sum()), "multilabel_entropy")
