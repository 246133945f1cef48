"""A replay from question to answer: strategies × seeds → curves, comparisons, a verdict in words."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.learning.models import Policy
from mlworker.replay.summaries import TARGET_SHARE, area, compared, known, of_strategy, ratio_of_reach
from mlworker.replay.turns import Curve, full_score, replayed
from mlworker.replay.verdicts import verdict
from mlworker.replay.worlds import World, WorldError, checked

Told = Callable[[float, str], None]
BASELINES = ("random", "site_random")
FULL_SEEDS = 3  # a fixed judge: the heads' bootstrap is all that differs between seeds


@dataclass(frozen=True)
class Question:
    """What is replayed. policies: by name, the first one is the one in question."""

    policies: Mapping[str, Policy]
    seeds: int
    budget: int
    first_seed: int = 0


def answer(world: World, question: Question, told: Told) -> dict[str, Any]:
    """Replay every strategy with every seed, and sum up; plain values, ready for JSON.

    raises: WorldError where the set or the budget does not allow it.
    """
    _checked(checked(world), question)
    return summed_up(world, question, runs(world, question, told))


def summed_up(world: World, question: Question, curves: Mapping[str, Mapping[int, Curve]]) -> dict[str, Any]:
    """Sum up runs of every strategy with the same seeds."""
    full = full_scores(world, question)
    target = TARGET_SHARE * full
    strategies = {name: of_strategy(list(one.values()), target) for name, one in curves.items()}
    areas = {name: np.array([area(curve) for curve in one.values()]) for name, one in curves.items()}
    comparisons = compared(areas, pairs(list(curves)))
    return {
        "data": world.name,
        "seeds": question.seeds,
        "budget": question.budget,
        "full": known(full),
        "target": known(target),
        "policies": {name: facts_of(policy) for name, policy in question.policies.items()},
        "strategies": strategies,
        "comparisons": [
            asdict(one) | {"labels_ratio": _ratio(curves, one.name, one.against, target)}
            for one in comparisons
        ],
        "verdict": verdict(comparisons, strategies, seeds=question.seeds, target=target),
    }


def _checked(world: World, question: Question) -> None:
    if question.seeds < 1 or not question.policies:
        raise WorldError("a replay needs a strategy and a seed")
    most = len(world.read.labels)
    batch = max(policy.refit_every for policy in question.policies.values())
    if not 2 * batch <= question.budget <= most:
        raise WorldError(
            f"budget is {question.budget}: give {2 * batch} to {most}, the cases of {world.name}"
        )


def runs(world: World, question: Question, told: Told) -> dict[str, dict[int, Curve]]:
    """Run seed by seed, every strategy with the same one: curves by strategy and seed."""
    found: dict[str, dict[int, Curve]] = {name: {} for name in question.policies}
    total, done = question.seeds * len(found), 0
    for seed in range(question.first_seed, question.first_seed + question.seeds):
        for name, policy in question.policies.items():
            told(done / total, f"seed {seed}: {name}")
            found[name][seed] = replayed(world, policy, budget=question.budget, seed=seed)
            done += 1
    return found


def full_scores(world: World, question: Question) -> float:
    """Mean score that all labels of the pool give."""
    policy = next(iter(question.policies.values()))
    count = question.seeds if world.judge is None else min(FULL_SEEDS, question.seeds)
    seeds = range(question.first_seed, question.first_seed + count)
    return float(np.mean([full_score(world, policy, seed=seed) for seed in seeds]))


def facts_of(policy: Policy) -> dict[str, Any]:
    """Write down how a policy drives."""
    names = (
        "strategy",
        "refit_every",
        "batch_size",
        "audit_share",
        "class_quota",
        "site_quota",
        "cost_power",
    )
    return {name: getattr(policy, name) for name in names}


def pairs(names: list[str]) -> list[tuple[str, str]]:
    """Say who is compared: each strategy with random, and the first one with each other."""
    baselines = [name for name in BASELINES if name in names]
    others = [name for name in names if name not in baselines]
    found = [(name, baseline) for baseline in baselines for name in others]
    return found + [(others[0], name) for name in others[1:]] if others else found


def _ratio(curves: Mapping[str, Mapping[int, Curve]], name: str, other: str, target: float) -> dict[str, Any]:
    readings = next(iter(curves[name].values())).readings
    mine, its = (np.stack([curve.score for curve in curves[one].values()]) for one in (name, other))
    return ratio_of_reach(readings, mine, its, target)
