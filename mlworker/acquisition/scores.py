"""How much a case's label would teach: pure functions, probabilities → one score a case."""

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, distributions, finite


def margin(probabilities: Floats) -> Floats:
    """One minus the lead of the likeliest class over the next (Scheffer 2001).

    probabilities: (…, class), rows sum to 1.
    returns:       (…), 1 where the two are equal, 0 where one class is certain.
    """
    distributions(probabilities)
    if probabilities.shape[-1] < 2:
        raise ValueError("margin needs at least 2 classes")
    top = np.partition(probabilities, -2, axis=-1)[..., -2:]
    return finite(np.clip(1.0 - (top[..., 1] - top[..., 0]), 0.0, 1.0), "margin")


def entropy(probabilities: Floats) -> Floats:
    """Shannon entropy, in nats.

    probabilities: (…, class), rows sum to 1. returns: (…), 0 where one class is certain.
    """
    distributions(probabilities)
    safe = np.where(probabilities > 0.0, probabilities, 1.0)
    return finite(-(safe * np.log(safe)).sum(axis=-1), "entropy")


def bald(probabilities: Floats) -> Floats:
    """Mutual information between label and model weights, in nats (Houlsby 2011).

    probabilities: (case, head, …, class), rows sum to 1.
    returns:       (case, …), 0 where all heads agree. Given the weights labels are told independently of each
                   other, so the sum over labels is what all of them tell at most.
    """
    mean = entropy(probabilities.mean(axis=1))
    return finite(np.maximum(mean - entropy(probabilities).mean(axis=1), 0.0), "bald")


def weighted(scores: Floats, labelled: Indices) -> Floats:
    """Mean score over decisions, each weighted by the inverse of its rarest class's posterior prevalence.

    scores: (case, decision). labelled: (decision, class) labels so far; the prevalence is the mean of its
    posterior under a flat prior. Averaging what single labels are scored: Esuli and Sebastiani 2009.
    returns: (case,).
    """
    weights = (labelled.sum(axis=1) + labelled.shape[1]) / (labelled.min(axis=1) + 1.0)
    return finite(scores @ (weights / weights.sum()), "weighted")
