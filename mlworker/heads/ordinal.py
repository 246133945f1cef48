"""Grades with an order: proportional odds (McCullagh 1980), one direction and rising thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.logistic import likely_of
from mlworker.heads.multilabel import sigmoid
from mlworker.heads.solver import Floats, Labels, Problem, Slopes, solved

SMALLEST = 1e-7


@dataclass(frozen=True)
class OrdinalHeads:
    """weights: (head, feature, 1). bias: (head, class - 1): minus the first threshold, then log gaps."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def classes(self) -> int:
        """How many grades it tells apart."""
        return int(self.bias.shape[1]) + 1

    def probabilities(self, features: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class), rows sum to 1."""
        scores = np.einsum("if,hfo->ih", features, self.weights, optimize=True)
        above = sigmoid(scores[:, :, None] + _intercepts(self.bias))
        return _steps(above).astype(np.float32)


def fit_ordinal(
    features: Floats, labels: Labels | Floats, weights: Floats, penalties: Floats, *, classes: int
) -> OrdinalHeads:
    """Minimise Σ weight · -log P(grade) + penalty/2 · |w|², where P(grade > k) = σ(w·h - θ_k).

    features: (case, feature). labels: (case,) grades 0 … classes - 1, or (case, class) how likely each is.
    weights: (head, case). penalties: (head,).
    raises: ArithmeticError where the solution is not finite.
    """
    gaps = classes - 1
    truth = likely_of(labels, classes)[:, None, :]
    edges = np.eye(classes + 1)[:, 1:-1]
    between = edges[:-1] - edges[1:]  # σ at a grade's lower edge counts for it, at its upper one against it

    def link(scores: Floats, bias: Floats) -> Slopes:
        above = sigmoid(scores + _intercepts(bias))
        share = np.maximum(_steps(above), SMALLEST)
        by_intercept = -(truth / share) @ between * above * (1.0 - above)
        # An intercept is the first one less all gaps up to it, so a gap moves all that follow it.
        later = np.cumsum(by_intercept[..., ::-1], axis=-1)[..., ::-1]
        by_bias = np.concatenate([later[..., :1], -later[..., 1:] * np.exp(bias[:, 1:])], axis=-1)
        return Slopes(-(truth * np.log(share)).sum(axis=-1), later[..., :1], by_bias)

    start = np.zeros(gaps)
    shifts = np.eye(1, gaps)
    found = solved(Problem(features, weights, penalties, 1, start, shifts, link))
    return OrdinalHeads(found.weights, found.bias)


def _intercepts(bias: Floats) -> Floats:
    """Minus the thresholds, falling: (head, class - 1)."""
    gaps = np.concatenate([np.zeros_like(bias[:, :1]), np.exp(bias[:, 1:])], axis=1)
    return np.asarray(bias[:, :1] - np.cumsum(gaps, axis=1))


def _steps(above: Floats) -> Floats:
    """P(grade > k) → P(grade = k): (…, class - 1) → (…, class)."""
    ends = np.ones_like(above[..., :1])
    return np.asarray(-np.diff(np.concatenate([ends, above, np.zeros_like(ends)], axis=-1), axis=-1))
