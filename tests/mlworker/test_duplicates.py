"""Near-duplicates: vectors that are the same but for noise, in any order and any number of blocks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mlworker import duplicates
from mlworker.duplicates import groups_of_patients, near_duplicates

Floats = NDArray[np.floating]


def a_pool(count: int, *, seed: int = 0) -> Floats:
    """Vectors that share a strong direction: by plain cosine each is like each."""
    random = np.random.default_rng(seed)
    return (random.normal(size=(count, 64)) + 20.0).astype(np.float16)


def with_copies(pool: Floats) -> Floats:
    """The last ten are the first ten with a little noise; the eleventh from the end is a copy of a copy."""
    noise = np.random.default_rng(9).normal(size=(10, 64)) * 0.02
    found = pool.copy()
    found[-10:] = pool[:10] + noise
    found[-11] = found[-10]
    return found


def test_copies_are_found_and_nothing_else() -> None:
    found = near_duplicates(with_copies(a_pool(300)), 0.95)
    assert found.count == 10
    assert (found.of > 0).sum() == 21
    for place in range(10):
        assert found.of[place] == found.of[290 + place] > 0
    assert found.of[289] == found.of[0]
    assert found.likeness[:10].min() > 0.95


def test_groups_are_numbered_by_likeness() -> None:
    found = near_duplicates(with_copies(a_pool(300)), 0.95)
    most = [found.likeness[found.of == number].max() for number in range(1, found.count + 1)]
    assert most == sorted(most, reverse=True)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = with_copies(a_pool(300))
    whole = near_duplicates(pool, 0.9)
    monkeypatch.setattr(duplicates, "BLOCK", 37)
    parts = near_duplicates(pool, 0.9)
    assert parts.of.tolist() == whole.of.tolist()
    np.testing.assert_allclose(parts.likeness, whole.likeness, atol=1e-5)


def test_the_order_changes_only_the_order() -> None:
    pool = with_copies(a_pool(300))
    order = np.random.default_rng(1).permutation(300)
    plain, shuffled = near_duplicates(pool, 0.95), near_duplicates(pool[order], 0.95)
    back = np.empty(300, dtype=np.intp)
    back[order] = shuffled.of
    assert (back > 0).tolist() == (plain.of > 0).tolist()
    same = plain.of[:, None] == plain.of[None]
    assert ((back[:, None] == back[None]) == same).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_images_are_no_duplicates_by_themselves(count: int) -> None:
    assert near_duplicates(a_pool(count), 0.95).count == 0


def test_a_patient_with_images_in_two_groups_joins_them() -> None:
    groups = np.array([1, 2, 0, 1, 2, 3, 3])
    patients = np.array([0, 0, 1, 2, 3, 4, 4])
    found = groups_of_patients(groups, patients)
    assert found[0] == found[2] == found[3] > 0
    assert found[1] == 0
    assert found[4] not in (0, found[0])
