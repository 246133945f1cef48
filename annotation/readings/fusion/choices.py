"""Choices of several readers fused into how likely each is: majority, one-coin, Dawid–Skene. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

# Below so many labels a reader is told by one number, how often right, instead of a whole matrix.
FEWEST_LABELS = 30
ROUNDS, TOLERANCE, SMALLEST = 100, 1e-6, 1e-10
# Labels that every reader is thought to have given besides, spread over all choices.
SMOOTHING = 1.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Who chose what of which case, (label,) codes from 0; counts: (case,), how often each was read so."""

    cases: Integers
    readers: Integers
    choices: Integers
    classes: int
    counts: Floats | None = None

    @property
    def weights(self) -> Floats:
        """How much each case counts."""
        size = int(self.cases.max()) + 1 if len(self.cases) else 0
        return np.ones(size) if self.counts is None else self.counts

    @property
    def reader_count(self) -> int:
        """How many readers there are."""
        return int(self.readers.max()) + 1 if len(self.readers) else 0

    def votes(self) -> csr_array:
        """Mark who said what, (case, reader · choice)."""
        places = self.readers * self.classes + self.choices
        shape = (len(self.weights), self.reader_count * self.classes)
        return csr_array((np.ones(len(places)), (self.cases, places)), shape=shape)


@dataclass(frozen=True)
class Fused:
    """What labels were fused into.

    distributions: (case, choice), rows sum to 1.
    matrices:      (reader, true choice, choice made), rows sum to 1.
    priors:        (choice,), sum to 1.
    """

    distributions: Floats
    matrices: Floats
    priors: Floats
    rounds: int


def majority(labels: Labels) -> Floats:
    """Share of the readers that made each choice, (case, choice)."""
    places = labels.cases * labels.classes + labels.choices
    size = len(labels.weights) * labels.classes
    counts = np.bincount(places, minlength=size).reshape(-1, labels.classes)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def dawid_skene(
    labels: Labels,
    *,
    one_coin: bool = False,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
    smoothing: float = SMOOTHING,
    fewest: int = FEWEST_LABELS,
) -> Fused:
    """Expectation–maximisation over true choices and readers' confusion matrices (Dawid and Skene 1979).

    one_coin:  every reader is told by how often they are right; else who gave fewer labels than fewest.
    tolerance: stops where no probability changes by more.
    """
    if not len(labels.cases):
        return Fused(
            np.zeros((0, labels.classes)), np.zeros((0, labels.classes, labels.classes)), np.zeros(0), 0
        )
    votes = labels.votes()
    given = np.bincount(labels.readers, minlength=labels.reader_count)
    coins = given < (np.inf if one_coin else fewest)
    found, done = majority(labels), 0
    priors, matrices = found.mean(axis=0), matrices_of(votes, found, coins=coins, smoothing=smoothing)
    while done < rounds:
        before, found = found, expected(votes, priors, matrices)
        priors, matrices = found.mean(axis=0), matrices_of(votes, found, coins=coins, smoothing=smoothing)
        done += 1
        if np.abs(found - before).max() <= tolerance:
            break
    return Fused(found, matrices, priors, done)


def expected(votes: csr_array, priors: Floats, matrices: Floats) -> Floats:
    """How likely each choice is true, (case, choice), given how readers confuse them.

    priors: (choice,), or (case, choice) where something tells cases apart.
    """
    readers, classes, _ = matrices.shape
    said = np.log(matrices.clip(SMALLEST)).transpose(0, 2, 1).reshape(readers * classes, classes)
    scores = votes @ said + np.log(priors.clip(SMALLEST))
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def matrices_of(
    votes: csr_array, weighted: Floats, *, coins: NDArray[np.bool_], smoothing: float = 0.0
) -> Floats:
    """How readers confuse choices, (reader, true choice, choice made), given how likely each is.

    weighted: (case, choice), times how much the case counts. coins: who is told by one number.
    """
    classes = weighted.shape[1]
    counts = (votes.T @ weighted).reshape(-1, classes, classes).transpose(0, 2, 1)
    counts = (counts + smoothing / classes).clip(SMALLEST)
    whole = counts / counts.sum(axis=2, keepdims=True)
    right = np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))
    coin = np.where(
        np.eye(classes, dtype=bool), right[:, None, None], (1 - right[:, None, None]) / max(classes - 1, 1)
    )
    return np.asarray(np.where(coins[:, None, None], coin, whole))


def of_one_case(said: dict[int, int], fused: Fused) -> Floats:
    """How likely each choice is, (choice,), for a case that these readers, by number, have read."""
    readers = np.array(list(said), dtype=np.int64)
    choices = np.array(list(said.values()), dtype=np.int64)
    scores = np.log(fused.matrices[readers, :, choices].clip(SMALLEST)).sum(axis=0)
    raised = np.exp(scores + np.log(fused.priors.clip(SMALLEST)) - scores.max())
    return np.asarray(raised / raised.sum())
