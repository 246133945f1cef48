"""Decisions of the queue: pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from annotation.projects.rules import AUDIT, RefusedError

AHEAD = 3
DRAFTS_LOOKED_AT = 20
RANKED_PLACES = 2000

COLD_START, UNCERTAIN, RANDOM_AUDIT, RANDOM, UNRANKED_REASON = (
    "cold_start",
    "uncertain",
    "random_audit",
    "random",
    "unranked",
)
AUDIT_TEXT = "Part of the random audit stream: it measures the model honestly."
WHY: Mapping[str, str] = {
    COLD_START: "Typical of a group of images nobody has read yet.",
    UNCERTAIN: "The model is unsure about this case: your answer teaches it most.",
    RANDOM_AUDIT: AUDIT_TEXT,
    RANDOM: "Drawn at random.",
    UNRANKED_REASON: "Not ranked yet.",
}


class LeaseLostError(RefusedError):
    """The reader does not hold the case any more."""

    code: ClassVar[str] = "lease_lost"


def shuffle_of(case_id: UUID) -> int:
    """Place a case in the random order of what no ranking has reached: 31 of the random bits of its id."""
    return case_id.int & 0x7FFF_FFFF


def why_text(reason: str, stream: str) -> str:
    """Tell a reader why a case was chosen, without the model's answer, which would bias the reading."""
    return AUDIT_TEXT if stream == AUDIT else WHY.get(reason, WHY[UNRANKED_REASON])


def expiry(now: datetime, lease_seconds: float) -> datetime:
    """Until when a case given out now is held."""
    return now + timedelta(seconds=lease_seconds)


def first_position(now: datetime, last: int) -> int:
    """Place after all that the reader holds; grows with time, in microseconds."""
    return max(int(now.timestamp() * 1e6), last + 1)


def refit_is_due(new_labels: int, refit_every: int) -> bool:
    """Whether enough reference standards came since the last refit was asked for."""
    return new_labels >= refit_every
