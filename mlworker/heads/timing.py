"""How long a reading will take: ridge regression of log seconds on the features of cases already read."""

import numpy as np

from mlworker.heads.features import BLOCK_ROWS, Floats, Scaling

FEWEST_TIMES = 20
PENALTY = 1.0


def expected_seconds(read: Floats, seconds: Floats, unread: Floats, *, scaling: Scaling) -> Floats | None:
    """Foresee the seconds of unread cases, within the range seen; None while few readings tell.

    read: (case, feature). seconds: (case,), above 0 where known. unread: (case, feature).
    """
    timed = np.flatnonzero(seconds > 0.0)
    if len(timed) < FEWEST_TIMES:
        return None
    features, times = scaling.apply(read[timed]).astype(np.float64), np.log(seconds[timed])
    centre, middle = features.mean(axis=0), times.mean()
    features -= centre
    gram = features.T @ features + PENALTY * np.eye(features.shape[1])
    slope = np.linalg.solve(gram, features.T @ (times - middle))
    starts = range(0, len(unread), BLOCK_ROWS)
    parts = [(scaling.apply(unread[at : at + BLOCK_ROWS]) - centre) @ slope for at in starts]
    expected = np.concatenate([np.empty(0), *parts]) + middle
    return np.asarray(np.exp(np.clip(expected, times.min(), times.max())))
