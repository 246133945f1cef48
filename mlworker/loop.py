"""One turn of active learning on stored vectors: labels → heads → an order of the unread pool.

No database, no torch: the refit job and the benchmarks call this same code.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from mlworker.acquisition import streams
from mlworker.acquisition.batches import Draws, random_batch
from mlworker.evaluation.calibration import cross_fitted, temperatures
from mlworker.evaluation.intervals import judged
from mlworker.heads.ensemble import Recipe, learned_by
from mlworker.heads.features import Scaling
from mlworker.strategies import Chosen, Situation, drawn
from mlworker.turn import Cases, Drive, Labelled, Model

__all__ = ["Cases", "Drive", "Labelled", "Model", "Place", "key_of", "modelled", "ordered", "scaling_of"]
PLACES = 2_000


@dataclass(frozen=True)
class Place:
    """One case in the order. stream: "pool" or "audit"; position: in that stream's arrays."""

    stream: str
    position: int
    score: float | None
    draw_probability: float | None
    reason: str


def key_of(case_id: UUID) -> int:
    """Identity of a case in 64 bits."""
    return case_id.int >> 64


def scaling_of(*parts: Cases) -> Scaling:
    """One scaling over every case of the project, labelled or not."""
    return Scaling.of(*(part.vectors for part in parts))


def modelled(
    pool: Labelled,
    audit: Labelled,
    *,
    recipe: Recipe,
    scaling: Scaling,
    seed: int,
) -> Model:
    """Fit heads on the pool's labels, temperatures on the audit stream's, and judge there."""
    target = recipe.target
    ensemble = learned_by(
        recipe,
        pool.cases.vectors,
        pool.learned,
        scaling=scaling,
        groups=pool.patients,
        seed=seed,
    )
    if not len(audit.labels):
        nothing = np.empty((0, target.decisions, target.classes))
        unjudged = judged(nothing, audit.labels, audit.patients, target=target)
        return Model(target, ensemble, np.ones((target.decisions, 1)), unjudged, pool, seed)
    raw = ensemble.mean_probabilities(audit.cases.vectors)
    honest = cross_fitted(raw, audit.labels, audit.patients, seed=seed)
    verdict = judged(honest, audit.labels, audit.patients, target=target, seed=seed, sites=audit.cases.sites)
    return Model(target, ensemble, temperatures(raw, audit.labels), verdict, pool, seed, honest)


def ordered(
    pool: Cases, audit: Cases, known: Cases, *, model: Model | None, drive: Drive, size: int = PLACES
) -> list[Place]:
    """Order unread cases of both streams.

    pool, audit: unread cases. known: labelled cases of the pool, so that a cold start goes elsewhere.
    """
    chosen = drawn(Situation(pool, known, model, drive, size))
    audits = random_batch(audit.keys, size=size, seed=drive.seed + 1)
    mixture = streams.interleaved(
        pool=len(pool), audit=len(audit), share=drive.audit_share, seed=drive.seed + 2
    )
    from_audit = mixture.from_audit[:size]
    turn = np.where(from_audit, np.cumsum(from_audit), np.cumsum(~from_audit)) - 1
    return [
        _audit_place(audits, int(at)) if is_audit else _pool_place(chosen, int(at))
        for is_audit, at in zip(from_audit, turn, strict=True)
    ]


def _pool_place(chosen: Chosen, at: int) -> Place:
    position = int(chosen.draws.order[at])
    chance = float(chosen.draws.probability[at])
    score = None if chosen.scores is None else float(chosen.scores[position])
    return Place("pool", position, score, chance if np.isfinite(chance) else None, chosen.reasons[at])


def _audit_place(draws: Draws, at: int) -> Place:
    return Place("audit", int(draws.order[at]), None, float(draws.probability[at]), "random_audit")
