"""How often a reader is right over time, and whether that changed. No database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scipy.stats import fisher_exact

from annotation.readings.intervals import Estimate, wilson

# On each side of a change; its p is adjusted for how many places were looked at (Bonferroni).
FEWEST_A_SIDE, LEVEL = 20, 0.05


@dataclass(frozen=True)
class Week:
    """What a reader was right of in a week; start: its Monday."""

    start: date
    right: int
    of: int

    def estimate(self) -> Estimate:
        """Share that was right, with its 95 % interval."""
        return wilson(self.right / self.of, self.of)


@dataclass(frozen=True)
class Change:
    """Between the weeks before and those from since on; p: two-sided, adjusted."""

    since: date
    before: Estimate
    after: Estimate
    p: float

    @property
    def is_fall(self) -> bool:
        """Whether the reader is right less often since."""
        return self.after.value < self.before.value


def weeks_of(told: Mapping[date, tuple[int, int]]) -> list[Week]:
    """Sum days up by week, the oldest first. told: right and all, by day."""
    found: dict[date, tuple[int, int]] = {}
    for day, (right, count) in told.items():
        monday = day - timedelta(days=day.weekday())
        before = found.get(monday, (0, 0))
        found[monday] = before[0] + right, before[1] + count
    return [Week(start, *found[start]) for start in sorted(found)]


def change_in(weeks: Sequence[Week]) -> Change | None:
    """Find where a reader's share of right answers changed the most clearly; None where it did not.

    Every place between two weeks with enough answers on both sides is tested by Fisher's exact test.
    """
    sides = [(_sum(weeks[:at]), _sum(weeks[at:]), weeks[at].start) for at in range(1, len(weeks))]
    sides = [one for one in sides if min(one[0][1], one[1][1]) >= FEWEST_A_SIDE]
    tested = [
        (float(fisher_exact([[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]]).pvalue), a, b, since)
        for a, b, since in sides
    ]
    if not tested:
        return None
    least, before, after, since = min(tested, key=lambda one: (one[0], one[3]))
    p = min(1.0, least * len(tested))
    if p >= LEVEL:
        return None
    first, later = (wilson(right / count, count) for right, count in (before, after))
    return Change(since, first, later, p)


def _sum(weeks: Sequence[Week]) -> tuple[int, int]:
    return sum(week.right for week in weeks), sum(week.of for week in weeks)
