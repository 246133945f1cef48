"""What is counted over many rows is kept for a minute; what is counted over few is never stale."""

from itertools import count
from uuid import uuid4

from annotation.projects.kept import MANY_ROWS, kept


def test_few_rows_are_counted_each_time() -> None:
    key, numbers = str(uuid4()), count()
    counted = [kept(key, lambda: next(numbers), rows=lambda _found: MANY_ROWS - 1) for _ in range(3)]
    assert counted == [0, 1, 2]


def test_many_rows_are_counted_once_a_minute() -> None:
    key, numbers = str(uuid4()), count(7)
    counted = [kept(key, lambda: next(numbers), rows=lambda _found: MANY_ROWS) for _ in range(3)]
    assert counted == [7, 7, 7]
    assert kept(str(uuid4()), lambda: next(numbers), rows=lambda _found: MANY_ROWS) == 8
