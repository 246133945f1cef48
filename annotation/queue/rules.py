"""Decisions of the queue: pure."""

from uuid import UUID


def shuffle_of(case_id: UUID) -> int:
    """Place a case in the random order of what no ranking has reached: 31 of the random bits of its id."""
    return case_id.int & 0x7FFF_FFFF
