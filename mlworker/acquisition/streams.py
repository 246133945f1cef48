"""The random audit stream, mixed into the queue: what the model is judged by, never trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mixture:
    """Which stream each place takes its next case from.

    from_audit:  (place,) true where the case is the next of the audit stream.
    place_share: (place,) chance of that choice: 1 where only one stream had cases left.
    """

    from_audit: NDArray[np.bool_]
    place_share: NDArray[np.float64]


def interleaved(*, pool: int, audit: int, share: float, seed: int) -> Mixture:
    """Toss a coin for each place until one stream is empty; then the other one fills the rest.

    pool, audit: cases in each stream. share: chance that a place is an audit place, 0…1.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share is {share}: it must lie between 0 and 1")
    tosses = np.random.default_rng(seed).random(pool + audit) < share
    audit_before = np.concatenate([[0], np.cumsum(tosses)[:-1]]) if len(tosses) else np.zeros(0)
    pool_before = np.arange(len(tosses)) - audit_before
    free = int(np.count_nonzero((pool_before < pool) & (audit_before < audit)))
    chosen, left = tosses[:free], audit - int(tosses[:free].sum())
    rest = np.full(pool + audit - free, left > 0)
    chances = np.where(chosen, share, 1.0 - share)
    return Mixture(np.concatenate([chosen, rest]), np.concatenate([chances, np.ones(len(rest))]))
