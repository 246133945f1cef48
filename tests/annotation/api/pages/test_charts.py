"""Where things go in a chart; values computed by hand."""

import pytest

from annotation.api.pages.charts import Axis, Point, Series, chart, label, padded, round_step


def test_nothing_is_drawn_of_nothing() -> None:
    assert chart([Series("a", [])], title="t", x_title="x", y_title="y") is None


def test_an_axis_maps_its_ends_and_holds_what_lies_outside_at_the_edge() -> None:
    axis = Axis(0.0, 10.0, 100.0, 200.0)
    assert [axis.at(value) for value in (0, 5, 10, -3, 99)] == [100, 150, 200, 100, 200]


def test_an_upward_axis_runs_against_the_screen() -> None:
    assert Axis(0.0, 1.0, 258.0, 14.0).at(1.0) == 14.0


def test_ticks_are_round_and_inside() -> None:
    assert [tick.text for tick in Axis(0.47, 0.93, 0.0, 1.0).ticks()] == ["0.5", "0.6", "0.7", "0.8", "0.9"]
    assert [tick.text for tick in Axis(0.0, 105.0, 0.0, 1.0).ticks()] == ["0", "50", "100"]
    assert [tick.text for tick in Axis(0.0, 1.0, 0.0, 1.0).ticks()] == [
        "0.0",
        "0.2",
        "0.4",
        "0.6",
        "0.8",
        "1.0",
    ]


@pytest.mark.parametrize(
    ("rough", "step"), [(0.02, 0.02), (0.021, 0.05), (0.09, 0.1), (3.0, 5.0), (11.0, 20.0)]
)
def test_steps_are_one_two_or_five(rough: float, step: float) -> None:
    assert round_step(rough) == pytest.approx(step)


def test_a_tick_has_as_many_decimals_as_its_step() -> None:
    assert (label(0.1 + 0.2, 0.1), label(1500.0, 500.0), label(0.05, 0.05)) == ("0.3", "1,500", "0.05")


def test_a_span_is_widened_but_not_beyond_its_limits_and_never_empty() -> None:
    assert padded(0.5, 1.0, (0.0, 1.0)) == pytest.approx((0.475, 1.0))
    low, high = padded(0.0, 0.0, (0.0, 10.0))
    assert high > low


def test_a_line_has_a_point_each_and_a_band_around_it() -> None:
    points = [Point(10, 0.6, 0.5, 0.7), Point(20, 0.8, 0.75, 0.85)]
    drawn = chart([Series("a", points)], title="t", x_title="x", y_title="y", y_limits=(0, 1), chance=0.5)
    assert drawn is not None
    [series] = drawn.series
    assert len(series.dots) == 2
    assert series.line.count("L") == 1
    assert series.band.count("L") == 3
    assert series.dots[0].x < series.dots[1].x
    assert series.dots[0].y > series.dots[1].y
    first = series.dots[0]
    assert first.top is not None
    assert first.bottom is not None
    assert first.top < first.y < first.bottom
    assert drawn.chance is not None
    assert drawn.chance <= drawn.bottom


def test_one_point_alone_has_whiskers_and_no_band() -> None:
    drawn = chart([Series("a", [Point(10, 0.6, 0.5, 0.7)])], title="t", x_title="x", y_title="y")
    assert drawn is not None
    assert drawn.series[0].band == ""
    assert drawn.series[0].dots[0].top is not None
