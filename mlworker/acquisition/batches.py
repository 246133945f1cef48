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

    def __len__(self) -> int:
        return len(self.order)

    def first(self, size: int) -> "Draws":
        """Only the first draws."""
        return Draws(self.order[:size], self.probability[:size])

    def then(self, later: "Draws") -> "Draws":
        """Append later draws."""
        return Draws(
            np.concatenate([self.order, later.order]), np.concatenate([self.probability, later.probability])
        )


def certain(order: Indices) -> Draws:
    """Draws in which nothing was random. order: (draw,) positions."""
    return Draws(order, np.full(len(order), np.nan))


def power_batch(scores: Floats, keys: Keys, *, size: int, power: float, seed: int) -> Draws:
    """Draw in proportion to score ** power, by Gumbel top-k (Kirsch 2021, PowerBALD).

    scores: (case,), ≥ 0. keys: (case,) identities. power: small is diverse, large is greedy.
    """
    weights = log_weights(scores, power=power)
    order = leading(weights + gumbels(keys, seed), keys, size)
    return Draws(order, sequential(weights, order))


def random_batch(keys: Keys, *, size: int, seed: int) -> Draws:
    """Every case equally likely. keys: (case,) identities."""
    order = leading(uniforms(keys, seed), keys, size)
    return Draws(order, 1.0 / np.arange(len(keys), len(keys) - len(order), -1, dtype=np.float64))


def top_batch(scores: Floats, keys: Keys, *, size: int) -> Draws:
    """Highest score first; ties by identity. scores, keys: (case,)."""
    return certain(leading(finite(scores, "scores"), keys, size))


def log_weights(scores: Floats, *, power: float) -> Floats:
    """Logarithm of score ** power. scores: (…, case), ≥ 0; one of nothing can still be drawn."""
    finite(scores, "scores")
    if scores.min(initial=0.0) < 0.0:
        raise ValueError(f"scores: {scores.min()} is below 0, the power of a score needs it at or above")
    if not (np.isfinite(power) and power > 0.0):
        raise ValueError(f"power is {power}: it must be above 0")
    return np.asarray(power * np.log(np.maximum(scores.astype(np.float64), SMALLEST_SCORE)))


def leading(values: Floats, keys: Keys, size: int) -> Indices:
    """Positions of the greatest values, greatest first; ties by identity. values, keys: (case,)."""
    among: Indices = np.arange(len(values))
    if size < len(values):
        least = np.partition(values, len(values) - size)[len(values) - size] if size else np.inf
        among = np.flatnonzero(values >= least)
    return among[np.lexsort((keys[among], -values[among]))][:size]


def sequential(weights: Floats, order: Indices) -> Floats:
    """Chance of each draw among itself and all that were not drawn before it.

    weights: (case,) logarithms. order: (draw,) positions.
    """
    return np.exp(weights[order] - left_over(weights, order))


def left_over(weights: Floats, order: Indices) -> Floats:
    """Logarithm of the mass that is left before each draw: (draw,)."""
    kept = np.ones(len(weights), dtype=bool)
    kept[order] = False
    rest = np.logaddexp.reduce(weights[kept]) if kept.any() else -np.inf
    return np.logaddexp.accumulate(np.concatenate([[rest], weights[order][::-1]]))[1:][::-1]
