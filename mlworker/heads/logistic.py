"""Multinomial logistic regression with an L2 penalty: one answer of several without an order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.solver import Floats, Labels, Problem, Slopes, solved

__all__ = ["Floats", "Heads", "Labels", "fit", "log_priors", "scores_of", "softmax"]


@dataclass(frozen=True)
class Heads:
    """weights: (head, feature, class). bias: (head, class)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return int(self.bias.shape[1])

    def logits(self, features: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class)."""
        return scores_of(features, self.weights, self.bias)

    def probabilities(self, features: Floats, *, temperature: float = 1.0) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class), rows sum to 1."""
        return softmax(self.logits(features) / temperature)


def scores_of(
    features: Floats, weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scores of every head: (case, feature), (head, feature, class), (head, class) → (case, head, class)."""
    count, width, classes = weights.shape
    flat = weights.transpose(1, 0, 2).reshape(width, count * classes)
    scores = features.astype(np.float32, copy=False) @ flat
    return np.asarray(scores.reshape(-1, count, classes) + bias)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis, in place where it can be."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return np.asarray(shifted)


def fit(
    features: Floats,
    labels: Labels | Floats,
    weights: Floats,
    penalties: Floats,
    *,
    classes: int,
    adjustment: Floats | None = None,
) -> Heads:
    """Minimise Σ weight · cross entropy + penalty/2 · |W|² for every head at once; the bias is free.

    features: (case, feature). labels: (case,) class numbers, or (case, class) how likely each class is.
    weights: (head, case), 0 leaves a case out.
    penalties: (head,). adjustment: (class,) added to the logits while they are fitted and left out of
    predictions: the logarithm of class shares makes the fit balanced (Menon 2021, logit adjustment).
    raises: ArithmeticError where the solution is not finite.
    """
    truth = likely_of(labels, classes)[:, None, :]
    added = np.zeros(classes) if adjustment is None else adjustment

    def link(scores: Floats, bias: Floats) -> Slopes:
        scores = scores + (bias + added).astype(scores.dtype)
        scores -= scores.max(axis=-1, keepdims=True)
        slopes = np.exp(scores)
        normaliser = slopes.sum(axis=-1, keepdims=True)
        loss = np.log(normaliser[..., 0]) - (scores * truth.astype(scores.dtype)).sum(axis=-1)
        slopes /= normaliser
        slopes -= truth
        return Slopes(loss, slopes, slopes)

    unit = np.eye(classes)
    found = solved(Problem(features, weights, penalties, classes, np.zeros(classes), unit, link))
    return Heads(found.weights, found.bias)


def likely_of(labels: Labels | Floats, classes: int) -> Floats:
    """Give labels as distributions: (case,) class numbers, or (case, class) ones as they are."""
    return np.asarray(labels if labels.ndim == 2 else np.eye(classes)[labels], dtype=np.float64)


def log_priors(labels: Labels, classes: int) -> Floats:
    """Logarithm of each class's share among labels, every class counted once more: (class,)."""
    counts = np.bincount(labels, minlength=classes) + 1.0
    return np.asarray(np.log(counts / counts.sum()))
