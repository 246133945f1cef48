"""How likely a label is right, by a model that never saw it and by what its readers are worth (CROWDLAB).

Goh, Tkachenko and Mueller 2022, arXiv 2210.06812. Labels are codes from 0, so that each counts for its own
class; MISSING where a reader did not read. Two things differ from the paper, and are left out by the
defaults of `weighed`: who overlapped little is drawn towards the others, and what overlaps because it was
doubted does not speak for the rest. No database.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = -1
SMALLEST = 1e-6
# A track record of this many comparisons with others, as good as all readers' on average, is added to each.
PRIOR_COMPARISONS = 20.0

Floats = NDArray[np.floating]
Numbers = NDArray[np.integer]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Weights:
    """What model and readers are worth against who always says the most frequent class.

    agreement: how often a reader says what the consensus says. readers: (reader,).
    """

    model: float
    readers: Floats
    agreement: float


@dataclass(frozen=True)
class Track:
    """What can be compared: of cases with several labels, each reader's with the others'.

    agreeing, comparisons: (reader,) pairs of labels of one case, the reader's and another's.
    """

    agreeing: Floats
    comparisons: Floats

    def rates(self, prior: float) -> Floats:
        """Share of comparisons that agree; who has none agrees as often as the others on average."""
        known = self.comparisons > 0
        usual = float((self.agreeing[known] / self.comparisons[known]).mean()) if known.any() else 1.0
        total = self.comparisons + prior
        added = self.agreeing + prior * usual
        return np.where(total > 0, added / np.where(total > 0, total, 1.0), usual)


def track_of(labels: Numbers) -> Track:
    """Hold each reader's labels against the others' of the same cases. labels: (case, reader)."""
    given = labels != MISSING
    others = (given.sum(axis=1, keepdims=True) - 1) * given
    classes = range(int(labels.max(initial=0)) + 1)
    same = sum((labels == one) * ((labels == one).sum(axis=1, keepdims=True) - 1) for one in classes)
    return Track(np.asarray(same).sum(axis=0).astype(float), others.sum(axis=0).astype(float))


def consensus_of(probabilities: Floats, labels: Numbers) -> Numbers:
    """Most frequent label of each case, of tied ones the likeliest: (case,). labels: (case, reader)."""
    votes = np.stack([(labels == one).sum(axis=1) for one in range(probabilities.shape[1])], axis=1)
    tied = votes == votes.max(axis=1, keepdims=True)
    return np.asarray(np.where(tied, probabilities, -1.0).argmax(axis=1), dtype=np.intp)


def weighed(
    probabilities: Floats,
    labels: Numbers,
    consensus: Numbers,
    *,
    prior: float = 0.0,
    speaks: Chosen | None = None,
) -> Weights:
    """Weigh model and readers by the cases with several labels (equations 5 to 8).

    probabilities: (case, class), of heads that saw neither the case nor its patient. labels: (case, reader).
    consensus: (case,). prior: comparisons that are added to each reader's. speaks: (case,), cases whose
    overlap came by chance, where there are any.
    Without overlap all readers weigh alike, and as much as the model.
    """
    several = (labels != MISSING).sum(axis=1) > 1
    if speaks is not None and (several & speaks).any():
        several = several & speaks
    if not several.any():
        return Weights(1.0, np.ones(labels.shape[1]), 1.0)
    readings = float((labels != MISSING).sum(axis=1).mean())
    truth, given = consensus[several], labels[several]
    usual = np.bincount(truth, minlength=probabilities.shape[1]).argmax()
    hopeless = max(float((truth != usual).mean()), SMALLEST)
    wrong = float((probabilities[several].argmax(axis=1) != truth).mean())
    known = given != MISSING
    agreement = float((((given == truth[:, None]) & known).sum(axis=1) / known.sum(axis=1)).mean())
    rates = track_of(given).rates(prior)
    return Weights(
        max(1.0 - wrong / hopeless, SMALLEST) * np.sqrt(readings),
        np.maximum(1.0 - (1.0 - rates) / hopeless, SMALLEST),
        agreement,
    )


def posterior(probabilities: Floats, labels: Numbers, weights: Weights) -> Floats:
    """How likely each class is by model and readers together: (case, class), rows sum to 1 (equation 4)."""
    classes = probabilities.shape[1]
    missed = (1.0 - weights.agreement) / (classes - 1)
    found = weights.model * probabilities.astype(np.float64)
    total = np.full((len(labels), 1), weights.model)
    for reader, weight in enumerate(weights.readers):
        said = labels[:, reader]
        likely = np.where(said[:, None] == np.arange(classes), weights.agreement, missed)
        found += np.where(said[:, None] != MISSING, weight * likely, 0.0)
        total += weight * (said[:, None] != MISSING)
    return np.asarray(found / total)


def label_quality(
    probabilities: Floats, labels: Numbers, *, prior: float = PRIOR_COMPARISONS, speaks: Chosen | None = None
) -> Floats:
    """How likely each case's consensus label is right: (case,), 0 to 1; the lowest are read again first.

    A case with one label has that for its consensus. probabilities: (case, class). labels: (case, reader).
    """
    if not len(labels):
        return np.empty(0)
    consensus = consensus_of(probabilities, labels)
    weights = weighed(probabilities, labels, consensus, prior=prior, speaks=speaks)
    found = posterior(probabilities, labels, weights)
    return np.asarray(found[np.arange(len(labels)), consensus])
