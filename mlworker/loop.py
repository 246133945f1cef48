"""One turn of active learning on stored vectors: labels → heads → an order of the unread pool.

No database, no torch: the refit job and the benchmarks call this same code.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition import streams
from mlworker.acquisition.arrays import Keys
from mlworker.acquisition.batches import Draws, power_batch, random_batch, top_batch
from mlworker.acquisition.cold_start import typical_batch
from mlworker.acquisition.scores import margin
from mlworker.evaluation.calibration import cooled, cross_fitted, temperature
from mlworker.evaluation.intervals import Verdict, judged
from mlworker.heads.ensemble import Ensemble, learned
from mlworker.heads.features import Scaling

Floats = NDArray[np.floating]
Numbers = NDArray[np.intp]
PLACES = 2_000
REASONS = {"power_margin": "uncertain", "margin": "uncertain", "random": "random"}


@dataclass(frozen=True)
class Cases:
    """Cases with their vectors. keys: (case,) identities. vectors: (case, feature), float16."""

    keys: Keys
    vectors: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class Labelled:
    """Cases with labels: (case,) class numbers, and patients: (case,) numbers that stand for a person."""

    cases: Cases
    labels: Numbers
    patients: Numbers


@dataclass(frozen=True)
class Drive:
    """How the queue is driven. batch: labels until the next turn. power: see `rules.power_of`."""

    strategy: str
    power: float
    audit_share: float
    batch: int
    seed: int


@dataclass(frozen=True)
class Place:
    """One case in the order. stream: "pool" or "audit"; position: in that stream's arrays."""

    stream: str
    position: int
    score: float | None
    draw_probability: float | None
    reason: str


@dataclass(frozen=True)
class Model:
    """Heads, and the temperature that audit labels gave."""

    ensemble: Ensemble
    temperature: float
    verdict: Verdict

    def probabilities(self, vectors: Floats) -> Floats:
        """(case, feature) → (case, class), calibrated."""
        return cooled(self.ensemble.mean_probabilities(vectors), self.temperature)


def key_of(case_id: UUID) -> int:
    """Identity of a case in 64 bits."""
    return case_id.int >> 64


def scaling_of(*parts: Cases) -> Scaling:
    """One scaling over every case of the project, labelled or not."""
    return Scaling.of(np.concatenate([part.vectors for part in parts]).astype(np.float32))


def modelled(
    pool: Labelled, audit: Labelled, *, scaling: Scaling, class_names: list[str], seed: int
) -> Model:
    """Fit heads on the pool's labels, a temperature on the audit stream's, and judge there."""
    ensemble = learned(
        pool.cases.vectors,
        pool.labels,
        scaling=scaling,
        classes=len(class_names),
        groups=pool.patients,
        seed=seed,
    )
    if not len(audit.labels):
        return Model(ensemble, 1.0, judged(np.empty((0, 2)), audit.labels, audit.patients, class_names=[]))
    raw = ensemble.mean_probabilities(audit.cases.vectors)
    honest = cross_fitted(raw, audit.labels, audit.patients, seed=seed)
    verdict = judged(honest, audit.labels, audit.patients, class_names=class_names, seed=seed)
    return Model(ensemble, temperature(raw, audit.labels), verdict)


def ordered(
    pool: Cases, audit: Cases, known: Cases, *, model: Model | None, drive: Drive, size: int = PLACES
) -> list[Place]:
    """Order unread cases of both streams.

    pool, audit: unread cases. known: labelled cases of the pool, so that a cold start goes elsewhere.
    """
    draws, scores, reason = _pool_draws(pool, known, model=model, drive=drive, size=size)
    audits = random_batch(audit.keys, size=size, seed=drive.seed + 1)
    mixture = streams.interleaved(
        pool=len(pool), audit=len(audit), share=drive.audit_share, seed=drive.seed + 2
    )
    from_audit = mixture.from_audit[:size]
    turn = np.where(from_audit, np.cumsum(from_audit), np.cumsum(~from_audit)) - 1
    return [
        _audit_place(audits, int(at)) if is_audit else _pool_place(draws, int(at), scores, reason)
        for is_audit, at in zip(from_audit, turn, strict=True)
    ]


def _pool_draws(
    pool: Cases, known: Cases, *, model: Model | None, drive: Drive, size: int
) -> tuple[Draws, Floats | None, str]:
    if not len(pool) or drive.strategy == "random":
        return random_batch(pool.keys, size=size, seed=drive.seed), None, "random"
    if model is None:
        return _typical(pool, known, drive, size), None, "cold_start"
    scores = margin(model.probabilities(pool.vectors))
    if drive.strategy == "margin":
        return top_batch(scores, pool.keys, size=size), scores, "uncertain"
    draws = power_batch(scores, pool.keys, size=size, power=drive.power, seed=drive.seed)
    return draws, scores, "uncertain"


def _typical(pool: Cases, known: Cases, drive: Drive, size: int) -> Draws:
    """Cold start among the unread, the labelled ones counted as seen."""
    vectors = np.concatenate([pool.vectors, known.vectors])
    keys = np.concatenate([pool.keys, known.keys])
    features = Scaling.of(vectors.astype(np.float32)).apply(vectors)
    labelled = np.arange(len(pool), len(keys))
    return typical_batch(features, keys, labelled, batch=drive.batch, size=size, seed=drive.seed)


def _pool_place(draws: Draws, at: int, scores: Floats | None, reason: str) -> Place:
    position = int(draws.order[at])
    chance = float(draws.probability[at])
    score = None if scores is None else float(scores[position])
    return Place("pool", position, score, chance if np.isfinite(chance) else None, reason)


def _audit_place(draws: Draws, at: int) -> Place:
    return Place("audit", int(draws.order[at]), None, float(draws.probability[at]), "random_audit")
