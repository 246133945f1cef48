"""Acquisition against the libraries that others publish, each run in a process that sees its packages."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mlworker.acquisition.badge import badge_batch, class_errors
from mlworker.acquisition.clusters import grouped
from mlworker.acquisition.cold_start import typical_batch
from mlworker.acquisition.coverage import centre_batch, covering_batch, pure_radius
from mlworker.acquisition.laplace import precision
from mlworker.acquisition.scores import bald, entropy, margin
from tests import peers

pytestmark = pytest.mark.peers
asked = partial(peers.asked, "tests.mlworker.oracles")


def softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def numbered(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint64)


def test_scores_are_those_of_scikit_activeml_and_baal(tmp_path: Path) -> None:
    heads = softmax(2.0 * np.random.default_rng(0).normal(size=(300, 10, 4)))
    mean = heads.mean(axis=1)
    found = asked("scores", tmp_path, {"heads": heads, "mean": mean})
    np.testing.assert_allclose(found["activeml_margin"], margin(mean), atol=1e-9)
    np.testing.assert_allclose(1.0 - found["baal_margin"], margin(mean), atol=1e-9)
    np.testing.assert_allclose(found["activeml_entropy"], entropy(mean), atol=1e-9)
    np.testing.assert_allclose(found["baal_entropy"], entropy(mean), atol=1e-9)
    np.testing.assert_allclose(found["baal_bald"], bald(heads), atol=1e-9)


def test_badge_measures_the_distances_of_scikit_activeml(tmp_path: Path) -> None:
    """Theirs takes the origin for a case already chosen; ours, as in the paper, only what was chosen."""
    random = np.random.default_rng(0)
    features, mean = random.normal(size=(300, 8)), softmax(2.0 * random.normal(size=(300, 3)))
    seeds, size = 20, 12
    found = asked("badge", tmp_path, {"features": features, "mean": mean, "seeds": seeds, "size": size})
    gradients = (class_errors(mean)[:, :, None] * features[:, None, :]).reshape(300, -1)
    lengths = (gradients**2).sum(axis=1)
    away = ((gradients - gradients[lengths.argmax()]) ** 2).sum(axis=1)
    ours = [badge_batch(mean, features, numbered(300), size=size, seed=seed) for seed in range(seeds)]
    assert {int(draws.order[0]) for draws in ours} == set(found["picks"][:, 0].tolist())
    capped = np.minimum(away, lengths)
    np.testing.assert_allclose(np.nan_to_num(found["seconds"][0]), capped / capped.sum(), rtol=1e-6)
    for draws in ours:
        assert draws.probability[1] == pytest.approx(away[draws.order[1]] / away.sum(), rel=1e-4)

    def left(picks: np.ndarray) -> float:
        return float(((gradients[:, None] - gradients[picks]) ** 2).sum(axis=2).min(axis=1).mean())

    here, there = (
        np.mean([left(picks) for picks in many]) for many in ([one.order for one in ours], found["picks"])
    )
    assert here < 1.05 * there


def test_k_centre_picks_what_scikit_activeml_picks(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(400, 6))
    labels = np.full(400, np.nan)
    labels[[3, 77, 200]] = 0.0
    found = asked("centre", tmp_path, {"points": points, "labels": labels, "size": 25})
    ours = centre_batch(points, numbered(400), np.array([3, 77, 200]), size=25)
    assert ours.order.tolist() == found["picks"].tolist()


def test_typical_cases_are_those_of_scikit_activeml_on_the_same_clusters(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    sizes = [90, 80, 70, 60, 50]
    heaps = [random.normal(size=(count, 4)) + 30.0 * at for at, count in enumerate(sizes)]
    points = np.concatenate(heaps).astype(np.float32)
    labels = np.full(len(points), np.nan)
    labels[5] = 0.0
    members = grouped(points, groups=5, seed=0)
    given = {"points": points, "labels": labels, "members": members, "size": 4}
    ours = typical_batch(points, numbered(len(points)), np.array([5]), batch=4, size=4, seed=0)
    assert ours.order.tolist() == asked("typical", tmp_path, given)["picks"].tolist()


def test_each_pick_covers_as_much_as_any_that_scikit_activeml_could_pick(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(300, 3))
    labels = np.full(300, np.nan)
    labels[[3, 77]] = 0.0
    radius = pure_radius(points, grouped(points, groups=4, seed=0))
    ours = covering_batch(points, numbered(300), np.array([3, 77]), groups=4, size=15, seed=0)
    just_inside = radius * (1.0 - 1e-6)  # theirs counts the edge of the ball
    given = {"points": points, "labels": labels, "picks": ours.order, "radius": just_inside}
    for pick, worth in zip(ours.order, asked("cover", tmp_path, given)["worth"], strict=True):
        assert worth[pick] == np.nanmax(worth)


def test_precisions_are_the_blocks_of_laplace_torch_s_posterior(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    features, weights = random.normal(size=(120, 5)), random.normal(size=(5, 3))
    labels, penalty = random.integers(0, 3, 120), 0.7
    given = {"features": features, "weights": weights, "labels": labels, "penalty": penalty}
    whole = asked("laplace", tmp_path, given)["precision"]
    probabilities = softmax(features @ weights)
    for number in range(3):
        block = whole[5 * number : 5 * number + 5, 5 * number : 5 * number + 5]
        ours = precision(features, probabilities[:, number], penalty=penalty)
        np.testing.assert_allclose(ours, block, rtol=1e-4, atol=1e-6)


def test_umap_keeps_groups_apart_that_are_apart(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    members = np.repeat(np.arange(4), 40)
    vectors = random.normal(size=(160, 64)) + 6.0 * np.eye(4, 64)[members]
    places = asked("umap", tmp_path, {"vectors": vectors.astype(np.float16)})["places"]
    away = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(away, np.inf)
    assert np.mean(members[away.argmin(axis=1)] == members) > 0.95
