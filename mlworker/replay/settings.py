"""Which strategies a replay asks about, by the names that the policy form offers."""

from collections.abc import Sequence

from annotation.learning.models import Policy
from mlworker.replay.turns import with_strategy
from mlworker.replay.worlds import WorldError

DEFAULT, ALL = "default", "all"


def policies_of(names: Sequence[str], policy: Policy) -> dict[str, Policy]:
    """Give each strategy its policy, all else as in the given one; the one in force comes first.

    names: strategies; "default" is the policy's own, "all" every one there is.
    raises: WorldError naming what is not known.
    """
    known = list(Policy.Strategy.values)
    asked = known if ALL in names else [one for one in names if one != DEFAULT]
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise WorldError(
            f"unknown strategy {', '.join(unknown)}: choose of {', '.join([DEFAULT, ALL, *known])}"
        )
    policies = {DEFAULT: policy} if DEFAULT in names else {}
    return policies | {name: with_strategy(policy, name) for name in asked}
