"""Decisions of the learning room: pure."""

from collections.abc import Mapping

from annotation.projects.rules import RefusedError

LABELS_A_CLASS = 2
COLD_START_LABELS_A_CLASS = 10
PRETRAINING_POOL = 200
PRETRAINING_MINUTES = 6.0
POWER_FIRST, POWER_LAST = 1.0, 100.0
GREEDY_LABELS_A_CLASS = 20
LARGEST_REFIT_EVERY, LARGEST_AUDIT_SHARE = 1000, 0.5


def ready_to_fit(counts: Mapping[str, int]) -> bool:
    """Whether labels suffice for a head: two of every class, or ten a class in all and two of two classes.

    counts: labels of each class of the protocol, 0 included.
    """
    known = sum(count >= LABELS_A_CLASS for count in counts.values())
    many = sum(counts.values()) >= COLD_START_LABELS_A_CLASS * len(counts)
    return known == len(counts) or (many and known >= 2)


def power_of(label_count: int, class_count: int) -> float:
    """Say how greedy a draw is: 1 (diverse) at first, 100 (the top ones) from 20 labels a class.

    Kirsch 2021 takes a constant; the schedule is that of noise-scheduled power acquisition. A slower one
    (10 to 200 labels a class) did worse on the validation split of chest X-rays.
    """
    share = min(label_count / (GREEDY_LABELS_A_CLASS * class_count), 1.0)
    return float(POWER_FIRST * (POWER_LAST / POWER_FIRST) ** share)


def pretraining_is_due(*, pool_size: int, has_weights_file: bool, runs: int) -> bool:
    """Whether the encoder should be trained on the pool itself: once, and only on a pool worth it."""
    return pool_size >= PRETRAINING_POOL and not has_weights_file and runs == 0


def checked_policy(*, strategy: str, known: list[str], refit_every: int, audit_share: float) -> None:
    """Check what ML staff set.

    raises: RefusedError naming the field, its value and what it may be.
    """
    if strategy not in known:
        raise RefusedError(f'strategy is "{strategy}": choose one of {", ".join(known)}')
    if not 1 <= refit_every <= LARGEST_REFIT_EVERY:
        raise RefusedError(f"refit_every is {refit_every}: give 1 to {LARGEST_REFIT_EVERY} readings")
    if not 0.0 <= audit_share <= LARGEST_AUDIT_SHARE:
        raise RefusedError(f"audit_share is {audit_share}: give 0 to {LARGEST_AUDIT_SHARE}")
