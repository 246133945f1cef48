"""A metric with its 95 % interval, by bootstrap over patients: cases of one patient come and go together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.evaluation import metrics
from mlworker.evaluation.metrics import Floats, Labels

REPLICATES = 1_000
AT_A_TIME = 2_000_000
NORMAL = 1.959964  # 97.5 % point of the standard normal distribution
FEWEST_CASES = 10
FEWEST_PATIENTS = 5
Metric = Callable[[Floats, Labels, Floats], Floats]


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that it lies in with 95 % confidence."""

    value: float
    low: float
    high: float

    def as_row(self) -> dict[str, float]:
        """Plain values for the evaluation's row."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Verdict:
    """Estimates by name; or none, and the reason why the audit stream cannot say anything yet."""

    estimates: dict[str, Estimate]
    reason: str = ""


def judged(
    probabilities: Floats,
    labels: Labels,
    patients: Labels,
    *,
    class_names: Sequence[str],
    seed: int = 0,
    sites: Labels | None = None,
) -> Verdict:
    """Every metric of a model on cases that it never learned from.

    probabilities: (case, class). labels: (case,) class numbers. patients: (case,) patient numbers.
    sites: (case,) numbers; of sites with enough cases, "site:NUMBER" is the balanced accuracy there.
    """
    reason = too_few(labels, patients)
    if reason:
        return Verdict({}, reason)
    numbers = np.unique(patients, return_inverse=True)[1]
    estimates = {
        name: estimate(metric, probabilities, labels, numbers, seed=seed)
        for name, metric in {
            "balanced_accuracy": metrics.balanced_accuracy,
            "worst_class_recall": metrics.worst_class_recall,
            "macro_auc": metrics.macro_auc,
            "calibration_error": metrics.calibration_error,
        }.items()
    }
    for number in np.unique(labels):
        recall = _recall_of(int(number))
        estimates[f"recall:{class_names[number]}"] = estimate(
            recall, probabilities, labels, numbers, seed=seed
        )
    for number, name in enumerate(class_names):
        estimates[f"prevalence:{name}"] = prevalence(labels == number, patients)
    if sites is not None:
        estimates |= _by_site(probabilities, labels, numbers, sites, seed=seed)
    return Verdict(estimates)


def graded(
    verdict: Verdict, probabilities: Floats, labels: Labels, patients: Labels, *, seed: int = 0
) -> Verdict:
    """Add how well grades agree, as the field reports it, where the cases could judge at all."""
    if not verdict.estimates:
        return verdict
    numbers = np.unique(patients, return_inverse=True)[1]
    kappa = estimate(metrics.quadratic_kappa, probabilities, labels, numbers, seed=seed)
    return Verdict(verdict.estimates | {"quadratic_kappa": kappa})


def prevalence(members: NDArray[np.bool_], patients: Labels) -> Estimate:
    """Share of a class in the stream and its Wilson interval (Wilson 1927).

    members: (case,). patients: (case,) numbers; cases of one patient count as one in the interval's width.
    """
    share, count = float(members.mean()), len(np.unique(patients))
    spread = NORMAL**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL * np.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Estimate(share, min(share, float(middle - half)), max(share, float(middle + half)))


def _by_site(
    probabilities: Floats, labels: Labels, patients: Labels, sites: Labels, *, seed: int
) -> dict[str, Estimate]:
    found = {}
    for site in np.unique(sites):
        own = sites == site
        if not too_few(labels[own], patients[own]):
            people = np.unique(patients[own], return_inverse=True)[1]
            found[f"site:{site}"] = estimate(
                metrics.balanced_accuracy, probabilities[own], labels[own], people, seed=seed
            )
    return found


def too_few(labels: Labels, patients: Labels) -> str:
    """Why these cases cannot judge a model, or nothing."""
    if len(labels) < FEWEST_CASES:
        return f"{len(labels)} audit cases have been read: an estimate needs {FEWEST_CASES}"
    known = len(np.unique(patients))
    if known < FEWEST_PATIENTS:
        return f"the audit cases come from {known} patients: an interval needs {FEWEST_PATIENTS}"
    if len(np.unique(labels)) < 2:
        return "the audit cases read so far all have one answer: an estimate needs two"
    return ""


def estimate(
    metric: Metric, probabilities: Floats, labels: Labels, patients: Labels, *, seed: int
) -> Estimate:
    """One metric and its percentile interval. patients: (case,) numbers 0…patients-1."""
    value = float(metric(probabilities, labels, np.ones((1, len(labels))))[0])
    replicates = np.concatenate(
        [metric(probabilities, labels, weights) for weights in _resampled(patients, seed)]
    )
    low, high = np.nanpercentile(replicates, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _resampled(patients: Labels, seed: int) -> list[Floats]:
    """Case weights of every replicate, in blocks of bounded size."""
    random = np.random.default_rng(seed)
    count = int(patients.max()) + 1
    block = max(1, min(REPLICATES, AT_A_TIME // len(patients)))
    share = np.full(count, 1.0 / count)
    return [
        random.multinomial(count, share, size=min(block, REPLICATES - start))[:, patients].astype(np.float64)
        for start in range(0, REPLICATES, block)
    ]


def _recall_of(number: int) -> Metric:
    def recall(probabilities: Floats, labels: Labels, weights: Floats) -> Floats:
        return metrics.class_recalls(probabilities, labels, weights)[:, number]

    return recall
