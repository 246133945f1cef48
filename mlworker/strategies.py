"""Acquisition strategies by name: how each draws from the pool, and the reason that a reader is told.

`Policy.Strategy` offers the same names with a sentence of explanation each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlworker.acquisition import scores
from mlworker.acquisition.arrays import Keys
from mlworker.acquisition.badge import badge_batch
from mlworker.acquisition.batches import Draws, certain, log_weights, random_batch
from mlworker.acquisition.clusters import principal
from mlworker.acquisition.cold_start import typical_batch
from mlworker.acquisition.cost import costed
from mlworker.acquisition.coverage import centre_batch, covering_batch
from mlworker.acquisition.laplace import Posterior
from mlworker.acquisition.quotas import (
    Quota,
    Ways,
    class_quota,
    no_quota,
    rarity_shares,
    shared_batch,
    site_quota,
)
from mlworker.acquisition.thresholds import closeness
from mlworker.heads.ensemble import out_of_bag, predicted_from
from mlworker.heads.features import Scaling
from mlworker.heads.ordinal import OrdinalHeads
from mlworker.targets import class_counts, likeliest
from mlworker.turn import Cases, Drive, Floats, Labelled, Model, Numbers, by_block

SPREAD_AT_LEAST = 64  # places of a strategy that chooses a batch as a whole; after them the order is random
SPREAD_BATCHES = 4
COMPARED, COVERED = 20_000, 8_000  # cases among which such a strategy chooses: a random part of a larger pool
COMPONENTS = 64
GROUPS_AT_LEAST = 2
COLD_GROUPS = 20  # over 10: mean height + 0.013 on chest X-rays' validation split, + 0.002 on brain MR's


@dataclass(frozen=True)
class Situation:
    """What a strategy may look at. pool: unread. known: labelled, so that draws go elsewhere."""

    pool: Cases
    known: Cases
    model: Model | None
    drive: Drive
    size: int


@dataclass(frozen=True)
class Chosen:
    """Draws from the pool, a score of every case of it where there is one, and each draw's reason."""

    draws: Draws
    scores: Floats | None
    reasons: Sequence[str]


@dataclass(frozen=True)
class Fitted:
    """What a strategy with a model needs: unread cases, what was learned from, and predictions.

    probabilities: (case, decision, class), calibrated.
    """

    pool: Cases
    model: Model
    learned_from: Labelled
    probabilities: Floats
    seed: int


@dataclass(frozen=True)
class Scored:
    """Scores by one way or more. values: (way, case), ≥ 0. chances: (way,), sum 1."""

    values: Floats
    chances: Floats


Strategy = Callable[[Situation], Chosen]
Score = Callable[[Fitted], Scored]


def drawn(now: Situation) -> Chosen:
    """Draw as the policy says.

    raises: ValueError for a strategy that is not registered, naming those that are.
    """
    name = now.drive.strategy
    if name not in STRATEGIES:
        raise ValueError(f'strategy is "{name}": known are {", ".join(STRATEGIES)}')
    if not len(now.pool):
        return Chosen(certain(np.empty(0, dtype=np.intp)), None, [])
    return STRATEGIES[name](now)


def typical(now: Situation) -> Chosen:
    """Draw typical cases of groups that have no label yet."""
    points, keys = _points(now.pool, now.known)
    labelled = np.arange(len(now.pool), len(keys))
    drive = now.drive
    draws = typical_batch(points, keys, labelled, batch=drive.batch, size=now.size, seed=drive.seed)
    return Chosen(draws, None, ["cold_start"] * len(draws))


def cold_start(now: Situation) -> Chosen:
    """Draw typical cases of many groups: small groups hold the rare classes."""
    return typical(replace(now, drive=replace(now.drive, batch=max(now.drive.batch, COLD_GROUPS))))


def uniform(now: Situation) -> Chosen:
    """Draw every case alike."""
    draws = random_batch(now.pool.keys, size=now.size, seed=now.drive.seed)
    return Chosen(draws, None, ["random"] * len(draws))


def uniform_by_site(now: Situation) -> Chosen:
    """Draw a site by its quota, then each of its cases alike."""
    ways = Ways(np.zeros((1, len(now.pool))), np.ones(1))
    draws = shared_batch(ways, _sites(now.pool), now.pool.keys, size=now.size, seed=now.drive.seed)
    return Chosen(draws, None, ["random"] * len(draws))


def scored(score: Score, *, reason: str, greedy: bool = False) -> Strategy:
    """Draw by a score of each case, with the policy's quotas and regard for time; typical cases at first.

    greedy: the greatest first, without chance.
    """

    def draw(now: Situation) -> Chosen:
        fitted = _fitted(now)
        if fitted is None:
            return cold_start(now)
        found = score(fitted)
        quota = _quota(now, fitted)
        draws = shared_batch(
            _ways(now, found), quota, now.pool.keys, size=now.size, seed=now.drive.seed, greedy=greedy
        )
        return Chosen(draws, found.values.max(axis=0), [reason] * len(draws))

    return draw


def spread(batch: Callable[[Situation, int], Draws], *, reason: str, among: int) -> Strategy:
    """Choose the next batches each as a whole; what follows them is drawn at random.

    among: most cases that are compared; of a larger pool, a random part, and no chance is given then.
    """

    def draw(now: Situation) -> Chosen:
        wanted = min(now.size, max(SPREAD_AT_LEAST, SPREAD_BATCHES * now.drive.batch))
        first = _within(now, among, lambda part: batch(part, wanted))
        rest = np.setdiff1d(np.arange(len(now.pool)), first.order)
        later = random_batch(now.pool.keys[rest], size=now.size - len(first), seed=now.drive.seed + 3)
        draws = first.then(Draws(rest[later.order], later.probability))
        return Chosen(draws, None, [reason] * len(first) + ["random"] * len(later))

    return draw


def with_model(strategy: Strategy) -> Strategy:
    """Draw typical cases until there is a model."""
    return lambda now: cold_start(now) if now.model is None else strategy(now)


def power_margin(now: Fitted) -> Scored:
    """Lead of the likeliest class, mean over decisions."""
    return _alone(_together(scores.margin(now.probabilities), now))


def entropy(now: Fitted) -> Scored:
    """Entropy of the mean prediction, mean over decisions."""
    return _alone(_together(scores.entropy(now.probabilities), now))


def head_disagreement(now: Fitted) -> Scored:
    """Mutual information over the bootstrap heads, sum over decisions."""
    return _alone(now.model.scored_by_heads(_told, now.pool.vectors))


def posterior_disagreement(now: Fitted) -> Scored:
    """Mutual information over draws of the last layer's Laplace posterior; of grades, over the heads."""
    ensemble, cases = now.model.ensemble, now.learned_from.cases
    heads = ensemble.heads
    if isinstance(heads, OrdinalHeads):
        return head_disagreement(now)
    posterior = Posterior.of(
        ensemble.scaling.apply(cases.vectors),
        heads.probabilities(ensemble.scaling.apply(cases.vectors))[:, 0],
        penalty=ensemble.penalty,
    )

    def of_part(vectors: Floats) -> Floats:
        features = ensemble.scaling.apply(vectors)
        drawn = posterior.drawn(features, heads.logits(features)[:, 0], seed=now.seed)
        return _told(predicted_from(heads, drawn))

    return _alone(by_block(of_part, now.pool.vectors))


def class_threshold(now: Fitted) -> Scored:
    """Nearness to the cut that separates each choice; rarely labelled ones come up more often."""
    labels, target = now.learned_from.labels, now.model.target
    known = out_of_bag(now.model.ensemble, now.learned_from.cases.vectors, labels, seed=now.model.seed)
    parts = zip(now.probabilities.transpose(1, 0, 2), known.transpose(1, 0, 2), labels.T, strict=True)
    near = np.stack([closeness(*part) for part in parts])
    shares = rarity_shares(target.named(labels))
    return Scored(near[target.places], shares / shares.sum())


def gradient_spread(now: Situation, size: int) -> Draws:
    """BADGE on the mean prediction and the scaled vectors; typical cases until there is a model."""
    if now.model is None:
        return typical(now).draws.first(size)
    vectors = now.pool.vectors
    return badge_batch(
        now.model.probabilities(vectors),
        now.model.ensemble.scaling.apply(vectors),
        now.pool.keys,
        size=size,
        seed=now.drive.seed,
    )


def greatest_distance(now: Situation, size: int) -> Draws:
    """k-centre on principal components."""
    points, keys = _points(now.pool, now.known)
    return centre_batch(points, keys, np.arange(len(now.pool), len(keys)), size=size)


def greatest_cover(now: Situation, size: int) -> Draws:
    """ProbCover on principal components."""
    points, keys = _points(now.pool, now.known)
    labelled = np.arange(len(now.pool), len(keys))
    groups = max(now.drive.batch, GROUPS_AT_LEAST)
    return covering_batch(points, keys, labelled, groups=groups, size=size, seed=now.drive.seed)


def _alone(values: Floats) -> Scored:
    return Scored(values[None], np.ones(1))


def _together(values: Floats, now: Fitted) -> Floats:
    """Mean over decisions, rare ones weighing more: (case, decision) → (case,)."""
    return scores.weighted(values, class_counts(now.learned_from.labels, now.model.target.classes))


def _told(predictions: Floats) -> Floats:
    """Sum of each decision's mutual information: (case, head, decision, class) → (case,)."""
    return np.asarray(scores.bald(predictions).sum(axis=1))


def _fitted(now: Situation) -> Fitted | None:
    model = now.model
    if model is None or model.learned_from is None:
        return None
    probabilities = model.probabilities(now.pool.vectors)
    return Fitted(now.pool, model, model.learned_from, probabilities, now.drive.seed)


def _ways(now: Situation, found: Scored) -> Ways:
    drive, seconds = now.drive, now.pool.seconds
    ways = Ways(log_weights(found.values, power=drive.power), found.chances)
    if drive.cost_power is None or seconds is None:
        return ways
    return costed(ways, seconds, power=drive.power, cost_power=drive.cost_power)


def _quota(now: Situation, fitted: Fitted) -> Quota:
    quota = _sites(now.pool) if now.drive.site_quota else no_quota(len(now.pool))
    if not now.drive.class_quota:
        return quota
    target = fitted.model.target
    predicted = target.chosen(likeliest(fitted.probabilities))
    return class_quota(predicted, target.chosen(fitted.learned_from.labels)).within(quota)


def _sites(pool: Cases) -> Quota:
    return no_quota(len(pool)) if pool.sites is None else site_quota(pool.sites)


def _points(pool: Cases, known: Cases) -> tuple[Floats, Keys]:
    """Principal components of unread cases and, behind them, labelled ones; and their keys."""
    scaling = Scaling.of(pool.vectors, known.vectors)
    keys, vectors = np.concatenate([pool.keys, known.keys]), np.concatenate([pool.vectors, known.vectors])
    return principal(vectors, components=COMPONENTS, prepare=scaling.apply), keys


def _within(now: Situation, among: int, batch: Callable[[Situation], Draws]) -> Draws:
    """Draw from a random part of a large pool, beside a random part of many labelled cases."""
    part = _some(now.pool, among, now.drive.seed + 4)
    known = now.known.at(_some(now.known, among, now.drive.seed + 5))
    draws = batch(replace(now, pool=now.pool.at(part), known=known))
    whole = len(part) == len(now.pool)
    return Draws(part[draws.order], draws.probability if whole else np.full(len(draws), np.nan))


def _some(cases: Cases, size: int, seed: int) -> Numbers:
    """Positions of cases drawn at random, in increasing order."""
    return np.sort(random_batch(cases.keys, size=size, seed=seed).order)


STRATEGIES: dict[str, Strategy] = {
    "power_margin": scored(power_margin, reason="uncertain"),
    "margin": scored(power_margin, reason="uncertain", greedy=True),
    "entropy": scored(entropy, reason="uncertain", greedy=True),
    "bald": scored(head_disagreement, reason="disagreement"),
    "laplace_bald": scored(posterior_disagreement, reason="disagreement"),
    "class_threshold": scored(class_threshold, reason="boundary"),
    "badge": with_model(spread(gradient_spread, reason="diverse", among=COMPARED)),
    "typiclust": typical,
    "probcover": spread(greatest_cover, reason="coverage", among=COVERED),
    "core_set": spread(greatest_distance, reason="coverage", among=COMPARED),
    "random": uniform,
    "random_by_site": uniform_by_site,
}
