"""Counts over very many rows are kept for a minute; those over few are counted each time."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache

KEPT_SECONDS: Final = 60
MANY_ROWS: Final = 10_000
T = TypeVar("T")


def kept(key: str, count: Callable[[], T], *, rows: Callable[[T], int]) -> T:
    """Count, or give what was counted over many rows less than a minute ago. rows: how many were counted."""
    found: T | None = cache.get(key)
    if found is None:
        found = count()
        if rows(found) >= MANY_ROWS:
            cache.set(key, found, KEPT_SECONDS)
    return found
