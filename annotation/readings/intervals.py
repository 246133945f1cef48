"""Values with their 95 % interval. Pure."""

from dataclasses import dataclass
from math import sqrt

NORMAL = 1.959964  # 97.5 % point of the standard normal distribution


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that it lies in with 95 % confidence."""

    value: float
    low: float
    high: float

    def as_row(self) -> dict[str, float]:
        """Plain values for the evaluation's row."""
        return {"value": self.value, "low": self.low, "high": self.high}


def wilson(share: float, count: int) -> Estimate:
    """Interval of a proportion (Wilson 1927); count is at least 1."""
    square = NORMAL**2 / count
    middle = (share + square / 2) / (1 + square)
    half = NORMAL * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    # Rounding must not put the share itself outside.
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))
