"""How a policy drives one turn: what the refit job and a replay do alike."""

from annotation.learning.models import Policy
from annotation.learning.rules import POWER, ready_to_choose, ready_to_fit
from annotation.projects.rules import LearnedQuestion
from mlworker import loop
from mlworker.heads.ensemble import Recipe
from mlworker.heads.features import Scaling
from mlworker.targets import Target

TURNS_APART = 1_000_003  # no two turns of one seed draw alike


def drive_by(policy: Policy, target: Target, *, read: int) -> loop.Drive:
    """Say how a turn draws: the same labels and policy always draw the same. read: labels of both streams."""
    return loop.Drive(
        strategy=policy.strategy,
        power=POWER,
        audit_share=policy.audit_share,
        batch=max(policy.batch_size, 2 * len(target.choices)),
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
    scaling: Scaling,
    seed: int,
) -> loop.Model | None:
    """Fit a model by a policy's recipe, once the pool's labels suffice for one."""
    if not ready_to_fit(recipe.target.counts(pool.labels)):
        return None
    return loop.modelled(pool, audit, recipe=recipe, scaling=scaling, seed=seed)


def recipe_by(policy: Policy, target: Target) -> Recipe:
    """Say what heads a policy wants."""
    return Recipe(target, adjusted=policy.logit_adjustment)


def target_of(question: LearnedQuestion) -> Target:
    """Put a project's question as the loop sees it."""
    return Target(question.kind, tuple(question.classes))


def choosing(model: loop.Model | None, pool: loop.Labelled) -> loop.Model | None:
    """Pass the model on once it may choose; before, the cold start goes on."""
    if model is None:
        return None
    counts = model.target.counts(pool.labels)
    return model if ready_to_choose(counts, choices=len(model.target.choices)) else None
