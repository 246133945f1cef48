"""Expert time: what a case teaches for each second that its reading is expected to take."""

import numpy as np

from mlworker.acquisition.arrays import Floats, finite
from mlworker.acquisition.quotas import Ways

REGARDLESS = 0.2  # of the draws look at the score alone, so that slow and rare cases do not starve
FLOOR_PERCENTILE = 10.0


def floored(seconds: Floats) -> Floats:
    """Raise expected seconds to their tenth percentile at least. seconds: (case,), above 0."""
    finite(seconds, "seconds")
    if seconds.min(initial=1.0) <= 0.0:
        raise ValueError(f"seconds: {seconds.min()} is not above 0")
    return np.maximum(seconds, np.percentile(seconds, FLOOR_PERCENTILE)) if len(seconds) else seconds


def costed(ways: Ways, seconds: Floats, *, power: float, cost_power: float) -> Ways:
    """Each way twice: on score ** cost_power / seconds, and with a fifth of the chance on the score alone.

    ways: weights power · log score. seconds: (case,) expected. cost_power: α of equation 12.
    """
    if not (np.isfinite(cost_power) and cost_power > 0.0):
        raise ValueError(f"cost_power is {cost_power}: it must be above 0")
    by_time = cost_power * ways.log_weights - power * np.log(floored(seconds))
    return Ways(
        np.concatenate([by_time, ways.log_weights]),
        np.concatenate([(1.0 - REGARDLESS) * ways.chances, REGARDLESS * ways.chances]),
    )
