"""BADGE without its gradients: uncertain and different from each other (Ash 2020), factored.

A case's gradient embedding is the outer product of a (class errors) and h (features), so distances follow
from two small inner products and the outer product is never formed.
"""

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, Keys, blocks, distributions, finite
from mlworker.acquisition.batches import Draws

HELD_ROWS = 65_536  # converted once; of a larger pool, block by block in every turn


def badge_batch(probabilities: Floats, features: Floats, keys: Keys, *, size: int, seed: int) -> Draws:
    """First the largest gradient, then each in proportion to its squared distance from those chosen.

    probabilities: (case, class), or (case, decision, class): then the loss is the sum over decisions.
    features: (case, feature). keys: (case,) identities.
    """
    distributions(probabilities)
    finite(features, "features")
    if len(keys) <= HELD_ROWS:
        features = features.astype(np.float32, copy=False)
    size, random = min(size, len(keys)), np.random.default_rng(seed)
    errors = class_errors(probabilities)
    lengths = (errors**2).sum(axis=1) * squared_lengths(features)
    canonical = np.argsort(keys, kind="stable")
    away, order, chances = np.full(len(keys), np.inf), np.empty(size, dtype=np.intp), np.full(size, np.nan)
    left = np.ones(len(keys), dtype=bool)
    for turn in range(size):
        if turn == 0:
            order[0] = canonical[lengths[canonical].argmax()]
        else:
            order[turn], chances[turn] = _drawn(away, left, canonical, random.random())
        last = order[turn]
        left[last] = False
        shared = (errors @ errors[last]) * products(features, features[last])
        away = np.minimum(away, np.maximum(lengths + lengths[last] - 2.0 * shared, 0.0))
    return Draws(order, chances)


def class_errors(probabilities: Floats) -> Floats:
    """Gradient of the loss by the logits, were the likeliest class right.

    probabilities: (case, …, class). returns: (case, logit). A decision between two classes has two logits
    with opposite slopes instead of one: all distances grow alike, and the draws are those of one.
    """
    errors = probabilities.astype(np.float64)
    top = errors.argmax(axis=-1)[..., None]
    np.put_along_axis(errors, top, np.take_along_axis(errors, top, axis=-1) - 1.0, axis=-1)
    return errors.reshape(len(errors), np.prod(errors.shape[1:], dtype=int))


def squared_lengths(features: Floats) -> Floats:
    """Squared length of each row, in double precision: (case,)."""
    parts = [features[rows].astype(np.float32, copy=False) for rows in blocks(len(features))]
    found = [np.einsum("ij,ij->i", part, part, dtype=np.float64) for part in parts]
    return np.concatenate([np.empty(0), *found])


def products(features: Floats, vector: Floats) -> Floats:
    """Inner product of each row with a vector, block by block: (case,)."""
    one = vector.astype(np.float32)
    parts = [features[rows].astype(np.float32, copy=False) @ one for rows in blocks(len(features))]
    return np.concatenate([np.empty(0), *parts])


def _drawn(away: Floats, left: np.ndarray, canonical: Indices, toss: float) -> tuple[int, float]:
    """Draw one of those left in proportion to `away`; all alike where nothing is away from what was drawn."""
    weights = np.where(left, away, 0.0)[canonical]
    if not weights.any():
        weights = left[canonical].astype(np.float64)
    mass = np.cumsum(weights)
    place = int(np.searchsorted(mass, toss * mass[-1], side="right"))
    place = min(place, int(np.flatnonzero(weights)[-1]))
    return int(canonical[place]), float(weights[place] / mass[-1])
