"""Heads: what they converge to, what a bootstrap keeps, what an artefact holds."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlworker.heads.artefact import packed, unpacked
from mlworker.heads.ensemble import bootstrap_counts, class_balance, learned
from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Floats, Labels, fit


def blobs(count: int, *, width: int = 20, seed: int = 0) -> tuple[Floats, Labels]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    labels[:3] = [0, 1, 2]
    return random.normal(size=(count, width)) + 2.0 * np.eye(3, width)[labels], labels


@pytest.mark.parametrize("count", [12, 300])
def test_a_head_is_the_penalised_maximum_likelihood_that_scikit_learn_finds(count: int) -> None:
    features, labels = blobs(count)
    heads = fit(features, labels, np.ones((1, count)), np.array([0.5]), classes=3)
    oracle = LogisticRegression(C=2.0, max_iter=5_000, tol=1e-8).fit(features, labels)
    np.testing.assert_allclose(heads.probabilities(features)[:, 0], oracle.predict_proba(features), atol=2e-3)


def test_a_weight_of_nothing_leaves_a_case_out() -> None:
    features, labels = blobs(60)
    weights = np.ones((2, 60))
    weights[1, 30:] = 0.0
    both = fit(features, labels, weights, np.array([1.0, 1.0]), classes=3)
    alone = fit(features[:30], labels[:30], np.ones((1, 30)), np.array([1.0]), classes=3)
    np.testing.assert_allclose(
        both.probabilities(features)[:, 1], alone.probabilities(features)[:, 0], atol=2e-3
    )


def test_every_bootstrap_sample_keeps_every_class() -> None:
    labels = np.array([0] * 50 + [1])
    counts = bootstrap_counts(labels[:, None], 200, seed=0)
    assert (counts[:, 50] > 0).all()
    assert counts[:, :50].sum(axis=1).min() > 30


def test_classes_weigh_alike_whatever_their_number() -> None:
    weights = class_balance(np.array([0, 0, 0, 1]), 2)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2.0])


def test_scaled_features_have_length_one_and_no_constant_part() -> None:
    vectors = np.random.default_rng(0).normal(5.0, 3.0, size=(500, 8))
    features = Scaling.of(vectors).apply(vectors)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=0.05)


def test_a_constant_feature_does_no_harm() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    vectors[:, 1] = 7.0
    assert np.isfinite(Scaling.of(vectors).apply(vectors)).all()


def test_an_ensemble_is_the_same_for_the_same_seed_and_learns() -> None:
    vectors, labels = blobs(200)
    again = [
        learned(vectors, labels, scaling=Scaling.of(vectors), classes=3, groups=np.arange(200), seed=4)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(again[0].heads.weights, again[1].heads.weights)
    assert (again[0].mean_probabilities(vectors)[:, 0].argmax(axis=1) == labels).mean() > 0.85


def test_an_artefact_gives_back_the_ensemble_and_is_the_same_bytes_each_time() -> None:
    vectors, labels = blobs(40)
    ensemble = learned(vectors, labels, scaling=Scaling.of(vectors), classes=3, groups=np.arange(40), seed=0)
    content = packed(ensemble, description={"classes": ["a", "b", "c"]})
    found, description = unpacked(content)
    np.testing.assert_array_equal(found.mean_probabilities(vectors), ensemble.mean_probabilities(vectors))
    assert description["classes"] == ["a", "b", "c"]
    assert packed(found, description={"classes": ["a", "b", "c"]}) == content


def test_other_safetensors_are_no_artefact() -> None:
    from safetensors.numpy import save

    with pytest.raises(ValueError, match="no head artefact"):
        unpacked(save({"weights": np.zeros(3)}))
