"""Acquisition: one contract for every function, and values computed by hand."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from mlworker.acquisition.arrays import Floats, Indices, Keys
from mlworker.acquisition.badge import badge_batch
from mlworker.acquisition.batches import Draws, log_weights, power_batch, random_batch, top_batch
from mlworker.acquisition.clusters import principal
from mlworker.acquisition.cold_start import typical_batch, typicality
from mlworker.acquisition.cost import costed
from mlworker.acquisition.coverage import centre_batch, covering_batch
from mlworker.acquisition.laplace import Posterior
from mlworker.acquisition.noise import gumbels, uniforms
from mlworker.acquisition.quotas import (
    Ways,
    class_quota,
    no_quota,
    rarity_shares,
    shared_batch,
    site_quota,
)
from mlworker.acquisition.scores import bald, entropy, margin, weighted
from mlworker.acquisition.streams import interleaved
from mlworker.acquisition.thresholds import closeness

Chooser = Callable[[Floats, Keys, int], Draws]
NOTHING: Indices = np.empty(0, dtype=np.intp)
SIZE = 40


def softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def predicted(values: Floats) -> Floats:
    return softmax(values[:, :3])


def by_score(score: Callable[[Floats], Floats]) -> Chooser:
    return lambda values, keys, seed: power_batch(score(values), keys, size=SIZE, power=3.0, seed=seed)


def by_posterior(values: Floats, keys: Keys, seed: int) -> Draws:
    known = np.random.default_rng(1).normal(size=(60, 12))
    posterior = Posterior.of(known, predicted(known), penalty=0.5)
    score = bald(softmax(posterior.drawn(values, values[:, :3], seed=seed)))
    return power_batch(score, keys, size=SIZE, power=3.0, seed=seed)


def by_threshold(values: Floats, keys: Keys, seed: int) -> Draws:
    known = np.random.default_rng(1).normal(size=(60, 12))
    near = closeness(predicted(values), predicted(known), known[:, :3].argmax(axis=1))
    shares = rarity_shares(np.array([30, 20, 10]))
    ways = Ways(log_weights(near, power=5.0), shares / shares.sum())
    return shared_batch(ways, no_quota(len(keys)), keys, size=SIZE, seed=seed)


def by_quota(values: Floats, keys: Keys, seed: int) -> Draws:
    sites = (keys % np.uint64(3)).astype(np.intp)
    probabilities = predicted(values)
    predicted_as = np.eye(3, dtype=bool)[probabilities.argmax(axis=1)]
    labelled = np.eye(3, dtype=bool)[np.repeat(np.arange(3), [30, 20, 1])]
    quota = class_quota(predicted_as, labelled).within(site_quota(sites))
    ways = Ways(log_weights(margin(probabilities)[None], power=3.0), np.ones(1))
    ways = costed(ways, np.exp(np.abs(values[:, 5])), power=3.0, cost_power=1.0)
    return shared_batch(ways, quota, keys, size=SIZE, seed=seed)


CHOOSERS: dict[str, Chooser] = {
    "margin": by_score(lambda values: margin(predicted(values))),
    "entropy": by_score(lambda values: entropy(predicted(values))),
    "bald": by_score(lambda values: bald(softmax(values.reshape(len(values), 4, 3)))),
    "multilabel": by_score(
        lambda values: weighted(
            entropy(softmax(np.stack([values, -values], axis=-1))),
            np.stack([np.arange(12), 20 - np.arange(12)]).T,
        )
    ),
    "laplace": by_posterior,
    "top": lambda values, keys, seed: top_batch(values[:, 0], keys, size=SIZE),
    "random": lambda values, keys, seed: random_batch(keys, size=SIZE, seed=seed),
    "badge": lambda values, keys, seed: badge_batch(predicted(values), values, keys, size=SIZE, seed=seed),
    "typical": lambda values, keys, seed: typical_batch(
        values, keys, NOTHING, batch=10, size=SIZE, seed=seed
    ),
    "centre": lambda values, keys, seed: centre_batch(values, keys, NOTHING, size=SIZE),
    "cover": lambda values, keys, seed: covering_batch(values, keys, NOTHING, groups=5, size=SIZE, seed=seed),
    "threshold": by_threshold,
    "quotas_and_cost": by_quota,
}
SEEDED = sorted(set(CHOOSERS) - {"top", "centre"})
REFUSING = sorted(set(CHOOSERS) - {"random"})
# Where every case that is left can come next; the others choose without chance once they are seeded.
DRAWN = ["margin", "entropy", "bald", "multilabel", "laplace", "random", "threshold", "quotas_and_cost"]


def cases(count: int = 200) -> tuple[Floats, Keys]:
    random = np.random.default_rng(7)
    return random.normal(size=(count, 12)), random.integers(0, 2**63, count).astype(np.uint64)


@pytest.mark.parametrize("name", CHOOSERS)
def test_a_batch_names_each_case_once_with_a_chance_or_none(name: str) -> None:
    values, keys = cases()
    draws = CHOOSERS[name](values, keys, 0)
    assert len(draws) == len(draws.probability) == len(set(draws.order.tolist())) == SIZE
    known = draws.probability[np.isfinite(draws.probability)]
    assert ((known > 0.0) & (known <= 1.0)).all()


@pytest.mark.parametrize("name", DRAWN)
def test_every_draw_by_chance_tells_its_chance(name: str) -> None:
    values, keys = cases()
    assert np.isfinite(CHOOSERS[name](values, keys, 0).probability).all()


@pytest.mark.parametrize("name", CHOOSERS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_pool_smaller_than_the_batch_is_drawn_whole(name: str, count: int) -> None:
    values, keys = cases(count)
    assert sorted(CHOOSERS[name](values, keys, 0).order.tolist()) == list(range(count))


@pytest.mark.parametrize("name", CHOOSERS)
def test_an_empty_pool_gives_an_empty_batch(name: str) -> None:
    values, keys = cases(0)
    assert len(CHOOSERS[name](values, keys, 0)) == 0


@pytest.mark.parametrize("name", CHOOSERS)
def test_cases_that_are_all_alike_are_drawn_once_each(name: str) -> None:
    values, keys = cases()
    assert len(set(CHOOSERS[name](np.zeros_like(values), keys, 0).order.tolist())) == SIZE


@pytest.mark.parametrize("name", CHOOSERS)
def test_the_same_seed_gives_the_same_batch(name: str) -> None:
    values, keys = cases()
    first, again = CHOOSERS[name](values, keys, 3), CHOOSERS[name](values, keys, 3)
    np.testing.assert_array_equal(first.order, again.order)


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_another_batch(name: str) -> None:
    values, keys = cases()
    assert CHOOSERS[name](values, keys, 3).order.tolist() != CHOOSERS[name](values, keys, 4).order.tolist()


@pytest.mark.parametrize("name", CHOOSERS)
def test_a_batch_does_not_depend_on_the_order_of_the_cases(name: str) -> None:
    values, keys = cases()
    shuffled = np.random.default_rng(1).permutation(len(keys))
    straight = CHOOSERS[name](values, keys, 5)
    turned = CHOOSERS[name](values[shuffled], keys[shuffled], 5)
    np.testing.assert_array_equal(keys[straight.order], keys[shuffled][turned.order])
    np.testing.assert_allclose(straight.probability, turned.probability, rtol=1e-5)


@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_raises(name: str, value: float) -> None:
    values, keys = cases()
    values[3, 0] = value
    with pytest.raises(ValueError, match="finite"), np.errstate(invalid="ignore"):
        CHOOSERS[name](values, keys, 0)


@pytest.mark.parametrize("score", [margin, entropy])
def test_scores_do_not_depend_on_the_order_of_the_cases(score: Callable[[Floats], Floats]) -> None:
    probabilities = softmax(cases()[0][:, :4])
    shuffled = np.random.default_rng(1).permutation(len(probabilities))
    np.testing.assert_array_equal(score(probabilities)[shuffled], score(probabilities[shuffled]))


def test_margin_is_one_minus_the_lead_of_the_likeliest_class() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0], [0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(margin(probabilities), [1.0, 0.5, 0.0])


def test_entropy_of_a_fair_coin_is_log_two() -> None:
    np.testing.assert_allclose(entropy(np.array([[0.5, 0.5], [1.0, 0.0]])), [np.log(2.0), 0.0])


def test_bald_is_nothing_where_heads_agree_and_log_two_where_they_contradict() -> None:
    agree = [[0.5, 0.5], [0.5, 0.5]]
    contradict = [[1.0, 0.0], [0.0, 1.0]]
    np.testing.assert_allclose(bald(np.array([agree, contradict])), [0.0, np.log(2.0)], atol=1e-12)


def test_probabilities_that_do_not_sum_to_one_raise() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        margin(np.array([[0.5, 0.1]]))


def test_the_chance_of_a_power_draw_is_its_weight_among_those_left() -> None:
    scores, keys = np.array([0.2, 0.4, 0.8]), np.array([1, 2, 3], dtype=np.uint64)
    draws = power_batch(scores, keys, size=3, power=2.0, seed=0)
    weights = scores[draws.order] ** 2
    expected = [weights[0] / weights.sum(), weights[1] / weights[1:].sum(), 1.0]
    np.testing.assert_allclose(draws.probability, expected)


def test_power_draws_come_up_as_often_as_their_probability_says() -> None:
    scores, keys = np.array([0.25, 0.75]), np.array([11, 12], dtype=np.uint64)
    firsts = [power_batch(scores, keys, size=1, power=1.0, seed=seed).order[0] for seed in range(2000)]
    assert np.mean(firsts) == pytest.approx(0.75, abs=0.03)


def test_a_great_power_takes_the_highest_scores() -> None:
    scores = np.linspace(0.1, 1.0, 50)
    draws = power_batch(scores, np.arange(50, dtype=np.uint64), size=3, power=5_000.0, seed=0)
    assert draws.order.tolist() == [49, 48, 47]


def test_a_score_of_nothing_can_still_be_drawn() -> None:
    draws = power_batch(np.zeros(4), np.arange(4, dtype=np.uint64), size=4, power=100.0, seed=0)
    assert (draws.probability > 0.0).all()


def test_uniforms_of_cases_are_uniform_and_gumbels_have_their_mean() -> None:
    keys = np.arange(100_000, dtype=np.uint64)
    assert np.histogram(uniforms(keys, 1), bins=10, range=(0, 1))[0].std() < 300
    assert gumbels(keys, 1).mean() == pytest.approx(0.5772, abs=0.02)


def test_cold_start_takes_the_middle_of_each_group_first() -> None:
    random = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    points = np.concatenate([random.normal(size=(30, 2)) + centre for centre in centres])
    keys = np.arange(90, dtype=np.uint64)
    draws = typical_batch(points, keys, NOTHING, batch=3, size=3, seed=0)
    assert sorted((draws.order // 30).tolist()) == [0, 1, 2]
    away = np.linalg.norm(points[draws.order] - centres[draws.order // 30], axis=1)
    assert (away < 0.8).all()


def test_cold_start_goes_first_to_groups_without_a_label() -> None:
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(size=(30, 2)), random.normal(size=(30, 2)) + 50.0])
    labelled = np.array([0, 1], dtype=np.intp)
    draws = typical_batch(points, np.arange(60, dtype=np.uint64), labelled, batch=2, size=58, seed=0)
    assert draws.order[0] >= 30
    assert not set(draws.order.tolist()) & {0, 1}
    assert len(draws.order) == 58


def test_typicality_is_the_mean_distance_to_the_nearest_neighbours() -> None:
    points = np.array([[0.0], [1.0], [3.0], [100.0]])
    np.testing.assert_allclose(typicality(points, np.array([0, 0, 0, 1])), [1.0, 1.0, 2.0, 0.0], atol=1e-5)


def test_cold_start_of_five_thousand_cases_takes_about_a_second_at_most() -> None:
    random = np.random.default_rng(0)
    points = principal(random.normal(size=(5_000, 512)).astype(np.float16), components=64)
    started = time.process_time()
    typical_batch(points, np.arange(5_000, dtype=np.uint64), NOTHING, batch=500, size=2_000, seed=0)
    assert time.process_time() - started < 4.0


def test_audit_places_are_as_frequent_as_their_share_until_one_stream_is_empty() -> None:
    mixture = interleaved(pool=9_000, audit=1_000, share=0.125, seed=0)
    assert mixture.from_audit.sum() == 1_000
    assert mixture.from_audit[:4_000].mean() == pytest.approx(0.125, abs=0.02)
    assert set(np.unique(mixture.place_share)) == {0.125, 0.875, 1.0}


@pytest.mark.parametrize(("pool", "audit"), [(0, 5), (5, 0), (0, 0)])
def test_an_empty_stream_leaves_all_places_to_the_other(pool: int, audit: int) -> None:
    mixture = interleaved(pool=pool, audit=audit, share=0.5, seed=0)
    assert (len(mixture.from_audit), mixture.from_audit.sum()) == (pool + audit, audit)


def test_no_share_leaves_the_audit_stream_to_the_end() -> None:
    mixture = interleaved(pool=3, audit=2, share=0.0, seed=0)
    assert mixture.from_audit.tolist() == [False, False, False, True, True]
