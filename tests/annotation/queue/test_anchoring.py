"""What suggestions do to readers: shares, medians and differences, by hand and with seeded readings."""

import numpy as np
import pytest

from annotation.queue.anchoring import (
    CONTROL,
    FEWEST_CONTROLS,
    SHOWN,
    Fact,
    compared,
    mean_of,
    median_of,
    over_time,
    rows_by,
    taken_by_led,
    told,
)
from annotation.readings.intervals import wilson


def facts(side: str, count: int, agreeing: float, *, reader: str = "Reader 1", seed: int = 0) -> list[Fact]:
    """Readings of which each agrees with a chance."""
    random = np.random.default_rng(seed)
    return [
        Fact(reader, "mass", side, float(random.random() < agreeing), 5.0 + 3.0 * random.random())
        for _ in range(count)
    ]


def test_wilsons_interval_is_as_in_the_books() -> None:
    one = wilson(0.8, 10)  # Wilson 1927, by hand: 0.490 – 0.943
    assert (one.value, round(one.low, 3), round(one.high, 3)) == (0.8, 0.490, 0.943)
    assert wilson(0, 10).low == 0.0
    assert wilson(1.0, 10).high == pytest.approx(1.0)


def test_shares_get_wilsons_interval_and_other_means_one_by_bootstrap() -> None:
    assert mean_of([1.0, 1.0, 0.0, 1.0]) == wilson(0.75, 4)
    found = mean_of([0.2, 0.4, 0.9])
    assert found is not None
    assert found.value == pytest.approx(0.5)
    assert 0.2 <= found.low < found.value < found.high <= 0.9
    assert mean_of([]) is None


def test_the_median_of_seconds_has_an_interval_within_the_seconds() -> None:
    found = median_of([1.0, 2.0, 3.0, 4.0, 100.0])
    assert found is not None
    assert (found.value, found.low >= 1.0, found.high <= 100.0) == (3.0, True, True)


def test_nine_controls_are_too_few_to_compare() -> None:
    row = compared("all", facts(SHOWN, 50, 0.9) + facts(CONTROL, FEWEST_CONTROLS - 1, 0.5))
    assert (row.agreement_effect, row.seconds_effect, row.missing) == (None, None, 1)
    assert told(row).startswith("Not enough controls yet: 9 readings started blank and 50 saw")


def sent(side: str, reader: str, first: int, count: int, agreement: float) -> list[Fact]:
    """Readings of cases from a number on, each a second quicker than the one before."""
    return [
        Fact(
            reader, "mass", side, agreement, 50.0 - place, agreement if side == SHOWN else None, first + place
        )
        for place in range(count)
    ]


def listed(found: list[Fact]) -> list[int]:
    by_reader = rows_by(found, lambda one: one.reader, ["Reader 1", "Reader 2"])
    return taken_by_led(compared("all", found), by_reader, found)


def test_what_who_is_led_sent_as_suggested_is_listed_the_quickest_first() -> None:
    led = sent(SHOWN, "Reader 1", 1, 12, 1.0) + sent(SHOWN, "Reader 1", 13, 2, 0.0)
    led += sent(CONTROL, "Reader 1", 21, 10, 0.0)
    other = sent(SHOWN, "Reader 2", 41, 12, 1.0) + sent(CONTROL, "Reader 2", 61, 12, 1.0)
    assert listed(led + other) == list(range(12, 0, -1))


def test_where_all_are_led_and_no_reader_alone_tells_every_reader_s_are_listed() -> None:
    found = sent(SHOWN, "Reader 1", 1, 9, 1.0) + sent(CONTROL, "Reader 1", 21, 9, 0.0)
    found += sent(SHOWN, "Reader 2", 41, 9, 1.0) + sent(CONTROL, "Reader 2", 61, 9, 0.0)
    assert sorted(listed(found)) == [*range(1, 10), *range(41, 50)]


def test_nothing_is_listed_where_nobody_is_led() -> None:
    assert listed(sent(SHOWN, "Reader 1", 1, 20, 1.0) + sent(CONTROL, "Reader 1", 21, 20, 1.0)) == []


def test_readers_who_are_led_are_told_apart_from_those_who_are_not() -> None:
    led = compared("all", facts(SHOWN, 150, 0.95) + facts(CONTROL, 60, 0.6, seed=1))
    assert led.agreement_effect is not None
    assert led.agreement_effect.low > 0
    assert "more often" in told(led)
    free = compared("all", facts(SHOWN, 150, 0.7, seed=2) + facts(CONTROL, 60, 0.7, seed=3))
    assert free.agreement_effect is not None
    assert free.agreement_effect.low < 0 < free.agreement_effect.high
    assert "No difference can be told" in told(free)


def test_the_same_facts_give_the_same_intervals() -> None:
    given = facts(SHOWN, 30, 0.8) + facts(CONTROL, 30, 0.5, seed=1)
    assert compared("all", given) == compared("all", given)


def test_rows_keep_to_their_name_and_names_without_readings_are_left_out() -> None:
    given = facts(SHOWN, 12, 0.8) + facts(CONTROL, 11, 0.5, reader="Reader 2")
    rows = rows_by(given, lambda one: one.reader, ["Reader 1", "Reader 2", "Reader 3"])
    counts = [(row.name, row.shown.count, row.control.count) for row in rows]
    assert counts == [("Reader 1", 12, 0), ("Reader 2", 0, 11)]


def test_agreement_is_followed_as_readings_come_in() -> None:
    given = [Fact("Reader 1", "mass", SHOWN, value, 1.0) for value in (1.0, 0.0, 1.0, 1.0)]
    points = over_time(given)
    assert [(place, one.value) for place, one in points] == [(1, 1.0), (2, 0.5), (3, 2 / 3), (4, 0.75)]
    assert over_time([]) == []
