"""A temperature for each decision's logits, fitted on audit labels, judged on those it was not fitted on."""

import numpy as np
from scipy.optimize import minimize_scalar

from mlworker.evaluation.metrics import Floats, Labels

FEWEST_LABELS = 30
FOLDS = 5


def temperature(probabilities: Floats, labels: Labels) -> float:
    """Find the temperature with the least log loss (Guo 2017); 1 while labels are few or of one class.

    probabilities: (case, class). labels: (case,).
    """
    if len(labels) < FEWEST_LABELS or len(np.unique(labels)) < 2:
        return 1.0
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))

    def loss(log_temperature: float) -> float:
        scaled = scores * np.exp(-log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        chosen = scaled[np.arange(len(labels)), labels] - np.log(np.exp(scaled).sum(axis=1))
        return -float(chosen.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def cooled(probabilities: Floats, by: float | Floats) -> Floats:
    """Probabilities at a temperature: (…, class) → (…, class). by: one value, or any that fit (…, 1)."""
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / by
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=-1, keepdims=True))


def temperatures(probabilities: Floats, labels: Labels) -> Floats:
    """Find each decision's temperature: (case, decision, class), (case, decision) → (decision, 1)."""
    decisions = range(labels.shape[1])
    return np.array([[temperature(probabilities[:, at], labels[:, at])] for at in decisions])


def cross_fitted(probabilities: Floats, labels: Labels, patients: Labels, *, seed: int) -> Floats:
    """Put each case at the temperatures that the other patients' labels gave: for honest estimates.

    probabilities: (case, decision, class). labels: (case, decision).
    """
    names, number = np.unique(patients, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(names))[number] % FOLDS
    by = np.ones((*labels.shape, 1))
    for held_back in range(FOLDS):
        inside = fold == held_back
        by[inside] = temperatures(probabilities[~inside], labels[~inside])
    return cooled(probabilities, by)
