"""Acquisition against values computed by hand, against what was not factored, and against chance."""

import numpy as np
import pytest

from mlworker.acquisition.arrays import Floats, Keys
from mlworker.acquisition.badge import badge_batch, class_errors
from mlworker.acquisition.batches import left_over, log_weights
from mlworker.acquisition.clusters import principal
from mlworker.acquisition.cost import REGARDLESS, costed, floored
from mlworker.acquisition.coverage import centre_batch, covering_batch, pure_radius
from mlworker.acquisition.laplace import Posterior
from mlworker.acquisition.quotas import Quota, Ways, class_quota, no_quota, shared_batch, site_quota
from mlworker.acquisition.scores import bald, entropy, weighted
from mlworker.acquisition.thresholds import closeness, cut, leads

NOTHING = np.empty(0, dtype=np.intp)


def softmax(values: Floats) -> Floats:
    raised = np.exp(values)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def numbered(count: int) -> Keys:
    return np.arange(count, dtype=np.uint64)


def materialised_badge(probabilities: Floats, features: Floats, size: int, seed: int) -> list[int]:
    """BADGE as it is written down: every gradient embedding formed, then k-means++ on them."""
    gradients = (class_errors(probabilities)[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    random, chosen = np.random.default_rng(seed), [int((gradients**2).sum(axis=1).argmax())]
    away = np.full(len(gradients), np.inf)
    for _ in range(size - 1):
        away = np.minimum(away, ((gradients - gradients[chosen[-1]]) ** 2).sum(axis=1))
        away[chosen] = 0.0
        mass = np.cumsum(away)
        chosen.append(int(np.searchsorted(mass, random.random() * mass[-1], side="right")))
    return chosen


def test_factored_badge_makes_the_picks_of_the_materialised_one() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(600, 24)).astype(np.float32)
    probabilities = softmax(2.0 * random.normal(size=(600, 4)))
    draws = badge_batch(probabilities, features, numbered(600), size=60, seed=5)
    assert draws.order.tolist() == materialised_badge(probabilities, features, 60, seed=5)


def test_badge_draws_in_proportion_to_squared_distance() -> None:
    probabilities = np.array([[0.5, 0.5]] * 3)
    features = np.array([[4.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    # |a|² is 1/2: squared distances from the first are (3² + 1²)/2 apart as 9 : 1
    seconds = [
        badge_batch(probabilities, features, numbered(3), size=2, seed=seed).order[1] for seed in range(3000)
    ]
    assert np.mean(np.array(seconds) == 1) == pytest.approx(0.9, abs=0.02)


def test_badge_never_holds_more_than_the_features_themselves() -> None:
    features = np.random.default_rng(0).normal(size=(30_000, 64)).astype(np.float16)
    probabilities = softmax(np.random.default_rng(1).normal(size=(30_000, 9)))
    assert len(badge_batch(probabilities, features, numbered(30_000), size=5, seed=0)) == 5


def test_k_centre_takes_the_farthest_point_again_and_again() -> None:
    points = np.array([[0.0], [1.0], [10.0], [4.0], [9.0]])
    draws = centre_batch(points, numbered(5), np.array([0]), size=4)
    assert draws.order.tolist() == [2, 3, 1, 4]


def test_k_centre_without_labels_begins_in_the_middle() -> None:
    points = np.array([[0.0], [1.0], [10.0], [4.0], [9.0]])  # mean 4.8
    assert centre_batch(points, numbered(5), NOTHING, size=2).order.tolist() == [3, 2]


def test_the_largest_pure_radius_leaves_one_case_in_twenty_impure() -> None:
    points = np.concatenate([np.linspace(0.0, 9.0, 19), [100.0]])[:, None]
    members = np.array([0] * 19 + [1])
    # distances to the other cluster: 91 for the nearest of the 19 and for the lone one, more for the others
    assert pure_radius(points, members) == pytest.approx(91.0, rel=1e-3)


def test_probcover_takes_the_middle_of_the_largest_heap_first_and_leaves_what_is_covered() -> None:
    random = np.random.default_rng(0)
    heaps = [random.normal(size=(count, 2)) * 0.1 + place for count, place in ((60, 0.0), (40, 20.0))]
    points = np.concatenate(heaps)
    first = covering_batch(points, numbered(100), NOTHING, groups=2, size=2, seed=0)
    assert (first.order < 60).tolist() == [True, False]
    after = covering_batch(points, numbered(100), np.array([0]), groups=2, size=1, seed=0)
    assert after.order[0] >= 60


def test_the_lead_of_a_class_is_over_the_best_of_the_others() -> None:
    found = leads(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    np.testing.assert_allclose(found, [[0.2, -0.7], [-0.2, -0.7], [-0.3, 0.7]])


@pytest.mark.parametrize(
    ("values", "members", "expected"),
    [
        ([-0.6, -0.2, 0.4, 0.6], [False, False, True, True], 0.1),
        ([-0.6, -0.2, 0.4, 0.6], [False, True, False, True], 0.5),
        ([-0.5, 0.5], [False, False], 0.75),
        ([-0.5, 0.5], [True, True], -0.75),
    ],
)
def test_the_cut_makes_the_fewest_errors(values: list[float], members: list[bool], expected: float) -> None:
    assert cut(np.array(values), np.array(members)) == pytest.approx(expected)


def test_cases_next_to_the_cut_of_a_class_score_highest() -> None:
    known = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.2, 0.8]])
    labels = np.array([0, 0, 1, 1])  # the second class begins at a lead of (-0.2 - 0.6)/2 = -0.4
    unread = np.array([[0.7, 0.3], [0.5, 0.5], [0.1, 0.9]])
    found = closeness(unread, known, labels)
    np.testing.assert_allclose(found[1], [1.0, 0.6, 0.0], atol=1e-9)


def test_a_rare_class_has_a_larger_share_of_the_places() -> None:
    predicted, labelled = (np.repeat(np.eye(2, dtype=bool), each, axis=0) for each in ([80, 20], [99, 3]))
    quota = class_quota(predicted, labelled)
    np.testing.assert_allclose(quota.shares[:2], [0.1, 0.5])  # and a group of none, which is empty
    ways = Ways(np.zeros((1, 100)), np.ones(1))
    firsts = [shared_batch(ways, quota, numbered(100), size=1, seed=seed).order[0] for seed in range(3000)]
    assert np.mean(np.array(firsts) >= 80) == pytest.approx(5 / 6, abs=0.03)


def test_of_several_findings_the_rarest_one_names_the_group_and_none_is_a_group() -> None:
    predicted = np.array([[True, False], [True, True], [False, False]])
    labelled = np.array([[True, False]] * 8 + [[False, True]] * 3 + [[False, False]] * 15)
    quota = class_quota(predicted, labelled)
    assert quota.groups.tolist() == [0, 1, 2]
    np.testing.assert_allclose(quota.shares, [1 / 3, 1 / 2, 1 / 4])


def test_badge_on_decisions_is_badge_on_the_sum_of_their_losses() -> None:
    random = np.random.default_rng(0)
    present, features = random.random((80, 3)), random.normal(size=(80, 5))
    by_logit = np.where(present > 0.5, present - 1.0, present)  # σ - [σ > ½], one logit a label
    gradients = (by_logit[:, :, None] * features[:, None, :]).reshape(80, -1)
    errors = class_errors(np.stack([1.0 - present, present], axis=-1))
    ours = (errors[:, :, None] * features[:, None, :]).reshape(80, -1)
    apart = np.square(gradients[:, None] - gradients[None]).sum(axis=-1)
    np.testing.assert_allclose(np.square(ours[:, None] - ours[None]).sum(axis=-1), 2.0 * apart)


def test_sites_share_the_places_by_the_root_of_their_size() -> None:
    np.testing.assert_allclose(site_quota(np.array([0] * 9 + [2] * 4)).shares, [3.0, 1.0, 2.0])


def test_a_group_that_is_empty_leaves_its_places_to_the_others() -> None:
    ways = Ways(np.zeros((1, 4)), np.ones(1))
    quota = Quota(np.array([0, 0, 0, 2]), np.array([1.0, 50.0, 100.0]))
    draws = shared_batch(ways, quota, numbered(4), size=4, seed=0)
    assert sorted(draws.order.tolist()) == [0, 1, 2, 3]
    assert draws.probability[-1] == pytest.approx(1.0)


def test_the_chance_of_a_shared_draw_is_how_often_it_happens() -> None:
    random = np.random.default_rng(0)
    ways = Ways(random.normal(size=(2, 6)), np.array([0.7, 0.3]))
    quota = Quota(np.array([0, 0, 0, 1, 1, 1]), np.array([1.0, 2.0]))
    counts: dict[tuple[int, ...], int] = {}
    chances: dict[tuple[int, ...], float] = {}
    for seed in range(5_000):
        draws = shared_batch(ways, quota, numbered(6), size=2, seed=seed)
        pair = tuple(draws.order.tolist())
        counts[pair] = counts.get(pair, 0) + 1
        chances[pair] = float(draws.probability.prod())
    assert sum(chances.values()) == pytest.approx(1.0)
    for pair, chance in chances.items():
        assert counts.get(pair, 0) / 5_000 == pytest.approx(chance, abs=0.025)


def test_greedy_ways_take_their_best_case_and_tell_no_chance() -> None:
    ways = Ways(np.array([[1.0, 3.0, 2.0]]), np.ones(1))
    draws = shared_batch(ways, no_quota(3), numbered(3), size=3, seed=0, greedy=True)
    assert draws.order.tolist() == [1, 2, 0]
    assert np.isnan(draws.probability).all()


def test_expected_seconds_are_floored_at_their_tenth_percentile() -> None:
    seconds = np.arange(1.0, 12.0)
    np.testing.assert_allclose(floored(seconds), np.maximum(seconds, 2.0))


def test_a_quick_case_of_the_same_score_comes_up_more_often_and_a_slow_one_still_does() -> None:
    ways = Ways(log_weights(np.array([[0.5, 0.5]]), power=1.0), np.ones(1))
    both = costed(ways, np.array([10.0, 90.0]), power=1.0, cost_power=1.0)
    # by time 0.1 of the first draws go to the slow case, alone on the score a half: 0.8 · 18/108 + 0.2 · 0.5
    firsts = [
        shared_batch(both, no_quota(2), numbered(2), size=1, seed=seed).order[0] for seed in range(4000)
    ]
    slow = (1.0 - REGARDLESS) * 18.0 / 108.0 + REGARDLESS * 0.5
    assert np.mean(firsts) == pytest.approx(slow, abs=0.025)


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan])
def test_seconds_that_cannot_be_raise(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        floored(np.array([1.0, seconds]))


def test_variances_are_those_of_the_posterior_s_inverse() -> None:
    random = np.random.default_rng(0)
    features, probabilities = random.normal(size=(50, 6)), softmax(random.normal(size=(50, 3)))
    new = random.normal(size=(4, 6))
    found = Posterior.of(features, probabilities, penalty=0.7).variances(new)
    for number in range(3):
        own = probabilities[:, number] * (1.0 - probabilities[:, number])
        precision = 0.7 * np.eye(6) + (features * own[:, None]).T @ features
        expected = np.einsum("if,fg,ig->i", new, np.linalg.inv(precision), new)
        np.testing.assert_allclose(found[:, number], expected, rtol=1e-4)


def test_a_case_unlike_all_labelled_ones_is_the_one_that_drawn_heads_disagree_about() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 4)) * np.array([1.0, 1.0, 0.01, 0.01])
    posterior = Posterior.of(features, np.full((200, 2), 0.5), penalty=0.3)
    new = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    score = bald(softmax(posterior.drawn(new, np.zeros((2, 2)), seed=0, draws=200)))
    assert score[1] > 3.0 * score[0]


def test_more_draws_of_the_posterior_are_other_draws() -> None:
    """An option that changes nothing is a fault that a peer had."""
    posterior = Posterior.of(np.eye(3), np.full((3, 2), 0.5), penalty=1.0)
    few, many = (posterior.drawn(np.eye(3), np.zeros((3, 2)), seed=0, draws=draws) for draws in (5, 500))
    assert (few.shape, many.shape) == ((3, 5, 2), (3, 500, 2))
    assert not np.allclose(bald(softmax(few)), bald(softmax(many)), atol=1e-4)


def test_uncertainty_does_not_depend_on_how_classes_are_numbered() -> None:
    """A peer took the entropy of mean label numbers."""
    probabilities = softmax(np.random.default_rng(0).normal(size=(20, 5, 4)))
    turned = probabilities[:, :, [2, 0, 3, 1]]
    np.testing.assert_allclose(bald(probabilities), bald(turned))
    np.testing.assert_allclose(entropy(probabilities[:, 0]), entropy(turned[:, 0]))


def test_a_rare_label_s_doubt_weighs_more() -> None:
    # posterior prevalence (1 + 1)/(18 + 2) = 0.1 and (9 + 1)/20 = 0.5: weights 10 : 2
    present = np.array([[0.5, 1.0], [0.0, 0.5]])
    found = weighted(entropy(np.stack([1.0 - present, present], axis=-1)), np.array([[17, 1], [9, 9]]))
    np.testing.assert_allclose(found, [np.log(2.0) * 10 / 12, np.log(2.0) * 2 / 12])


def test_what_is_left_before_each_draw_counts_the_undrawn() -> None:
    weights = np.log(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(np.exp(left_over(weights, np.array([3, 0]))), [10.0, 6.0])


def test_principal_components_are_those_of_the_singular_value_decomposition() -> None:
    random = np.random.default_rng(0)
    values = (random.normal(size=(20_000, 6)) * np.arange(6, 0, -1)).astype(np.float16)
    found = principal(values, components=2)
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    expected = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=0.02)
