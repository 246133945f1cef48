"""Linear probes for the pretraining benchmarks: heads on frozen vectors, and what encoders learn from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.images import Images
from mlworker.encoders.training import Source
from mlworker.evaluation import metrics
from mlworker.heads.ensemble import learned
from mlworker.heads.features import Scaling

HELD_OUT_EVERY = 10


def pool_of(images: Images) -> tuple[Source, Source]:
    """Training images, a tenth of the patients held back: uint8, no labels."""
    train = np.flatnonzero(images.splits == "train")
    people = np.unique(images.patients[train], return_inverse=True)[1]
    held = np.random.default_rng(0).permutation(int(people.max()) + 1)[people] % HELD_OUT_EVERY == 0
    planes = torch.from_numpy((images.planes[train] * 255.0 + 0.5).astype(np.uint8))
    return Source(planes[torch.from_numpy(~held)]), Source(planes[torch.from_numpy(held)])


@dataclass(frozen=True)
class Probe:
    """Vectors of a set: (image, feature). train, judged: which images heads learn from and are judged on."""

    vectors: NDArray[np.float32]
    labels: NDArray[np.intp]
    people: NDArray[np.intp]
    train: NDArray[np.intp]
    judged: NDArray[np.intp]
    scaling: Scaling

    @classmethod
    def of(cls, vectors: NDArray[np.float32], images: Images, judge: str) -> Self:
        """Learn on `train`, judge on another split."""
        train = np.flatnonzero(images.splits == "train")
        return cls(
            vectors,
            np.unique(images.labels, return_inverse=True)[1],
            np.unique(images.patients, return_inverse=True)[1],
            train,
            np.flatnonzero(images.splits == judge),
            Scaling.of(vectors[train]),
        )

    def score(self, chosen: NDArray[np.intp], seed: int) -> float:
        """Balanced accuracy of heads on the labels of some training images."""
        heads = learned(
            self.vectors[chosen],
            self.labels[chosen],
            scaling=self.scaling,
            classes=int(self.labels.max()) + 1,
            groups=self.people[chosen],
            seed=seed,
        )
        said = heads.mean_probabilities(self.vectors[self.judged])[:, 0]
        weights = np.ones((1, len(self.judged)))
        return float(metrics.balanced_accuracy(said, self.labels[self.judged], weights)[0])

    def drawn(self, budget: int, seed: int) -> float:
        """Score so many training labels, drawn by the seed."""
        return self.score(np.random.default_rng(seed).choice(self.train, budget, replace=False), seed)
