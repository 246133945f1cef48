"""The queue's decisions: values known by hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from annotation.queue.rules import expiry, first_position, refit_is_due, shuffle_of, why_text

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_lease_lasts_as_long_as_it_should() -> None:
    assert expiry(NOW, 1800) == NOW + timedelta(minutes=30)


def test_what_is_given_later_is_read_later_even_when_the_clock_stands_still() -> None:
    first = first_position(NOW, 0)
    assert first_position(NOW, first) == first + 1


def test_the_random_order_fits_into_the_column() -> None:
    assert shuffle_of(UUID(int=2**128 - 1)) == 2**31 - 1


def test_refits_are_due_at_the_policy_s_number_of_labels() -> None:
    assert [refit_is_due(labels, 10) for labels in (0, 9, 10, 11)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("reason", "stream", "words"),
    [
        ("uncertain", "pool", "unsure about this case"),
        ("cold_start", "pool", "nobody has read yet"),
        ("random_audit", "audit", "measures the model honestly"),
        ("unranked", "audit", "measures the model honestly"),
        ("random", "pool", "Drawn at random"),
        ("unranked", "pool", "Not ranked yet"),
        ("a reason of later days", "pool", "Not ranked yet"),
    ],
)
def test_every_reason_has_its_words(reason: str, stream: str, words: str) -> None:
    assert words in why_text(reason, stream)
