"""What an encoder's training bought: measured on images that it never saw, without labels and with them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from annotation.learning.rules import ready_to_fit
from mlworker.encoders.augmentation import Strength, views
from mlworker.evaluation import metrics
from mlworker.heads.ensemble import Recipe, learned_by
from mlworker.heads.features import Scaling
from mlworker.targets import Target, class_counts

Encode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
# Other changes than pretraining is taught to ignore: hardly cropped, never mirrored, more often blurred.
UNLIKE_TRAINING = Strength(
    area=0.7, degrees=12.0, contrast=0.3, brightness=0.2, gamma=0.3, noise=0.03, blur=0.5, flip=0.0
)
ROUNDS = 4
REPLICATES = 1_000
FOLDS = 4
PROBED_FROM = 8
BUDGETS = (10, 20, 50, 100, 200)
DRAWS = 5
BALANCED = metrics.averaged(metrics.balanced_accuracy)


@dataclass(frozen=True)
class Gain:
    """A figure of the candidate and of what it would replace; low, high: 95 % interval of the difference."""

    candidate: float
    current: float
    low: float
    high: float

    def as_row(self) -> dict[str, float]:
        """Plain values for the encoder's report."""
        return {"candidate": self.candidate, "current": self.current, "low": self.low, "high": self.high}


def retrieval(images: torch.Tensor, *, candidate: Encode, current: Encode, seed: int) -> Gain:
    """How often a changed picture is nearest to its own original among all held-back ones.

    images: (image, channel, y, x), uint8, never trained on.
    """
    random = torch.Generator().manual_seed(seed)
    pictures = images.float() / 255.0
    changed = [views(pictures, UNLIKE_TRAINING, random).numpy() for _ in range(ROUNDS)]
    hits = [_hits(encode, pictures.numpy(), changed) for encode in (candidate, current)]
    return _paired(hits[0], hits[1], seed)


def _hits(
    encode: Encode, pictures: NDArray[np.float32], changed: list[NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Share of rounds in which each picture was found: (image,)."""
    vectors = encode(pictures)
    scaling = Scaling.of(vectors)
    originals = scaling.apply(vectors)
    own = np.arange(len(pictures))
    rounds = [(scaling.apply(encode(one)) @ originals.T).argmax(axis=1) == own for one in changed]
    return np.asarray(np.mean(rounds, axis=0))


def _paired(candidate: NDArray[np.float64], current: NDArray[np.float64], seed: int) -> Gain:
    """Bootstrap of the mean difference over images."""
    picks = np.random.default_rng(seed).integers(len(candidate), size=(REPLICATES, len(candidate)))
    low, high = np.percentile((candidate - current)[picks].mean(axis=1), [2.5, 97.5])
    return Gain(float(candidate.mean()), float(current.mean()), float(low), float(high))


@dataclass(frozen=True)
class Known:
    """Labelled cases: (case, decision) class numbers, (case,) patient numbers, and what they answer."""

    labels: NDArray[np.intp]
    patients: NDArray[np.intp]
    target: Target


def probe(vectors: dict[str, NDArray[np.float32]], known: Known, *, seed: int) -> Gain | None:
    """Balanced accuracy of heads on both encoders' vectors, cross-validated by patient; None with few labels.

    vectors: {"candidate", "current"}: (case, feature).
    """
    labels, patients = known.labels, known.patients
    fewest = class_counts(labels, known.target.classes).min(axis=1, initial=len(labels))
    if known.target.classes < 2 or not len(fewest) or fewest.max() < PROBED_FROM:
        return None
    numbers = np.unique(patients, return_inverse=True)[1]
    fold = np.random.default_rng(seed).permutation(int(numbers.max()) + 1)[numbers] % FOLDS
    hits = {name: _cross_validated(one, known, fold, seed) for name, one in vectors.items()}
    picks = np.random.default_rng(seed).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), 1000)
    weights = np.vstack([np.ones(len(labels)), picks])
    values = {name: BALANCED(one, labels, weights) for name, one in hits.items()}
    low, high = np.nanpercentile((values["candidate"] - values["current"])[1:], [2.5, 97.5])
    return Gain(float(values["candidate"][0]), float(values["current"][0]), float(low), float(high))


def efficiency(
    vectors: dict[str, NDArray[np.float32]], known: Known, *, seed: int
) -> dict[str, list[dict[str, float]]]:
    """Balanced accuracy of heads by number of labels, for each encoder; cross-validated by patient.

    vectors: {name: (case, feature)} of cases that no encoder learned from.
    returns: {name: [{"labels", "value", "low", "high"}, …]}, low and high over draws of the labels.
    """
    largest = int(len(known.labels) * (FOLDS - 1) / FOLDS)
    return {
        name: [_point(one, known, budget, seed) for budget in [*BUDGETS, largest] if budget <= largest]
        for name, one in vectors.items()
    }


def _point(vectors: NDArray[np.float32], known: Known, budget: int, seed: int) -> dict[str, float]:
    """Score so many labels, drawn some times."""
    values, numbers = [], np.unique(known.patients, return_inverse=True)[1]
    for draw in range(DRAWS):
        random = np.random.default_rng((seed, draw))
        fold = random.permutation(int(numbers.max()) + 1)[numbers] % FOLDS
        said = _cross_validated(vectors, known, fold, seed, budget=budget, random=random)
        values.append(float(BALANCED(said, known.labels, np.ones((1, len(known.labels))))[0]))
    low, high = np.percentile(values, [2.5, 97.5])
    return {"labels": budget, "value": float(np.mean(values)), "low": float(low), "high": float(high)}


def _cross_validated(
    vectors: NDArray[np.float32],
    known: Known,
    fold: NDArray[np.intp],
    seed: int,
    *,
    budget: int = 0,
    random: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """Each case's probabilities by heads that saw no case of its patient; budget: at most so many labels."""
    labels, target = known.labels, known.target
    found = np.zeros((*labels.shape, target.classes), dtype=np.float32)
    for number in range(FOLDS):
        inside, outside = fold == number, np.flatnonzero(fold != number)
        if random is not None:
            outside = random.permutation(outside)[:budget]
        if not inside.any() or not ready_to_fit(target.counts(labels[outside])):
            continue
        ensemble = learned_by(
            Recipe(target),
            vectors[outside],
            labels[outside],
            scaling=Scaling.of(vectors),
            groups=known.patients[outside],
            seed=seed,
        )
        found[inside] = ensemble.mean_probabilities(vectors[inside])
    return found


def better(found: Gain, probed: Gain | None) -> bool:
    """Whether a candidate measured better: surely without labels, and not worse where there are labels."""
    return found.low > 0.0 and (probed is None or probed.candidate >= probed.current)
