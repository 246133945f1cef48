"""Decisions of the queue: pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import log, log2
from typing import ClassVar
from uuid import UUID

from annotation.projects.rules import AUDIT, RefusedError, falls_within

AHEAD = 3
DRAFTS_LOOKED_AT = 20
RANKED_PLACES = 2000

DISAGREEMENT, BOUNDARY, DIVERSE, COVERAGE = "disagreement", "boundary", "diverse", "coverage"
COLD_START, UNCERTAIN, RANDOM_AUDIT, RANDOM, UNRANKED_REASON, QUERY_BATCH, SECOND_READING = (
    "cold_start",
    "uncertain",
    "random_audit",
    "random",
    "unranked",
    "query_batch",
    "second_reading",
)
PRACTICE, QUALIFICATION = "practice", "qualification"
BATCH_RANK = 0
SECOND_RANK = 0
READ_BY_ALL = "read_by_all"
LARGEST_BATCH, LONGEST_WHY = 200, 200
AUDIT_TEXT = "Part of the random audit stream: it measures the model honestly."
WHY: Mapping[str, str] = {
    COLD_START: "Typical of a group of images nobody has read yet.",
    UNCERTAIN: "The model is unsure about this case: your answer teaches it most.",
    DISAGREEMENT: "Models that learned from different readings disagree about this case.",
    BOUNDARY: "At the edge of what the model takes for one of the answers: your answer moves that edge.",
    DIVERSE: "The model is unsure about this case, and it differs from the others that come up with it.",
    COVERAGE: "Unlike the images read so far: your answer speaks for those that look like it.",
    RANDOM_AUDIT: AUDIT_TEXT,
    RANDOM: "Drawn at random.",
    UNRANKED_REASON: "Not ranked yet.",
    PRACTICE: "A practice case: its answer is known, and you are shown it after yours.",
    QUALIFICATION: "Part of the qualification test: its answer is known, and you are not told it.",
    SECOND_READING: "Colleagues read this case too, each without the others' answers.",
}


class LeaseLostError(RefusedError):
    """The reader does not hold the case any more."""

    code: ClassVar[str] = "lease_lost"


def shuffle_of(case_id: UUID) -> int:
    """Place a case in the random order of what no ranking has reached: 31 of the random bits of its id."""
    return case_id.int & 0x7FFF_FFFF


def why_text(reason: str, stream: str) -> str:
    """Tell a reader why a case was chosen, without the model's answer, which would bias the reading."""
    is_gold = reason in (PRACTICE, QUALIFICATION)
    return AUDIT_TEXT if stream == AUDIT and not is_gold else WHY.get(reason, WHY[UNRANKED_REASON])


def batch_text(asked_by: str, why: str) -> str:
    """Tell a reader who asked for a case by hand, and why."""
    return f"{asked_by} asked for this case: {why}"


def checked_batch(numbers: Sequence[int], why: str) -> str:
    """Check what a query batch is asked to be; returns its words, trimmed.

    raises: RefusedError naming the rule.
    """
    words = " ".join(why.split())
    if not numbers:
        raise RefusedError("no case is chosen: choose at least one")
    count = len(set(numbers))
    if count > LARGEST_BATCH:
        raise RefusedError(f"{count} cases are chosen: a query batch holds at most {LARGEST_BATCH}")
    if not 1 <= len(words) <= LONGEST_WHY:
        raise RefusedError(f"the reason has {len(words)} characters: give readers 1 to {LONGEST_WHY}")
    return words


def left_out(
    stream: str, state: str, *, is_in_batch: bool, again: bool = False, judging: bool = False
) -> str:
    """Say why a case cannot be in a query batch; nothing where it can. again: read ones are to be read again.

    A case of the audit stream is drawn by chance alone: asked for by hand, it would no longer judge honestly.
    judging: those of them that are read may be read again; who asks sees to it that not only a model's
    mistakes are, which would tilt the figures in its favour.
    """
    if stream == AUDIT and not (judging and again and state == "done"):
        return AUDIT
    if state != "waiting" and not (again and state == "done"):
        return state
    return "in_batch" if is_in_batch else ""


def expiry(now: datetime, lease_seconds: float) -> datetime:
    """Until when a case given out now is held."""
    return now + timedelta(seconds=lease_seconds)


def first_position(now: datetime, last: int) -> int:
    """Place after all that the reader holds; grows with time, in microseconds."""
    return max(int(now.timestamp() * 1e6), last + 1)


def refit_is_due(new_labels: int, refit_every: int) -> bool:
    """Whether enough reference standards came since the last refit was asked for."""
    return new_labels >= refit_every


def withheld(mode: str, stream: str, reason: str, *, is_predicted: bool, is_control: bool) -> str:
    """Say why a reader is shown no suggestion; nothing where one is shown.

    One of never, no_model, audit, second, control.

    The audit stream judges the model: whoever reads it must not have seen what the model says. A model may
    have learned what the first reader of a case said, and would tell it to the second.
    """
    if mode == "never":
        return mode
    if not is_predicted:
        return "no_model"
    if stream == AUDIT:
        return AUDIT
    if reason in (SECOND_READING, PRACTICE, QUALIFICATION):
        return "second"
    return "control" if is_control else ""


def readings_wanted(case_id: UUID, readers: int, second_share: float) -> int:
    """How many readers read a case: all the same number, a fraction of about second_share one more."""
    digest = hashlib.sha256(b"second:" + case_id.bytes).digest()
    return readers + falls_within(digest, second_share)


def drawn_for_control(case_id: UUID, reader_id: UUID, share: float) -> bool:
    """Whether this reader reads this case without a suggestion, to measure what suggestions do to readers.

    The same for the same case and reader whenever it is asked; of all pairs, a fraction of about share.
    """
    digest = hashlib.sha256(b"control:" + case_id.bytes + reader_id.bytes).digest()
    return falls_within(digest, share)


def uncertainty(probabilities: Mapping[str, float] | None, *, several: bool) -> float | None:
    """Place a prediction between sure (0) and no idea (1), without telling the answer; None for none.

    Entropy over its maximum; the mean of binary entropies where several choices can be made.
    """
    values = list((probabilities or {}).values())
    if not values:
        return None
    if not several and len(values) > 1:
        return -sum(p * log(p) for p in values if p > 0) / log(len(values))
    return sum(-p * log2(p) - (1 - p) * log2(1 - p) for p in values if 0 < p < 1) / len(values)
