"""Candidate and champion on the audit stream: the same cases, the same resampled patients, one interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlworker.evaluation.intervals import OVERALL, metrics_of, too_few
from mlworker.evaluation.metrics import Floats, Labels, Metric
from mlworker.targets import Target, likeliest

REPLICATES = 2_000
OF_CHOICES = ("recall:", "balanced:")


def compared(
    candidate: Floats,
    champion: Floats,
    labels: Labels,
    patients: Labels,
    *,
    target: Target,
    seed: int = 0,
) -> dict[str, Any]:
    """Each metric of both, and their difference with its 95 % paired interval over patients.

    candidate, champion: (case, decision, class) probabilities of the same cases. labels: (case, decision).
    returns: {"balanced_accuracy": {"candidate", "champion", "difference", "low", "high"}, …,
             "recall:CHOICE": …, of several answers "balanced:CHOICE": …}, or {"reason"} where the cases are
             too few.
    """
    reason = too_few(labels, patients)
    if reason:
        return {"reason": reason}
    numbers = np.unique(patients, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    random = np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1.0 / count), size=REPLICATES)[:, numbers]
    weights = np.vstack([np.ones(len(labels)), drawn]).astype(np.float64)
    found = {
        name: _difference(one, candidate, champion, labels, weights)
        for name, one in metrics_of(target, labels).items()
        if name in OVERALL or name.startswith(OF_CHOICES)
    }
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


def by_group(
    said: Floats, labels: Labels, patients: Labels, groups: Sequence[dict[str, str]], *, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy of each group of audit cases, with an interval where a group has patients enough.

    said: (case, decision, class). labels: (case, decision); of a case with several decisions, the share of
    right ones counts.
    groups: what is known of each case, such as {"maker": "…", "scanner": "…"}.
    returns: {kind: {name: {"cases", "accuracy", "low", "high"}}}.
    """
    right = (likeliest(said) == labels).mean(axis=1) if len(labels) else np.zeros(0)
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
