"""How a policy drives one turn: what the refit job and a replay do alike."""

import numpy as np

from annotation.learning.models import Policy
from annotation.learning.rules import POWER, ready_to_choose, ready_to_fit
from mlworker import loop
from mlworker.heads.ensemble import Recipe
from mlworker.heads.features import Scaling

TURNS_APART = 1_000_003  # no two turns of one seed draw alike


def drive_by(policy: Policy, *, classes: int, read: int) -> loop.Drive:
    """Say how a turn draws: the same labels and policy always draw the same. read: labels of both streams."""
    return loop.Drive(
        strategy=policy.strategy,
        power=POWER,
        audit_share=policy.audit_share,
        batch=max(policy.batch_size, 2 * classes),
        seed=policy.seed + TURNS_APART * read,
        class_quota=policy.class_quota,
        site_quota=policy.site_quota,
        cost_power=policy.cost_power,
    )


def model_by(
    recipe: Recipe,
    pool: loop.Labelled,
    audit: loop.Labelled,
    *,
    classes: list[str],
    scaling: Scaling,
    seed: int,
) -> loop.Model | None:
    """Fit a model by a policy's recipe, once the pool's labels suffice for one."""
    if not ready_to_fit(counts_of(pool, classes)):
        return None
    return loop.modelled(pool, audit, scaling=scaling, class_names=classes, seed=seed, recipe=recipe)


def recipe_by(policy: Policy, classes: list[str], *, ordered: bool = False) -> Recipe:
    """Say what heads a policy wants. ordered: the classes are grades."""
    return Recipe(len(classes), adjusted=policy.logit_adjustment, ordered=ordered)


def choosing(model: loop.Model | None, pool: loop.Labelled, classes: list[str]) -> loop.Model | None:
    """Pass the model on once it may choose; before, the cold start goes on."""
    return model if ready_to_choose(counts_of(pool, classes)) else None


def counts_of(pool: loop.Labelled, classes: list[str]) -> dict[str, int]:
    """Count the labels of each class."""
    counts = np.bincount(pool.labels, minlength=len(classes)).tolist()
    return dict(zip(classes, counts, strict=True))
