"""A metric with its 95 % interval, by bootstrap over patients: cases of one patient come and go together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.readings.intervals import Estimate, wilson
from mlworker.evaluation import metrics
from mlworker.evaluation.metrics import Floats, Labels, Metric
from mlworker.targets import MULTI, ORDINAL, Target, likeliest

REPLICATES = 1_000
AT_A_TIME = 2_000_000
RECALL = "recall:"
FEWEST_CASES = 10
FEWEST_PATIENTS = 5
OVERALL: Mapping[str, Metric] = {
    "balanced_accuracy": metrics.averaged(metrics.balanced_accuracy),
    "macro_auc": metrics.averaged(metrics.macro_auc),
    "calibration_error": metrics.averaged(metrics.calibration_error),
}


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
    target: Target,
    seed: int = 0,
    sites: Labels | None = None,
) -> Verdict:
    """Every metric of a model on cases that it never learned from.

    probabilities: (case, decision, class). labels: (case, decision). patients: (case,) patient numbers.
    sites: (case,) numbers; of sites with enough cases, "site:NUMBER" is the balanced accuracy there.
    """
    reason = too_few(labels, patients)
    if reason:
        return Verdict({}, reason)
    numbers = np.unique(patients, return_inverse=True)[1]
    estimates = known(
        {
            name: estimate(metric, probabilities, labels, numbers, seed=seed)
            for name, metric in metrics_of(target, labels).items()
            if not name.startswith(RECALL)
        }
    )
    thought = target.chosen(likeliest(probabilities)).T
    for name, members, told in zip(target.choices, target.chosen(labels).T, thought, strict=True):
        estimates[f"prevalence:{name}"] = proportion(members, patients)
        if members.any():
            estimates[f"{RECALL}{name}"] = proportion(told[members], patients[members])
    if sites is not None:
        estimates |= known(_by_site(probabilities, labels, numbers, sites, seed=seed))
    return Verdict(estimates)


def known(estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Keep what is a number with an interval: JSON has no other."""
    return {name: one for name, one in estimates.items() if np.isfinite(list(one.as_row().values())).all()}


def metrics_of(target: Target, labels: Labels) -> dict[str, Metric]:
    """Metrics that fit a question, by name; those of single choices only where the labels know them."""
    recalls = {
        name: metrics.of_decision(metrics.recall_of(int(member)), int(decision))
        for name, decision, member in zip(target.choices, *target.places, strict=True)
    }
    found = {**OVERALL, "worst_class_recall": metrics.least(list(recalls.values()))}
    if target.kind == ORDINAL:
        found["quadratic_kappa"] = metrics.averaged(metrics.quadratic_kappa)
    if target.kind == MULTI:
        found["macro_f1"] = metrics.averaged(metrics.f1)
    known = dict(zip(target.choices, target.named(labels) > 0, strict=True))
    found |= {f"{RECALL}{name}": recall for name, recall in recalls.items() if known[name]}
    return found | (_of_each(target, labels) if target.kind == MULTI else {})


def _of_each(target: Target, labels: Labels) -> dict[str, Metric]:
    """List what else is told of each finding that some cases have and others have not."""
    found = {}
    for number, name in enumerate(target.choices):
        if len(np.unique(labels[:, number])) > 1:
            found[f"balanced:{name}"] = metrics.of_decision(metrics.balanced_accuracy, number)
            found[f"auc:{name}"] = metrics.of_decision(metrics.macro_auc, number)
    return found


def proportion(members: NDArray[np.bool_], patients: Labels) -> Estimate:
    """Share of cases and its Wilson interval (Wilson 1927), which tells what few cases leave open.

    members: (case,). patients: (case,) numbers; cases of one patient count as one in the interval's width.
    """
    return wilson(float(members.mean()), len(np.unique(patients)))


def _by_site(
    probabilities: Floats, labels: Labels, patients: Labels, sites: Labels, *, seed: int
) -> dict[str, Estimate]:
    found = {}
    for site in np.unique(sites):
        own = sites == site
        if not too_few(labels[own], patients[own]):
            people = np.unique(patients[own], return_inverse=True)[1]
            found[f"site:{site}"] = estimate(
                OVERALL["balanced_accuracy"], probabilities[own], labels[own], people, seed=seed
            )
    return found


def too_few(labels: Labels, patients: Labels) -> str:
    """Why these cases cannot judge a model, or nothing. labels: (case, decision)."""
    if len(labels) < FEWEST_CASES:
        return f"{len(labels)} audit cases have been read: an estimate needs {FEWEST_CASES}"
    known = len(np.unique(patients))
    if known < FEWEST_PATIENTS:
        return f"the audit cases come from {known} patients: an interval needs {FEWEST_PATIENTS}"
    if all(len(np.unique(column)) < 2 for column in labels.T):
        return "the audit cases read so far all have one answer: an estimate needs two"
    return ""


def estimate(
    metric: Metric, probabilities: Floats, labels: Labels, patients: Labels, *, seed: int
) -> Estimate:
    """One metric and its percentile interval, with the value in it. patients: (case,) numbers from 0."""
    value = float(metric(probabilities, labels, np.ones((1, len(labels))))[0])
    replicates = np.concatenate(
        [metric(probabilities, labels, weights) for weights in resampled(patients, seed)]
    )
    low, high = interval(replicates)
    return Estimate(value, min(low, value), max(high, value))


def interval(replicates: Floats) -> tuple[float, float]:
    """Middle 95 % of the replicates that say something; NaN where none does."""
    said = replicates[np.isfinite(replicates)]
    low, high = np.percentile(said, [2.5, 97.5]) if len(said) else (np.nan, np.nan)
    return float(low), float(high)


def resampled(patients: Labels, seed: int, *, replicates: int = REPLICATES) -> Iterator[Floats]:
    """Case weights of every replicate, in blocks of bounded size; how they are cut changes none of them.

    patients: (case,) numbers 0…patients-1.
    """
    random = np.random.default_rng(seed)
    count = int(patients.max()) + 1
    block = max(1, min(replicates, AT_A_TIME // len(patients)))
    share = np.full(count, 1.0 / count)
    for start in range(0, replicates, block):
        drawn = random.multinomial(count, share, size=min(block, replicates - start))
        yield drawn[:, patients].astype(np.float64)
