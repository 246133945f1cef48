"""Candidate and champion on the audit stream: the same cases, the same resampled patients, one interval."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlworker.evaluation import metrics
from mlworker.evaluation.intervals import too_few
from mlworker.evaluation.metrics import Floats, Labels

REPLICATES = 2_000
Metric = Callable[[Floats, Labels, Floats], Floats]
COMPARED: dict[str, Metric] = {
    "balanced_accuracy": metrics.balanced_accuracy,
    "macro_auc": metrics.macro_auc,
    "calibration_error": metrics.calibration_error,
}


def compared(
    candidate: Floats,
    champion: Floats,
    labels: Labels,
    patients: Labels,
    *,
    class_names: Sequence[str],
    seed: int = 0,
) -> dict[str, Any]:
    """Each metric of both, and their difference with its 95 % paired interval over patients.

    candidate, champion: (case, class) probabilities of the same cases.
    returns: {"balanced_accuracy": {"candidate", "champion", "difference", "low", "high"}, …,
             "recall:CLASS": …}, or {"reason"} where the cases are too few.
    """
    reason = too_few(labels, patients)
    if reason:
        return {"reason": reason}
    numbers = np.unique(patients, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    random = np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1.0 / count), size=REPLICATES)[:, numbers]
    weights = np.vstack([np.ones(len(labels)), drawn]).astype(np.float64)
    found = {name: _difference(one, candidate, champion, labels, weights) for name, one in COMPARED.items()}
    for number in np.unique(labels):
        recall = _recall_of(int(number))
        found[f"recall:{class_names[number]}"] = _difference(recall, candidate, champion, labels, weights)
    return {"cases": len(labels), "patients": count, **found}


def _difference(
    metric: Metric, candidate: Floats, champion: Floats, labels: Labels, weights: Floats
) -> dict[str, float]:
    """Compare one metric; the first row of weights is every case once, the others are replicates."""
    new, old = metric(candidate, labels, weights), metric(champion, labels, weights)
    low, high = np.nanpercentile((new - old)[1:], [2.5, 97.5])
    return {
        "candidate": float(new[0]),
        "champion": float(old[0]),
        "difference": float(new[0] - old[0]),
        "low": float(low),
        "high": float(high),
    }


def _recall_of(number: int) -> Metric:
    def recall(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        return metrics.class_recalls(probabilities, labels, weights)[:, number]

    return recall


def by_group(
    said: Floats, labels: Labels, patients: Labels, groups: Sequence[dict[str, str]], *, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy of each group of audit cases, with an interval where a group has patients enough.

    groups: what is known of each case, such as {"maker": "…", "scanner": "…"}.
    returns: {kind: {name: {"cases", "accuracy", "low", "high"}}}.
    """
    right = said.argmax(axis=1) == labels if len(labels) else np.zeros(0, dtype=bool)
    kinds = sorted({kind for group in groups for kind in group})
    found: dict[str, dict[str, dict[str, float]]] = {}
    for kind in kinds:
        names = np.array([group.get(kind, "") for group in groups])
        found[kind] = {
            str(name): _accuracy(right[names == name], patients[names == name], seed)
            for name in np.unique(names[names != ""])
        }
    return found


def _accuracy(right: Floats, patients: Labels, seed: int) -> dict[str, float]:
    told = {"cases": len(right), "accuracy": float(right.mean())}
    numbers = np.unique(patients, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    if count < 5:
        return told
    share = np.full(count, 1.0 / count)
    drawn = np.random.default_rng(seed).multinomial(count, share, size=REPLICATES)[:, numbers]
    low, high = np.percentile((drawn @ right) / drawn.sum(axis=1), [2.5, 97.5])
    return told | {"low": float(low), "high": float(high)}
