"""Decisions of the learning room: pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

from annotation.projects.rules import RefusedError

LABELS_A_CLASS = 2
COLD_START_LABELS_A_CLASS = 10
PRETRAINING_POOL = 200
PRETRAINING_MINUTES = 6.0
# How greedy a draw is: score ** POWER. Between 10 and 30, which did alike on two validation splits. All that
# was tried, blocks of seeds that spoke against it included: docs/benchmarks.md, Label efficiency.
POWER = 20.0
MOST_SEEDS, SMALLEST_BUDGET, LARGEST_BUDGET = 100, 20, 5000
# Least, most and unit of each number of a policy.
POLICY_LIMITS: Mapping[str, tuple[float, float, str]] = {
    "refit_every": (1, 1000, "readings"),
    "batch_size": (1, 500, "cases"),
    "audit_share": (0.0, 0.5, "as a share of patients"),
    "cost_power": (0.1, 4.0, "or leave it empty"),
    "train_labels": (20, 100_000, "labels, or leave it empty"),
    "train_days": (1, 365, "days, or leave it empty"),
    "drift_limit": (0.55, 0.99, "or leave it empty"),
    "budget_hours": (0.1, 100_000.0, "hours, or leave it empty"),
}


MAY_BE_EMPTY = ("cost_power", "train_labels", "train_days", "drift_limit", "budget_hours")


class PolicySettings(TypedDict, total=False):
    """What ML staff set; what is not named stays as it is."""

    strategy: str
    refit_every: int
    batch_size: int
    audit_share: float
    class_quota: bool
    site_quota: bool
    cost_power: float | None
    logit_adjustment: bool
    train_labels: int | None
    train_days: int | None
    drift_limit: float | None
    budget_hours: float | None


class Since(NamedTuple):
    """What happened since the encoder was last trained, or since the project began."""

    new_labels: int
    days: float
    drift_low: float | None


def training_is_due(since: Since, *, labels: int | None, days: int | None, drift_limit: float | None) -> str:
    """Say why the encoder is to be trained now; nothing where no trigger that is set has come.

    Without a new label nothing would be learned. drift_low: the lower end of the newest drift's interval.
    """
    if since.new_labels < 1:
        return ""
    if labels is not None and since.new_labels >= labels:
        return "labels"
    if days is not None and since.days >= days:
        return "schedule"
    if drift_limit is not None and since.drift_low is not None and since.drift_low > drift_limit:
        return "drift"
    return ""


def ready_to_fit(counts: Sequence[Sequence[int]]) -> bool:
    """Whether labels suffice for a head: two classes of a decision are known.

    counts: labels of each class, 0 included; one row where one answer is given, one a choice (absent, there)
    where several can be.
    """
    return any(sum(count > 0 for count in classes) >= 2 for classes in counts)


def ready_to_choose(counts: Sequence[Sequence[int]], *, choices: int) -> bool:
    """Whether a head may say what is read next, and what readers are shown.

    It needs two labels of every class, or ten a choice in all and two of two classes: until then typical
    cases find the classes that it cannot know of. counts: as for `ready_to_fit`. choices: of the question.
    """
    known = [sum(count >= LABELS_A_CLASS for count in classes) for classes in counts]
    everything = all(some == len(classes) for some, classes in zip(known, counts, strict=True))
    cases = max(map(sum, counts), default=0)
    return everything or (cases >= COLD_START_LABELS_A_CLASS * choices and max(known, default=0) >= 2)


def pretraining_is_due(*, pool_size: int, has_weights_file: bool, runs: int) -> bool:
    """Whether the encoder should be trained on the pool itself: once, and only on a pool worth it."""
    return pool_size >= PRETRAINING_POOL and not has_weights_file and runs == 0


def checked_policy(settings: PolicySettings, *, known: Sequence[str]) -> None:
    """Check what ML staff set.

    raises: RefusedError naming the field, its value and what it may be.
    """
    strategy = settings.get("strategy", known[0])
    if strategy not in known:
        raise RefusedError(f'strategy is "{strategy}": choose one of {", ".join(known)}')
    for field, given in settings.items():
        if given is None and field not in MAY_BE_EMPTY:
            raise RefusedError(f"{field} is empty: give a value")
    for field, (least, most, unit) in POLICY_LIMITS.items():
        value = settings.get(field)
        if isinstance(value, int | float) and not least <= value <= most:
            raise RefusedError(f"{field} is {value}: give {least:g} to {most:g} {unit}")


def checked_replay(*, strategies: Sequence[str], known: list[str], seeds: int, budget: int) -> None:
    """Check what a replay is asked about.

    raises: RefusedError naming the field, its value and what it may be.
    """
    unknown = [name for name in strategies if name not in known]
    if unknown or not strategies:
        raise RefusedError(f'strategies is "{", ".join(unknown)}": choose of {", ".join(known)}')
    if not 1 <= seeds <= MOST_SEEDS:
        raise RefusedError(f"seeds is {seeds}: give 1 to {MOST_SEEDS}")
    if not SMALLEST_BUDGET <= budget <= LARGEST_BUDGET:
        raise RefusedError(f"budget is {budget}: give {SMALLEST_BUDGET} to {LARGEST_BUDGET} readings")
