"""What suggestions do to readers: readings that saw one against controls that started blank. Pure.

Which reading is a control is drawn by chance (rules.drawn_for_control), so a difference is the suggestion's
doing, up to its interval.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.readings.intervals import Estimate, wilson

FEWEST_CONTROLS = 10
REPLICATES, SEED = 2000, 0
SHOWN, CONTROL, UNSEEN = "shown", "control", "unseen"
CHECKPOINTS = 12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fact:
    """A first reading of a case for which the model had something to suggest.

    side:      SHOWN, CONTROL, or UNSEEN: it could have been seen and the reader did not look.
    agreement: with the suggestion, 0 – 1; of one choice 0 or 1.
    accepted:  share of the suggestion that was sent as it was; None where nothing was shown or proposed.
    case:      its number.
    """

    reader: str
    label: str
    side: str
    agreement: float
    seconds: float
    accepted: float | None = None
    case: int = 0


@dataclass(frozen=True)
class Group:
    """Readings of one side."""

    count: int
    agreement: Estimate | None
    seconds: Estimate | None
    accepted: Estimate | None


@dataclass(frozen=True)
class Row:
    """Both sides of a label, a reader or all; effects: shown less control, None while either is too small."""

    name: str
    shown: Group
    control: Group
    agreement_effect: Estimate | None
    seconds_effect: Estimate | None

    @property
    def is_led(self) -> bool:
        """Whether who saw a suggestion surely agreed with it more often than who did not."""
        return self.agreement_effect is not None and self.agreement_effect.low > 0

    @property
    def missing(self) -> int:
        """How many controls are missing until a comparison means something."""
        return max(0, FEWEST_CONTROLS - self.control.count)


def mean_of(values: Sequence[float]) -> Estimate | None:
    """Mean with its interval: Wilson's where each value is 0 or 1, else by bootstrap; None of no values."""
    if not values:
        return None
    if set(values) <= {0.0, 1.0}:
        return wilson(sum(values) / len(values), len(values))
    return _bootstrapped([np.asarray(values)], lambda parts: parts[0].mean(axis=1))


def median_of(values: Sequence[float]) -> Estimate | None:
    """Median with its interval by bootstrap; None of no values."""
    return _bootstrapped([np.asarray(values)], lambda parts: np.median(parts[0], axis=1)) if values else None


def _bootstrapped(samples: Sequence[Floats], statistic: Callable[[list[Floats]], Floats]) -> Estimate:
    """Percentiles over samples drawn again with replacement, each sample on its own."""
    random = np.random.default_rng(SEED)
    drawn = [one[random.integers(len(one), size=(REPLICATES, len(one)))] for one in samples]
    low, high = np.percentile(statistic(drawn), [2.5, 97.5])
    (value,) = statistic([one[None] for one in samples])
    return Estimate(float(value), float(low), float(high))


def compared(name: str, facts: Sequence[Fact]) -> Row:
    """Hold readings that saw a suggestion against controls."""
    shown, control = ([one for one in facts if one.side == side] for side in (SHOWN, CONTROL))
    is_enough = len(control) >= FEWEST_CONTROLS and len(shown) >= FEWEST_CONTROLS
    agreements = [np.array([one.agreement for one in side]) for side in (shown, control)]
    seconds = [np.array([one.seconds for one in side]) for side in (shown, control)]
    return Row(
        name=name,
        shown=_group(shown),
        control=_group(control),
        agreement_effect=_bootstrapped(
            agreements, lambda parts: parts[0].mean(axis=1) - parts[1].mean(axis=1)
        )
        if is_enough
        else None,
        seconds_effect=_bootstrapped(
            seconds, lambda parts: np.median(parts[0], axis=1) - np.median(parts[1], axis=1)
        )
        if is_enough
        else None,
    )


def _group(facts: Sequence[Fact]) -> Group:
    return Group(
        count=len(facts),
        agreement=mean_of([one.agreement for one in facts]),
        seconds=median_of([one.seconds for one in facts]),
        accepted=mean_of([one.accepted for one in facts if one.accepted is not None]),
    )


def rows_by(facts: Sequence[Fact], name_of: Callable[[Fact], str], names: Iterable[str]) -> list[Row]:
    """Compare both sides of each name; a name without readings is left out."""
    parts = {name: [one for one in facts if name_of(one) == name] for name in names}
    return [compared(name, part) for name, part in parts.items() if part]


def taken_by_led(everything: Row, readers: Sequence[Row], facts: Sequence[Fact]) -> list[int]:
    """Name the cases whose suggestion was sent as it was by who is led by suggestions, the quickest first.

    Where all readings together are led and no reader's alone tells, every reader is taken for one.
    """
    names = {row.name for row in readers if row.is_led}
    if not names and not everything.is_led:
        return []
    taken = [one for one in facts if one.accepted == 1.0 and (not names or one.reader in names)]
    return list(dict.fromkeys(one.case for one in sorted(taken, key=lambda one: one.seconds)))


def over_time(facts: Sequence[Fact]) -> list[tuple[int, Estimate]]:
    """Agreement after so many of some readings, oldest first, at a few points on the way."""
    places = sorted({round(len(facts) * nth / CHECKPOINTS) for nth in range(1, CHECKPOINTS + 1)} - {0})
    found = [(place, mean_of([one.agreement for one in facts[:place]])) for place in places]
    return [(place, one) for place, one in found if one is not None]


def told(row: Row) -> str:
    """Say in words what the comparison says."""
    if row.agreement_effect is None:
        return (
            f"Not enough controls yet: {row.control.count} readings started blank and {row.shown.count} saw"
            f" the suggestion, at least {FEWEST_CONTROLS} of each are needed."
        )
    effect = row.agreement_effect
    span = f"{100 * effect.value:+.0f} points ({100 * effect.low:+.0f} to {100 * effect.high:+.0f})"
    if row.is_led:
        return (
            f"Readers who saw the suggestion agreed with it more often than those who started blank: {span}."
        )
    if effect.high < 0:
        return (
            f"Readers who saw the suggestion agreed with it less often than those who started blank: {span}."
        )
    return f"No difference can be told between readers who saw the suggestion and those who did not: {span}."
