"""Masks and boxes compared, against SimpleITK, every pair of voxels, and values computed by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import SimpleITK
from scipy.spatial.distance import cdist

from annotation.readings.agreement import boxes, surfaces
from annotation.readings.agreement.drawn import Labelled, overlap
from annotation.readings.agreement.measured import NOBODY

ITK: Any = SimpleITK  # its own calls are without types
SPACING = (3.0, 0.7, 0.5)


def blobs(seed: int, *, shape: tuple[int, int, int] = (6, 30, 34)) -> tuple[np.ndarray, np.ndarray]:
    """Two ellipsoids that overlap, one of them with a piece of its own, at the image's edge."""
    random = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    found = []
    for _ in range(2):
        centre, size = random.uniform([2, 12, 12], [4, 18, 20]), random.uniform([2, 6, 6], [3, 9, 10])
        away = sum(((at - c) / s) ** 2 for at, c, s in zip((z, y, x), centre, size, strict=True))
        found.append(away <= 1)
    found[1][0, :3, :4] = True
    return found[0], found[1]


def itk(drawn: np.ndarray) -> Any:
    image = ITK.GetImageFromArray(drawn.astype(np.uint8))
    image.SetSpacing(SPACING[::-1])
    return image


def distances_by_itk(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distance of each surface voxel of one to the other's surface; background lies around both."""
    contours = [ITK.LabelContour(itk(np.pad(drawn, 1)), False) for drawn in (one, other)]
    away = ITK.SignedMaurerDistanceMap(contours[1], squaredDistance=False, useImageSpacing=True)
    found = np.abs(ITK.GetArrayFromImage(away))
    return np.asarray(found[ITK.GetArrayFromImage(contours[0]) > 0])


@pytest.mark.parametrize("seed", range(4))
def test_dice_is_simpleitks(seed: int) -> None:
    one, other = blobs(seed)
    measures = ITK.LabelOverlapMeasuresImageFilter()
    measures.Execute(itk(one), itk(other))
    assert surfaces.compared(one, other, SPACING).dice == pytest.approx(
        measures.GetDiceCoefficient(), abs=1e-9
    )


@pytest.mark.parametrize("seed", range(4))
def test_surface_distances_are_simpleitks(seed: int) -> None:
    """SimpleITK's maps hold single precision."""
    one, other = blobs(seed)
    there, back = distances_by_itk(one, other), distances_by_itk(other, one)
    found = surfaces.compared(one, other, SPACING)
    assert found.mean_mm == pytest.approx(np.concatenate([there, back]).mean(), abs=1e-5)
    assert found.hausdorff_mm == pytest.approx(
        max(np.percentile(there, 95), np.percentile(back, 95)), abs=1e-5
    )


@pytest.mark.parametrize("seed", range(4))
def test_surface_distances_are_those_of_every_pair_of_voxels(seed: int) -> None:
    one, other = blobs(seed)
    points = [surfaces.surface_points(drawn, SPACING) for drawn in (one, other)]
    apart = cdist(*points)
    found = surfaces.compared(one, other, SPACING)
    nearest = np.concatenate([apart.min(axis=1), apart.min(axis=0)])
    assert found.mean_mm == pytest.approx(nearest.mean(), abs=1e-9)


def test_two_voxels_lie_apart_as_the_spacing_says() -> None:
    one, other = np.zeros((2, 3, 5, 5), dtype=bool)
    one[0, 1, 1] = other[2, 1, 1] = True
    found = surfaces.compared(one, other, SPACING)
    assert (found.dice, found.mean_mm, found.hausdorff_mm) == (0.0, 6.0, 6.0)


def test_the_same_mask_lies_nowhere_apart() -> None:
    one, _ = blobs(0)
    assert surfaces.compared(one, one, SPACING) == surfaces.Apart(1.0, 0.0, 0.0)


def test_masks_that_are_empty_say_what_is_not_defined() -> None:
    one, nothing = blobs(0)[0], np.zeros((6, 30, 34), dtype=bool)
    assert surfaces.compared(nothing, nothing, SPACING) == surfaces.Apart(None, None, None, surfaces.NEITHER)
    assert surfaces.compared(one, nothing, SPACING) == surfaces.Apart(0.0, None, None, surfaces.ONE_EMPTY)


def box(left: float, top: float, size: float = 10.0, label: str = "mass") -> Labelled:
    return label, (left, top, left + size, top + size)


def test_boxes_match_one_to_one_the_largest_overlap_first() -> None:
    one = [box(0, 0), box(2, 0)]
    assert boxes.matches(one, [box(2, 0)]) == [(1, 0, 1.0)]
    assert boxes.matches(one, [box(0, 0, label="node")]) == []
    assert boxes.matches([box(0, 0)], [box(9, 0)]) == []


def drawn_by(seed: int) -> tuple[list[Labelled], list[Labelled]]:
    random = np.random.default_rng(seed)
    labels = [str(one) for one in random.choice(["mass", "node"], size=6)]
    places = random.uniform(0, 90, size=(6, 2)).tolist()
    one = [box(left, top, 10.0, label) for (left, top), label in zip(places, labels, strict=True)]
    moved = [(label, tuple(np.add(edges, random.normal(scale=2)))) for label, edges in one[:4]]
    return one, [*moved, box(95, 95)]


@pytest.mark.parametrize("seed", range(5))
def test_boxes_match_as_a_search_pair_by_pair_finds(seed: int) -> None:
    one, other = drawn_by(seed)
    left, right, plain = set(range(len(one))), set(range(len(other))), []
    while True:
        pairs = [
            (overlap(one[i][1], other[j][1]), -i, -j) for i in left for j in right if one[i][0] == other[j][0]
        ]
        value, i, j = max(pairs, default=(0.0, 0, 0))
        if value < 0.5:
            break
        plain.append((-i, -j, value))
        left.discard(-i)
        right.discard(-j)
    assert boxes.matches(one, other) == plain
    assert sorted((j, i) for i, j, _ in plain) == sorted((j, i) for j, i, _ in boxes.matches(other, one))


def test_free_response_agreement_counts_what_matches_and_what_does_not() -> None:
    found = boxes.compared(
        [([box(0, 0), box(50, 50)], [box(0, 0)]), ([], [box(5, 5)]), ([box(0, 0)], [box(0, 0)]), ([], [])]
    )
    assert found.f1.value == pytest.approx(2 * 2 / (3 + 3))
    assert (found.overlap.value, found.only_one.value, found.only_other.value) == (1.0, 0.25, 0.25)
    assert found.f1.cases == 4


def test_readers_who_draw_nothing_have_no_f1_and_no_overlap() -> None:
    found = boxes.compared([([], []), ([], [])])
    assert (found.f1.value, found.f1.why, found.only_one.value) == (None, boxes.NO_BOX, 0.0)
    assert found.overlap.why == "no two boxes match"
    assert boxes.compared([]).f1.why == NOBODY


def test_froc_tells_sensitivity_at_so_many_false_positives_an_image() -> None:
    """Two images: hits at 0.9 and 0.4, false ones at 0.8 and 0.6; one of three boxes is never found."""
    images: Sequence[tuple[Sequence[tuple[float, Labelled]], Sequence[Labelled]]] = [
        ([(0.9, box(0, 0)), (0.8, box(40, 40))], [box(0, 0), box(80, 80)]),
        ([(0.6, box(40, 40)), (0.4, box(0, 0))], [box(0, 0)]),
    ]
    found = boxes.froc(images, rates=(0.125, 0.5, 1.0))
    assert [one.value for one in found] == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_boxes_of_one_score_count_all_or_none() -> None:
    images = [([(0.5, box(0, 0)), (0.5, box(40, 40))], [box(0, 0)])]
    assert [one.value for one in boxes.froc(images, rates=(0.5, 1.0))] == [0.0, 1.0]


def test_a_second_box_on_the_same_finding_is_false() -> None:
    images = [([(0.9, box(0, 0)), (0.8, box(1, 0))], [box(0, 0), box(60, 60)])]
    assert [one.value for one in boxes.froc(images, rates=(0.5, 1.0))] == [0.5, 0.5]


def test_froc_without_a_box_of_the_reader_says_so() -> None:
    assert boxes.froc([([], [])])[0].why == "the reader drew no box"
    assert boxes.froc([])[0].why == NOBODY
