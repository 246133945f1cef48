"""Which strategies a replay asks about, by the names that the policy form offers."""

from collections.abc import Sequence

from annotation.learning.models import Policy
from mlworker.replay.turns import Setting
from mlworker.replay.worlds import WorldError

DEFAULT, ALL = "default", "all"


def settings_of(names: Sequence[str], policy: Policy) -> dict[str, Setting]:
    """Give each strategy its setting, batch and audit share as in the policy; the one in force comes first.

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
    settings = {DEFAULT: setting_of(policy, policy.strategy)} if DEFAULT in names else {}
    return settings | {name: setting_of(policy, name) for name in asked}


def setting_of(policy: Policy, strategy: str) -> Setting:
    """Take a strategy with what else the policy says."""
    return Setting(
        strategy=strategy,
        batch=policy.refit_every,
        audit_share=policy.audit_share,
        together=policy.batch_size,
        class_quota=policy.class_quota,
        cost_power=policy.cost_power,
    )
