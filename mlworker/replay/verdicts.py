"""A replay's outcome in words that claim no more than the seeds show. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlworker.replay.summaries import FEWEST_SEEDS, Compared

ENOUGH_SEEDS = 20


def verdict(
    comparisons: Sequence[Compared], strategies: Mapping[str, Mapping[str, Any]], *, seeds: int, target: float
) -> list[str]:
    """One sentence a comparison, then what weakens them all."""
    if not comparisons:
        return ["Only one strategy was replayed: there is nothing to compare it with."]
    told = [sentence(one, strategies, target) for one in comparisons]
    return told + caveats(seeds)


def sentence(one: Compared, strategies: Mapping[str, Mapping[str, Any]], target: float) -> str:
    """Compare two strategies in words."""
    figures = (
        f"mean height of the curve {one.difference:+.3f} (95 % {one.low:+.3f} to {one.high:+.3f}, "
        f"p = {one.p_holm:.2g} after Holm; {one.wins} seeds won, {one.ties} tied, {one.losses} lost)"
    )
    labels = _labels(strategies[one.name], strategies[one.against], one, target)
    if not is_certain(one):
        return f"No difference between {one.name} and {one.against} can be shown: {figures}. {labels}"
    word = "more" if one.difference > 0 else "less"
    return f"{one.name} teaches {word} than {one.against}: {figures}. {labels}"


def is_certain(one: Compared) -> bool:
    """Whether the interval excludes zero and the paired test agrees."""
    return one.p_holm < 0.05 and (one.low > 0 or one.high < 0)


def _labels(mine: Mapping[str, Any], other: Mapping[str, Any], one: Compared, target: float) -> str:
    reached, its = (row["labels_to_target"]["value"] for row in (mine, other))
    if reached is None and its is None:
        return f"Neither reaches {target:.3f} within the budget."
    said = {
        name: f"{name} after {value:.0f} readings" if value is not None else f"{name} not within the budget"
        for name, value in ((one.name, reached), (one.against, its))
    }
    return f"{target:.3f} is reached by {said[one.name]}, by {said[one.against]}."


def caveats(seeds: int) -> list[str]:
    """Say what the number of seeds does not carry."""
    if seeds < FEWEST_SEEDS:
        return [f"With {seeds} seeds no difference can be significant: repeat with {ENOUGH_SEEDS} or more."]
    if seeds < ENOUGH_SEEDS:
        return [f"{seeds} seeds can mislead: a claim needs {ENOUGH_SEEDS} or more."]
    return []
