"""Masks as run-length codes: pixel-exact round trips, and codes that are none."""

import base64

import numpy as np
import pytest

from annotation.projects.masks import MaskError, intervals, mask_of, row_counts, runs_of, voxels, written

IMAGES = ["1.2.3", "1.2.4", "1.2.5"]


def a_mask(seed: int, shape: tuple[int, int, int] = (3, 37, 41)) -> dict[str, np.ndarray]:
    """Two disjoint classes of blobs and single voxels."""
    noise = np.random.default_rng(seed).integers(0, 4, shape)
    noise[1, 5:20, 10:30] = 1
    return {"lung": noise == 1, "tumour": noise == 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_mask_comes_back_voxel_by_voxel(seed: int) -> None:
    classes = a_mask(seed)
    mask = mask_of(written((3, 37, 41), IMAGES, classes))
    for value, drawn in classes.items():
        assert (voxels(mask, value) == drawn).all()
        assert runs_of(drawn) == mask.classes[value]


@pytest.mark.parametrize("filled", [True, False])
def test_all_and_nothing_come_back(filled: bool) -> None:
    drawn = np.full((3, 4, 5), filled)
    mask = mask_of(written((3, 4, 5), IMAGES, {"lung": drawn}))
    assert (voxels(mask, "lung") == drawn).all()


def test_the_code_is_what_its_description_says() -> None:
    drawn = np.zeros(400, dtype=np.bool_)
    drawn[1:301] = True
    # 1 background, 300 foreground (0xAC 0x02 in LEB128), 99 background
    assert base64.b64decode(runs_of(drawn)) == bytes([1, 0xAC, 0x02, 99])


def test_rows_are_counted_without_drawing() -> None:
    classes = a_mask(9)
    mask = mask_of(written((3, 37, 41), IMAGES, classes))
    for value, drawn in classes.items():
        assert (row_counts(mask, value) == drawn.sum(axis=2)).all()
    assert row_counts(mask, "bone").sum() == 0


def test_a_class_that_a_mask_does_not_have_is_empty() -> None:
    assert not voxels(mask_of(written((3, 37, 41), IMAGES, a_mask(1))), "bone").any()


def test_a_large_mask_is_a_short_code() -> None:
    zyx = np.mgrid[-32:32, -64:64, -64:64]
    ball = (zyx**2).sum(axis=0) < 30**2
    assert len(runs_of(ball)) < ball.size / 80


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ("!", "no base64"),
        ("", "middle of a number"),
        (base64.b64encode(bytes([0x80])).decode(), "middle of a number"),
        (base64.b64encode(bytes([59])).decode(), "59 voxels of 60"),
        (base64.b64encode(bytes([30, 0, 30])).decode(), "one of them is empty"),
        (base64.b64encode(bytes([0xFF] * 9 + [1])).decode(), "longer than any mask"),
    ],
)
def test_what_is_no_code_is_refused(runs: str, message: str) -> None:
    with pytest.raises(MaskError, match=message):
        intervals(runs, 60)
