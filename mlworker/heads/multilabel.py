"""Several findings that can be there together: one penalised logistic regression a label, fitted as one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.heads.logistic import scores_of
from mlworker.heads.solver import Floats, Labels, Problem, Slopes, solved

NOT_ASKED = -1


@dataclass(frozen=True)
class MultilabelHeads:
    """weights: (head, feature, label). bias: (head, label)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, label)."""
        return scores_of(features, self.weights, self.bias)

    def probabilities(self, features: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, label), each on its own."""
        return sigmoid(self.logits(features)).astype(np.float32)


def fit_multilabel(
    features: Floats,
    present: Labels | Floats,
    weights: Floats,
    penalties: Floats,
    *,
    adjustment: Floats | None = None,
    balance: Floats | None = None,
) -> MultilabelHeads:
    """Minimise Σ weight · binary cross entropy + penalty/2 · |W|² for every head and label at once.

    features: (case, feature). present: (case, label), 1 or 0, or how likely it is there; NOT_ASKED where
    nobody said.
    weights: (head, case). penalties: (head,). adjustment: (label,) log odds of each label's share, see
    `log_odds`; added while fitting and left out of predictions. balance: (case, label) how much each label of
    a case counts, beside the case's own weight.
    raises: ArithmeticError where the solution is not finite.
    """
    asked = ((present != NOT_ASKED) * (1.0 if balance is None else balance))[:, None, :]
    truth = np.maximum(present, 0)[:, None, :]
    added = np.zeros(present.shape[1]) if adjustment is None else adjustment

    def link(scores: Floats, bias: Floats) -> Slopes:
        scores = scores + (bias + added).astype(scores.dtype)
        counted = asked.astype(scores.dtype)
        wanted = truth.astype(scores.dtype)
        loss = (np.logaddexp(0.0, scores) - scores * wanted) * counted
        slopes = (sigmoid(scores) - wanted) * counted
        return Slopes(loss.sum(axis=-1), slopes, slopes)

    labels = present.shape[1]
    found = solved(Problem(features, weights, penalties, labels, np.zeros(labels), np.eye(labels), link))
    return MultilabelHeads(found.weights, found.bias)


def log_odds(present: Labels) -> Floats:
    """Log odds of each label where it was asked for, one present and one absent case added: (label,)."""
    there, absent = (present == 1).sum(axis=0) + 1.0, (present == 0).sum(axis=0) + 1.0
    return np.asarray(np.log(there / absent))


def sigmoid(scores: Floats) -> Floats:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)))
