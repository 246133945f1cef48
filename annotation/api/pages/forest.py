"""Statistics side by side with their intervals, a line each, as numbers for a template. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.api.pages.charts import Axis, Tick

WIDTH, LINE, TOP, BOTTOM = 560.0, 24.0, 8.0, 40.0
LEFT, RIGHT = 190.0, 14.0


@dataclass(frozen=True)
class Mark:
    """One statistic: what it is of, where it lies, and where its interval ends."""

    name: str
    y: float
    x: float
    left: float | None
    right: float | None
    title: str


@dataclass(frozen=True)
class Forest:
    """All that the template draws."""

    title: str
    x_title: str
    marks: list[Mark]
    ticks: list[Tick]
    height: float
    zero: float | None
    width: float = WIDTH
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP

    @property
    def bottom(self) -> float:
        """Where the axis lies."""
        return self.height - BOTTOM


@dataclass(frozen=True)
class Entry:
    """A statistic to draw."""

    name: str
    value: float
    low: float | None
    high: float | None


def forest(entries: Sequence[Entry], *, title: str, x_title: str, least: float = 0.0) -> Forest | None:
    """Lay out statistics that reach up to 1; None where there are fewer than two.

    least: where the axis begins at the latest.
    """
    if len(entries) < 2:
        return None
    low = min([least, *(one.value if one.low is None else one.low for one in entries)])
    axis = Axis(max(low, -1.0), 1.0, LEFT, WIDTH - RIGHT)
    return Forest(
        title=title,
        x_title=x_title,
        marks=[_mark(one, TOP + LINE * (place + 0.5), axis) for place, one in enumerate(entries)],
        ticks=axis.ticks(),
        height=TOP + LINE * len(entries) + BOTTOM,
        zero=axis.at(0.0) if low < 0 else None,
    )


def _mark(entry: Entry, y: float, axis: Axis) -> Mark:
    is_sure = entry.low is not None and entry.high is not None
    told = f"{entry.value:.2f}" + (f" ({entry.low:.2f} – {entry.high:.2f})" if is_sure else "")
    return Mark(
        name=entry.name,
        y=y,
        x=axis.at(entry.value),
        left=None if entry.low is None else axis.at(entry.low),
        right=None if entry.high is None else axis.at(entry.high),
        title=f"{entry.name}: {told}",
    )
