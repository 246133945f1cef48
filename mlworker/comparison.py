"""Candidate and champion on the audit stream: the same cases, the same resampled patients, one interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlworker.evaluation.intervals import OVERALL, RECALL, interval, metrics_of, resampled, too_few
from mlworker.evaluation.metrics import Floats, Labels, Metric
from mlworker.targets import Target, likeliest

REPLICATES = 2_000
OF_CHOICES = (RECALL, "balanced:")


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
    chosen = {
        name: one
        for name, one in metrics_of(target, labels).items()
        if name in OVERALL or name.startswith(OF_CHOICES)
    }
    gaps: dict[str, list[Floats]] = {name: [] for name in chosen}
    for weights in resampled(numbers, seed, replicates=REPLICATES):
        for name, one in chosen.items():
            gaps[name].append(one(candidate, labels, weights) - one(champion, labels, weights))
    found = {
        name: told
        for name, one in chosen.items()
        if (told := _difference(one, candidate, champion, labels, np.concatenate(gaps[name])))
    }
    return {"cases": len(labels), "patients": int(numbers.max()) + 1, **found}


def _difference(
    metric: Metric, candidate: Floats, champion: Floats, labels: Labels, gaps: Floats
) -> dict[str, float]:
    """Compare one metric; nothing where it is no number. gaps: (replicate,) differences."""
    whole = np.ones((1, len(labels)))
    new, old = (float(metric(one, labels, whole)[0]) for one in (candidate, champion))
    low, high = interval(gaps)
    told = {"candidate": new, "champion": old, "difference": new - old, "low": low, "high": high}
    return told if np.isfinite(list(told.values())).all() else {}


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
    shares = [
        (weights @ right) / weights.sum(axis=1) for weights in resampled(numbers, seed, replicates=REPLICATES)
    ]
    low, high = interval(np.concatenate(shares))
    return told | {"low": low, "high": high}
