"""From scores to an order: which case is drawn first, which next, and how likely that draw was."""

from dataclasses import dataclass

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, Keys, finite
from mlworker.acquisition.noise import gumbels, uniforms

SMALLEST_SCORE = 1e-9


@dataclass(frozen=True)
class Draws:
    """Cases in the order drawn, without replacement.

    order:       (draw,) positions in the arrays that were given.
    probability: (draw,) chance of that draw among those left; NaN where nothing was random. LURE needs it.
    """

    order: Indices
    probability: Floats

    def first(self, size: int) -> "Draws":
        """Only the first draws."""
        return Draws(self.order[:size], self.probability[:size])


def power_batch(scores: Floats, keys: Keys, *, size: int, power: float, seed: int) -> Draws:
    """Draw in proportion to score ** power, by Gumbel top-k (Kirsch 2021, PowerBALD).

    scores: (case,), ≥ 0. keys: (case,) identities. power: small is diverse, large is greedy.
    """
    finite(scores, "scores")
    if scores.min(initial=0.0) < 0.0:
        raise ValueError(f"scores: {scores.min()} is below 0, the power of a score needs it at or above")
    if not (np.isfinite(power) and power > 0.0):
        raise ValueError(f"power is {power}: it must be above 0")
    weights = power * np.log(np.maximum(scores.astype(np.float64), SMALLEST_SCORE))
    order = _descending(weights + gumbels(keys, seed), keys)
    return Draws(order, _sequential(weights[order])).first(size)


def random_batch(keys: Keys, *, size: int, seed: int) -> Draws:
    """Every case equally likely. keys: (case,) identities."""
    order = _descending(uniforms(keys, seed), keys)
    return Draws(order, 1.0 / np.arange(len(keys), 0, -1, dtype=np.float64)).first(size)


def top_batch(scores: Floats, keys: Keys, *, size: int) -> Draws:
    """Highest score first; ties by identity. scores, keys: (case,)."""
    order = _descending(finite(scores, "scores"), keys)
    return Draws(order, np.full(len(order), np.nan)).first(size)


def _descending(values: Floats, keys: Keys) -> Indices:
    return np.lexsort((keys, -values))


def _sequential(log_weights: Floats) -> Floats:
    """Chance of each draw among itself and those drawn later. log_weights: (draw,) in drawing order."""
    left = np.logaddexp.accumulate(log_weights[::-1])[::-1]
    return np.exp(log_weights - left)
