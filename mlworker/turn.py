"""What one turn of the loop knows: cases with vectors, labels, a model, and how the queue is driven."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.arrays import Keys, blocks
from mlworker.evaluation.calibration import cooled
from mlworker.evaluation.intervals import Verdict
from mlworker.heads.ensemble import Ensemble
from mlworker.targets import Target

Floats = NDArray[np.floating]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Cases:
    """Cases with their vectors.

    keys: (case,) identities. vectors: (case, feature), float16. sites: (case,) numbers of where an image
    comes from. seconds: (case,) expert time that a reading is expected to take.
    """

    keys: Keys
    vectors: NDArray[np.float16]
    sites: Numbers | None = None
    seconds: Floats | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def at(self, places: Numbers) -> "Cases":
        """Take some of the cases. places: (case,) positions."""
        return Cases(
            self.keys[places],
            self.vectors[places],
            None if self.sites is None else self.sites[places],
            None if self.seconds is None else self.seconds[places],
        )


@dataclass(frozen=True)
class Labelled:
    """Cases with labels and patients: (case,) numbers that stand for a person.

    labels: (case, decision) class numbers, see `mlworker.targets`; of one decision (case,) will do.
    likely: (case, decision, class), how likely each class is, where models learn that instead.
    """

    cases: Cases
    labels: Numbers
    patients: Numbers
    likely: Floats | None = None

    def __post_init__(self) -> None:
        if self.labels.ndim == 1:
            object.__setattr__(self, "labels", self.labels[:, None])

    @property
    def learned(self) -> Numbers | Floats:
        """What heads are fitted to: labels, or how likely each class is."""
        return self.labels if self.likely is None else self.likely


@dataclass(frozen=True)
class Drive:
    """How the queue is driven. batch: labels until the next turn. power: see `rules.POWER`.

    class_quota, site_quota: share the places out. cost_power: how much a score counts against expected
    seconds (equation 12), None to leave time out.
    """

    strategy: str
    power: float
    audit_share: float
    batch: int
    seed: int
    class_quota: bool = False
    site_quota: bool = False
    cost_power: float | None = None


@dataclass(frozen=True)
class Model:
    """Heads, the temperatures that audit labels gave, and the labels that the heads learned from.

    temperatures: (decision, 1). said: (case, decision, class), what it says of the audit stream, each case
    calibrated by the others.
    """

    target: Target
    ensemble: Ensemble
    temperatures: Floats
    verdict: Verdict
    learned_from: Labelled | None = None
    seed: int = 0
    said: Floats | None = None

    def probabilities(self, vectors: Floats) -> Floats:
        """(case, feature) → (case, decision, class), calibrated."""
        return by_block(
            lambda part: cooled(self.ensemble.mean_probabilities(part), self.temperatures), vectors
        )

    def temperature_of_each(self) -> list[float]:
        """Give the temperatures as plain values, decision by decision."""
        return [float(value) for value in self.temperatures[:, 0]]

    def scored_by_heads(self, score: Callable[[Floats], Floats], vectors: Floats) -> Floats:
        """Score the bootstrap heads' predictions: (case, feature) → (case,).

        score: (case, head, decision, class) → (case,).
        """
        return by_block(lambda part: score(self.ensemble.head_probabilities(part)[:, 1:]), vectors)


def by_block(work: Callable[[Floats], Floats], vectors: Floats) -> Floats:
    """Apply a function of cases block by block, so that a large pool needs little memory."""
    if not len(vectors):
        return work(vectors)
    return np.concatenate([work(vectors[rows]) for rows in blocks(len(vectors))])
