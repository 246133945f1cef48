"""Similar cases: rare ones are found from a few examples, in any order of the pool."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mlworker.projection import Principal, on_grid
from mlworker.similarity import Space, most_alike, prototype, similarities

WIDTH = 128
Floats = NDArray[np.floating]


def a_pool(count: int = 3000, rare: int = 60, *, seed: int = 0) -> tuple[Floats, NDArray[np.bool_]]:
    """Vectors with a few strong directions that all share, and a rare group that is told by a weak one."""
    random = np.random.default_rng(seed)
    strength = np.r_[np.full(8, 10.0), np.full(WIDTH - 8, 0.8)]
    vectors = random.normal(size=(count, WIDTH)) * strength
    is_rare = np.arange(count) < rare
    vectors[is_rare, 8:24] += 3.0
    return vectors.astype(np.float16), is_rare


def precision(vectors: Floats, is_rare: NDArray[np.bool_], like: list[int], unlike: list[int]) -> float:
    space = Space.of(vectors)
    scores = similarities(space, vectors, prototype(space, vectors[like], vectors[unlike]))
    scores[like] = -1.0
    return float(is_rare[most_alike(scores, 40)].mean())


@pytest.mark.parametrize("examples", [1, 3, 5])
def test_a_rare_group_is_found_from_few_examples(examples: int) -> None:
    vectors, is_rare = a_pool()
    assert precision(vectors, is_rare, list(range(examples)), []) > 0.85


def test_raw_distance_would_not_find_it() -> None:
    vectors, is_rare = a_pool()
    exact = vectors.astype(np.float32)
    nearest = np.argsort(((exact - exact[0]) ** 2).sum(axis=1))[1:41]
    assert is_rare[nearest].mean() < 0.5


def test_what_is_not_meant_comes_later() -> None:
    vectors, is_rare = a_pool()
    other = slice(100, 160)
    vectors[other, 16:32] += 3.0
    space = Space.of(vectors)
    plain = similarities(space, vectors, prototype(space, vectors[:2], vectors[:0]))
    marked = similarities(space, vectors, prototype(space, vectors[:2], vectors[100:104]))
    gap = [float(scores[is_rare].mean() - scores[other].mean()) for scores in (plain, marked)]
    assert gap[1] > gap[0] + 0.1


def test_the_order_of_the_pool_changes_no_similarity() -> None:
    vectors, _ = a_pool(500)
    order = np.random.default_rng(3).permutation(len(vectors))
    space, shuffled = Space.of(vectors), Space.of(vectors[order])
    plain = similarities(space, vectors, prototype(space, vectors[:2], vectors[:0]))
    again = similarities(shuffled, vectors[order], prototype(shuffled, vectors[:2], vectors[:0]))
    np.testing.assert_allclose(again, plain[order], atol=1e-3)


def test_similarities_are_cosines() -> None:
    vectors, _ = a_pool(300)
    space = Space.of(vectors)
    scores = similarities(space, vectors, prototype(space, vectors[:1], vectors[:0]))
    assert scores[0] == pytest.approx(1.0, abs=1e-4)
    assert np.abs(scores).max() <= 1.0 + 1e-4


def test_the_most_alike_come_first_and_ties_by_place() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.9, 0.5], dtype=np.float32)
    assert most_alike(scores, 3).tolist() == [1, 3, 2]
    assert most_alike(scores, 9).tolist() == [1, 3, 2, 4, 0]
    assert most_alike(scores[:0], 3).tolist() == []


def test_principal_components_hold_the_variance_in_order() -> None:
    vectors, _ = a_pool(1000)
    principal = Principal.of(vectors, components=4, seed=0)
    spread = principal.apply(vectors).var(axis=0)
    assert np.all(np.diff(spread) <= 1e-3)
    assert 0.3 < principal.explained < 0.6
    np.testing.assert_allclose(principal.basis.T @ principal.basis, np.eye(4), atol=1e-4)


def test_one_vector_has_no_components() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Principal.of(np.ones((1, 4)), components=2, seed=0)


def test_the_grid_keeps_the_shape_and_puts_what_is_far_out_at_the_edge() -> None:
    places = np.random.default_rng(0).normal(size=(2000, 2)) * [4.0, 1.0]
    places[0] = [1e6, 0.0]
    grid = on_grid(places).astype(np.float64)
    assert grid[0, 0] == 65_535
    ratio = grid[1:, 0].std() / grid[1:, 1].std()
    assert ratio == pytest.approx(4.0, rel=0.1)
    assert grid[1:, 0].std() > 8_000
