"""Heads of other kinds of answers, and the one solver behind them."""

import time

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from mlworker.heads.artefact import packed, unpacked
from mlworker.heads.ensemble import Recipe, learned_by, out_of_bag
from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Floats, Labels, fit, log_priors
from mlworker.heads.multilabel import NOT_ASKED, fit_multilabel, log_odds
from mlworker.heads.ordinal import fit_ordinal
from mlworker.heads.timing import expected_seconds
from mlworker.targets import MULTI, ORDINAL, SINGLE, Target, likeliest

ONE_OF = {count: Target(SINGLE, tuple("abcd"[:count])) for count in (2, 3)}


def graded(count: int, width: int = 8, seed: int = 0) -> tuple[Floats, Labels]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, width))
    hidden = 1.5 * features[:, 0] - features[:, 1] + random.logistic(size=count)
    return features, np.digitize(hidden, [-1.0, 0.5, 2.0])


@pytest.mark.parametrize("count", [15, 400])
def test_each_label_is_the_logistic_regression_that_scikit_learn_finds(count: int) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(count, 20))
    present = (features[:, :3] + random.normal(size=(count, 3)) > 0.3).astype(int)
    heads = fit_multilabel(features, present, np.ones((1, count)), np.array([0.5]))
    for label in range(3):
        oracle = LogisticRegression(C=2.0, max_iter=5_000, tol=1e-8).fit(features, present[:, label])
        expected = oracle.predict_proba(features)[:, 1]
        np.testing.assert_allclose(heads.probabilities(features)[:, 0, label], expected, atol=2e-3)


def test_a_label_that_was_not_asked_for_teaches_nothing() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(80, 5))
    present = (features[:, :2] + random.normal(size=(80, 2)) > 0).astype(int)
    asked = present.copy()
    asked[40:, 1] = NOT_ASKED
    both = fit_multilabel(features, asked, np.ones((1, 80)), np.array([1.0]))
    alone = fit_multilabel(features[:40], present[:40, 1:], np.ones((1, 40)), np.array([1.0]))
    np.testing.assert_allclose(
        both.probabilities(features)[:, 0, 1], alone.probabilities(features)[:, 0, 0], atol=2e-3
    )


def test_log_odds_count_what_was_asked() -> None:
    present = np.array([[1, 0], [1, NOT_ASKED], [0, NOT_ASKED]])
    np.testing.assert_allclose(log_odds(present), np.log([3 / 2, 1 / 2]))


def test_grades_are_the_proportional_odds_of_a_plain_search() -> None:
    features, labels = graded(120, width=3)
    heads = fit_ordinal(features, labels, np.ones((1, 120)), np.array([0.5]), classes=4)

    def loss(given: Floats) -> float:
        slope, thresholds = given[:3], np.r_[given[3], given[3] + np.cumsum(np.exp(given[4:]))]
        below = 1.0 / (1.0 + np.exp(-(thresholds - (features @ slope)[:, None])))
        edges = np.hstack([np.zeros((120, 1)), below, np.ones((120, 1))])
        share = edges[np.arange(120), labels + 1] - edges[np.arange(120), labels]
        return float(-np.log(share).sum() + 0.25 * slope @ slope)

    best = minimize(loss, np.zeros(6), method="BFGS").x
    np.testing.assert_allclose(heads.weights[0, :, 0], best[:3], atol=5e-3)
    np.testing.assert_allclose(-heads.bias[0, 0], best[3], atol=5e-3)
    np.testing.assert_allclose(heads.probabilities(features).sum(axis=-1), 1.0, atol=1e-5)


def test_grades_with_fewer_cases_than_features_are_told_apart() -> None:
    features, labels = graded(30, width=60)
    heads = fit_ordinal(features, labels, np.ones((2, 30)), np.array([0.1, 0.1]), classes=4)
    assert (heads.probabilities(features)[:, 0].argmax(axis=1) == labels).mean() > 0.9


def test_many_cases_in_single_precision_give_the_fit_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 4_000)
    features = random.normal(size=(4_000, 30)) + np.eye(3, 30)[labels] + 3.0  # far from centred
    heads = fit(features, labels, np.ones((2, 4_000)), np.array([0.5, 0.5]), classes=3)
    oracle = LogisticRegression(C=2.0, max_iter=5_000, tol=1e-8).fit(features, labels)
    np.testing.assert_allclose(heads.probabilities(features)[:, 1], oracle.predict_proba(features), atol=2e-3)


def test_logit_adjustment_gives_rare_classes_their_recall_back() -> None:
    random = np.random.default_rng(0)
    labels = np.array([0] * 950 + [1] * 50)
    features = random.normal(size=(1_000, 5)) + 1.5 * np.eye(2, 5)[labels]
    one = np.ones((1, 1_000)), np.array([1.0])
    plain = fit(features, labels, *one, classes=2)
    adjusted = fit(features, labels, *one, classes=2, adjustment=log_priors(labels, 2))
    recalls = [
        (heads.probabilities(features)[950:, 0].argmax(axis=1) == 1).mean() for heads in (plain, adjusted)
    ]
    assert recalls[1] > recalls[0] + 0.2
    # The adjusted fit is the plain one with the prior taken off its bias.
    apart = np.diff(adjusted.bias[0] + log_priors(labels, 2))
    np.testing.assert_allclose(apart, np.diff(plain.bias[0]), atol=0.02)


def test_a_case_is_judged_by_the_heads_that_did_not_see_it() -> None:
    random = np.random.default_rng(0)
    vectors, labels = random.normal(size=(60, 40)), np.arange(60)[:, None] % 2  # nothing to learn
    scaling = Scaling.of(vectors)
    ensemble = learned_by(Recipe(ONE_OF[2]), vectors, labels, scaling=scaling, groups=np.arange(60), seed=3)
    honest = out_of_bag(ensemble, vectors, labels, seed=3)
    seen = ensemble.mean_probabilities(vectors)
    assert (likeliest(seen) == labels).mean() > 0.8
    assert (likeliest(honest) == labels).mean() < 0.65
    np.testing.assert_allclose(honest.sum(axis=-1), 1.0, atol=1e-5)


def test_an_ensemble_of_grades_comes_back_from_its_artefact() -> None:
    vectors, labels = graded(80)
    recipe = Recipe(Target(ORDINAL, ("0", "1", "2", "3")))
    ensemble = learned_by(
        recipe, vectors, labels[:, None], scaling=Scaling.of(vectors), groups=np.arange(80), seed=0
    )
    found, _ = unpacked(packed(ensemble, description={}))
    np.testing.assert_array_equal(found.mean_probabilities(vectors), ensemble.mean_probabilities(vectors))


def test_reading_time_is_learned_where_it_follows_the_image_and_stays_within_what_was_seen() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(400, 6))
    seconds = np.exp(2.5 + vectors[:, 0] + 0.1 * random.normal(size=400))
    scaling = Scaling.of(vectors)
    found = expected_seconds(vectors[:200], seconds[:200], vectors[200:], scaling=scaling)
    assert found is not None
    assert np.corrcoef(np.log(found), np.log(seconds[200:]))[0, 1] > 0.8
    assert seconds[:200].min() <= found.min()
    assert found.max() <= seconds[:200].max()


def test_a_few_readings_do_not_tell_how_long_the_next_one_takes() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    seconds = np.r_[np.full(19, 5.0), np.zeros(31)]
    assert expected_seconds(vectors, seconds, vectors, scaling=Scaling.of(vectors)) is None


def test_five_thousand_labels_are_refitted_in_seconds_of_one_core() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 5_000)
    vectors = random.normal(size=(5_000, 256)) + np.eye(3, 256)[labels]
    started = time.process_time()
    learned_by(
        Recipe(ONE_OF[3]),
        vectors,
        labels[:, None],
        scaling=Scaling.of(vectors),
        groups=np.arange(5_000),
        seed=0,
    )
    assert time.process_time() - started < 5.0


KINDS = [Target(SINGLE, ("a", "b", "c")), Target(ORDINAL, ("a", "b", "c")), Target(MULTI, ("a", "b", "c"))]


def labelled_for(target: Target, count: int = 90) -> tuple[Floats, Labels]:
    random = np.random.default_rng(4)
    features = random.normal(size=(count, 12))
    if target.kind == MULTI:
        return features, (features[:, :3] + random.normal(size=(count, 3)) > 0).astype(int)
    return features, np.digitize(features[:, :1] + 0.5 * random.normal(size=(count, 1)), [-0.4, 0.6])


@pytest.mark.parametrize("target", KINDS, ids=lambda one: one.kind)
@pytest.mark.parametrize("adjusted", [False, True])
def test_certain_distributions_teach_what_labels_teach(target: Target, adjusted: bool) -> None:
    features, labels = labelled_for(target)
    sure = [target.shares(np.eye(target.classes)[labels][at : at + 1])[0] for at in range(len(labels))]
    likely = target.likely(labels, [dict(zip(target.choices, one, strict=True)) for one in sure])
    assert likely is not None
    scaling, groups = Scaling.of(features), np.arange(len(labels))
    hard, soft = (
        learned_by(Recipe(target, adjusted), features, given, scaling=scaling, groups=groups, seed=1)
        for given in (labels, likely)
    )
    assert hard.penalty == soft.penalty
    np.testing.assert_allclose(
        soft.head_probabilities(features), hard.head_probabilities(features), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("target", KINDS, ids=lambda one: one.kind)
def test_a_doubtful_label_teaches_as_both_labels_weighted_do(target: Target) -> None:
    """Each case twice, once as each of two classes, weighing what it is likely."""
    features, labels = labelled_for(target)
    other = (labels + 1) % target.classes
    recipe, one = Recipe(target), np.ones((1, len(labels)))
    likely = 0.7 * np.eye(target.classes)[labels] + 0.3 * np.eye(target.classes)[other]
    soft = recipe_fit(recipe, features, likely, one)
    twice = recipe_fit(
        recipe, np.vstack([features] * 2), np.vstack([labels, other]), np.hstack([0.7 * one, 0.3 * one])
    )
    np.testing.assert_allclose(soft, twice[: len(labels)], atol=2e-3)


def recipe_fit(recipe: Recipe, features: Floats, labels: Labels | Floats, weights: Floats) -> Floats:
    """Probabilities of one head, classes as they come."""
    kind, penalties = recipe.target.kind, np.array([0.5])
    if kind == MULTI:
        present = labels if labels.ndim == 2 else labels[:, :, 1]
        return fit_multilabel(features, present, weights, penalties).probabilities(features)
    fitted = fit_ordinal if kind == ORDINAL else fit
    return fitted(features, labels[:, 0], weights, penalties, classes=3).probabilities(features)


def test_what_is_likely_follows_the_choices_that_are_offered() -> None:
    single = Target(SINGLE, ("a", "b"))
    found = single.likely(np.array([[0], [1], [0]]), [{"a": 0.6, "b": 0.3, "gone": 0.1}, None, {"gone": 1.0}])
    assert found is not None
    np.testing.assert_allclose(found[:, 0], [[2 / 3, 1 / 3], [0.0, 1.0], [1.0, 0.0]])
    several = Target(MULTI, ("a", "b")).likely(np.array([[1, 0]]), [{"a": 0.8, "b": 0.25}])
    assert several is not None
    np.testing.assert_allclose(several, [[[0.2, 0.8], [0.75, 0.25]]])
    assert single.likely(np.array([[0]]), [None]) is None
