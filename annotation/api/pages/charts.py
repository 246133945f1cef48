"""Charts as numbers for a template: what goes where in an SVG. Pure; colours and dashes are in pages.css."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 16.0, 14.0, 42.0
TICKS, MANY = 5, 25


@dataclass(frozen=True)
class Point:
    """One value with its interval, where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    title: str = ""


@dataclass(frozen=True)
class Series:
    """Points that belong together, by ascending x."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point on the drawing; `top` and `bottom` are its interval's ends."""

    x: float
    y: float
    top: float | None
    bottom: float | None
    title: str


@dataclass(frozen=True)
class Drawn:
    """A series on the drawing; the paths are SVG's."""

    name: str
    number: int
    line: str
    band: str
    dots: list[Dot]
    radius: float


@dataclass(frozen=True)
class Chart:
    """All that the template draws."""

    title: str
    x_title: str
    y_title: str
    series: list[Drawn]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    chance: float | None
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Axis:
    """A linear scale between two values and two places."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies; values outside lie at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def ticks(self) -> list[Tick]:
        """Round values along the axis."""
        step = round_step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [Tick(self.at(step * (first + i)), label(step * (first + i), step)) for i in range(count)]


def chart(
    series: Sequence[Series],
    *,
    title: str,
    x_title: str,
    y_title: str,
    y_limits: tuple[float, float] | None = None,
    chance: float | None = None,
) -> Chart | None:
    """Lay out lines with bands; None where there is nothing to draw.

    y_limits: the widest that the y axis may be; chance: a level drawn for comparison.
    """
    points = [point for one in series for point in one.points]
    if not points:
        return None
    x = Axis(*padded(0.0, max(point.x for point in points), (0.0, math.inf)), LEFT, WIDTH - RIGHT)
    y = Axis(*y_range(points, y_limits, chance), HEIGHT - BOTTOM, TOP)
    return Chart(
        title=title,
        x_title=x_title,
        y_title=y_title,
        series=[drawn(one, number, x, y) for number, one in enumerate(series, start=1) if one.points],
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        chance=None if chance is None else y.at(chance),
    )


def y_range(
    points: Sequence[Point], limits: tuple[float, float] | None, chance: float | None
) -> tuple[float, float]:
    """Span of values, intervals and chance, with some room, inside the limits."""
    lows = [point.y if point.low is None else point.low for point in points]
    highs = [point.y if point.high is None else point.high for point in points]
    wanted = [] if chance is None else [chance]
    return padded(min(lows + wanted), max(highs + wanted), limits or (-math.inf, math.inf))


def padded(low: float, high: float, limits: tuple[float, float]) -> tuple[float, float]:
    """Widen a span by a twentieth on both sides, never beyond the limits, never to nothing."""
    room = (high - low) / 20 or max(abs(high) / 10, 1e-3)
    return max(low - room, limits[0]), min(high + room, limits[1])


def drawn(series: Series, number: int, x: Axis, y: Axis) -> Drawn:
    """Place one series."""
    dots = [placed(point, x, y) for point in series.points]
    with_band = [dot for dot in dots if dot.top is not None]
    upper = [f"{dot.x} {dot.top}" for dot in with_band]
    lower = [f"{dot.x} {dot.bottom}" for dot in reversed(with_band)]
    return Drawn(
        name=series.name,
        number=(number - 1) % 4 + 1,
        line="M" + "L".join(f"{dot.x} {dot.y}" for dot in dots),
        band="M" + "L".join(upper + lower) + "Z" if len(with_band) > 1 else "",
        dots=dots,
        radius=4.0 if len(dots) <= MANY else 2.0,
    )


def placed(point: Point, x: Axis, y: Axis) -> Dot:
    """Place one point."""
    top = None if point.high is None else y.at(point.high)
    bottom = None if point.low is None else y.at(point.low)
    return Dot(x.at(point.x), y.at(point.y), top, bottom, point.title)


def round_step(rough: float) -> float:
    """Find the next of 1, 2, 5 × 10^k."""
    power = 10 ** math.floor(math.log10(rough))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999))


def label(value: float, step: float) -> str:
    """Write a tick with as many decimals as its step needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value + 0.0:,.{decimals}f}"
