"""Grids of slices: exact where they lie on one, refused in words where they do not."""

from typing import Any

import numpy as np
import pytest

from annotation.exchange.out.contours import filled, outlines_of
from annotation.exchange.out.rules import LeftOutError, part_of, uid_of
from annotation.exchange.out.volumes import placed_affine, smallest

TURNED = np.linalg.qr(np.array([[0.936, -0.2784, 0.1], [0.312, 0.94, 0.2], [-0.16, 0.1977, 0.9]]))[0]


def slices(count: int = 5, *, step: float = 2.5, tilt: float = 0.0) -> list[dict[str, Any]]:
    """Oblique, anisotropic slices; tilt: mm by which each moves along its columns."""
    row, column = TURNED[:, 0], TURNED[:, 1]
    normal = np.cross(row, column)
    return [
        {
            "Rows": 20,
            "Columns": 24,
            "PixelSpacing": [0.7, 0.9],
            "ImageOrientationPatient": [*row, *column],
            "ImagePositionPatient": list(normal * step * place + column * tilt * place + (1, 2, 3)),
        }
        for place in range(count)
    ]


def test_an_oblique_anisotropic_grid_takes_every_voxel_to_its_place() -> None:
    given = slices()
    affine = placed_affine(given)
    for place, one in enumerate(given):
        wanted = np.array(one["ImagePositionPatient"]) + TURNED[:, 0] * 0.9 * 7 + TURNED[:, 1] * 0.7 * 11
        assert (affine @ (7, 11, place, 1))[:3] == pytest.approx(wanted, abs=1e-9)


def test_cosines_that_were_rounded_are_put_at_right_angles() -> None:
    rounded = [
        one | {"ImageOrientationPatient": np.round(one["ImageOrientationPatient"], 5)} for one in slices()
    ]
    axes = placed_affine(rounded)[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-12)


def test_a_tilted_gantry_is_refused_in_words() -> None:
    with pytest.raises(LeftOutError, match="tilted gantry"):
        placed_affine(slices(tilt=0.4))


def test_a_missing_slice_is_refused_in_words() -> None:
    given = slices(6)
    del given[2]
    with pytest.raises(LeftOutError, match="not evenly spaced"):
        placed_affine(given)


def test_slices_in_one_place_are_refused_in_words() -> None:
    with pytest.raises(LeftOutError, match="lie in one place"):
        placed_affine(slices(3, step=0.0))


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0, 255], np.uint8), ([-5, 300], np.int16), ([0, 60_000], np.uint16), ([0.5, 1], np.float32)],
)
def test_whole_numbers_stay_whole_in_the_fewest_bytes(values: list[float], kind: type) -> None:
    found = smallest(np.array(values))
    assert found.dtype == kind
    assert found.tolist() == values


@pytest.mark.parametrize("seed", range(5))
def test_outlines_of_any_mask_fill_to_that_mask(seed: int) -> None:
    pixels = np.random.default_rng(seed).random((17, 23)) < 0.5
    outlines = outlines_of(pixels)
    assert np.array_equal(filled(outlines, pixels.shape), pixels)


def test_a_ring_has_two_outlines_of_four_corners() -> None:
    pixels = np.ones((4, 5), dtype=np.bool_)
    pixels[1:3, 1:3] = False
    outlines = outlines_of(pixels)
    assert [len(one) for one in outlines] == [4, 4]


def test_cases_of_the_audit_stream_are_never_trained_on() -> None:
    assert [part_of("", "pool"), part_of("train", "audit"), part_of("val", "held_out")] == [
        "train",
        "val",
        "val",
    ]
    assert part_of("test", "held_out") == "test"


def test_uids_are_made_of_the_digest_and_what_they_name() -> None:
    assert uid_of("ab", "seg", 1) == uid_of("ab", "seg", 1) != uid_of("ac", "seg", 1)
    assert len(uid_of("ab", "seg", 1)) <= 64
