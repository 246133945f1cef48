"""Readings fused as crowd-kit, SimpleITK and ensemble-boxes fuse them, and by hand."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from annotation.readings.agreement.drawn import Labelled
from annotation.readings.fusion.boxes import fuse_boxes
from annotation.readings.fusion.choices import Labels, dawid_skene, majority, of_one_case
from annotation.readings.fusion.masks import box_around, staple, staple_of_voxels
from tests import peers

ITK: Any = SimpleITK  # its own calls are without types
asked = partial(peers.asked, "tests.annotation.readings.oracles")


def labels_of(
    seed: int, *, cases: int = 400, skills: tuple[float, ...] = (0.9, 0.8, 0.7, 0.6, 0.5)
) -> Labels:
    """Labels of readers of known skill, three classes, each reader of three quarters of the cases."""
    random = np.random.default_rng(seed)
    truth = random.integers(3, size=cases)
    rows = [
        (case, reader, truth[case] if random.random() < skill else (truth[case] + random.integers(1, 3)) % 3)
        for case in range(cases)
        for reader, skill in enumerate(skills)
        if reader == case % len(skills) or random.random() < 0.75
    ]
    found = np.array(rows, dtype=np.int64)
    return Labels(found[:, 0], found[:, 1], found[:, 2], 3)


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(3))
def test_choices_are_fused_as_crowd_kit_does(seed: int, tmp_path: Path) -> None:
    labels = labels_of(seed)
    rounds = 12
    given = {"cases": labels.cases, "readers": labels.readers, "labels": labels.choices, "rounds": rounds}
    theirs = asked("crowds", tmp_path, given)
    plain = partial(dawid_skene, labels, rounds=rounds, tolerance=-1.0, smoothing=0.0, fewest=0)
    np.testing.assert_allclose(majority(labels), theirs["majority"], atol=1e-9)
    np.testing.assert_allclose(plain().distributions, theirs["dawid_skene"], atol=1e-8)
    np.testing.assert_allclose(plain(one_coin=True).distributions, theirs["one_coin"], atol=1e-8)


def test_skilled_readers_outvote_more_who_guess() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(2, size=500)
    sure = np.where(random.random((500, 2)) < 0.97, truth[:, None], 1 - truth[:, None])
    guessed = random.integers(2, size=(500, 3))
    votes = np.hstack([sure, guessed])
    cases, readers = np.indices(votes.shape)
    labels = Labels(cases.ravel(), readers.ravel(), votes.ravel(), 2)
    found = dawid_skene(labels)
    right = (found.distributions.argmax(axis=1) == truth).mean()
    assert right > (majority(labels).argmax(axis=1) == truth).mean() + 0.05
    assert np.trace(found.matrices[0]) / 2 > 0.9
    assert abs(np.trace(found.matrices[4]) / 2 - 0.5) < 0.1


def test_distributions_sum_to_one_and_readers_who_all_agree_leave_no_doubt() -> None:
    labels = Labels(
        np.repeat(np.arange(40), 3), np.tile(np.arange(3), 40), np.repeat(np.arange(40) % 2, 3), 2
    )
    found = dawid_skene(labels)
    np.testing.assert_allclose(found.distributions.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(found.distributions.argmax(axis=1), np.arange(40) % 2)
    assert found.distributions.max(axis=1).min() > 0.99


def test_a_reader_of_few_labels_is_told_by_one_number() -> None:
    labels = labels_of(4, cases=20)
    found = dawid_skene(labels)
    off = found.matrices[0][~np.eye(3, dtype=bool)]
    np.testing.assert_allclose(off, off[0], atol=1e-12)


def test_one_case_is_fused_as_among_all_cases() -> None:
    labels = labels_of(1)
    found = dawid_skene(labels, tolerance=1e-12, rounds=2000)
    mine = labels.cases == 7
    said = dict(zip(labels.readers[mine].tolist(), labels.choices[mine].tolist(), strict=True))
    np.testing.assert_allclose(of_one_case(said, found), found.distributions[7], atol=1e-9)


def test_no_label_is_fused_into_nothing() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert dawid_skene(Labels(nothing, nothing, nothing, 3)).distributions.shape == (0, 3)


def drawings(seed: int, *, readers: int, shape: tuple[int, int, int] = (5, 40, 40)) -> list[np.ndarray]:
    """A ball as readers of different care draw it."""
    random = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    found = []
    for _ in range(readers):
        at, size = random.normal(scale=1.0, size=2), 9 + random.normal()
        ball = ((z - 2) * 3) ** 2 + (y - 20 - at[0]) ** 2 + (x - 20 - at[1]) ** 2 < size**2
        found.append((ball ^ (random.random(shape) < 0.002)).astype(np.uint8))
    return found


@pytest.mark.parametrize(
    ("readers", "rounds", "close"), [(2, 10, 1e-9), (3, 10, 1e-9), (5, 10, 1e-9), (3, 1000, 1e-6)]
)
def test_masks_are_fused_as_simpleitks_staple_does(readers: int, rounds: int, close: float) -> None:
    """Round by round they are the same; each stops by a rule of its own."""
    masks = drawings(readers, readers=readers)
    box = box_around(np.any(masks, axis=0))
    method: Any = ITK.STAPLEImageFilter()
    method.SetForegroundValue(1)
    method.SetMaximumIterations(rounds)
    cut = [SimpleITK.GetImageFromArray(np.ascontiguousarray(one[box])) for one in masks]
    theirs = SimpleITK.GetArrayFromImage(method.Execute(cut))
    np.testing.assert_allclose(staple_of_voxels(masks, rounds=rounds)[1][box], np.asarray(theirs), atol=close)
    voxels = np.stack(masks, axis=-1)[box].reshape(-1, readers).astype(np.int64)
    found = staple(voxels, np.ones(len(voxels)), rounds=rounds)
    np.testing.assert_allclose(found.matrices[:, 1, 1], np.array(method.GetSensitivity()), atol=close)
    np.testing.assert_allclose(found.matrices[:, 0, 0], np.array(method.GetSpecificity()), atol=close)


def test_patterns_with_counts_are_fused_as_voxels_one_by_one() -> None:
    masks = drawings(9, readers=3)
    voxels = np.stack(masks, axis=-1).reshape(-1, 3).astype(np.int64)
    patterns, counts = np.unique(voxels, axis=0, return_counts=True)
    one_by_one = staple(voxels, np.ones(len(voxels)))
    by_pattern = staple(patterns, counts.astype(float))
    np.testing.assert_allclose(by_pattern.matrices, one_by_one.matrices, atol=1e-9)


def test_three_classes_are_fused_at_once() -> None:
    one = np.zeros((1, 12, 12), dtype=np.uint8)
    one[0, 2:6, 2:6], one[0, 6:10, 2:6] = 1, 2
    other = one.copy()
    other[0, 5:7, 2:6] = 0
    found = staple_of_voxels([one, one, other], classes=3)
    np.testing.assert_allclose(found.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_array_equal(found.argmax(axis=0), one)


def test_masks_that_are_all_empty_are_fused_into_background() -> None:
    found = staple_of_voxels([np.zeros((1, 4, 4), dtype=np.uint8)] * 2)
    assert (found[0] == 1).all()
    assert (found[1] == 0).all()


def box(left: float, top: float, label: int = 0) -> Labelled:
    return label, (left, top, left + 20.0, top + 20.0)


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(3))
def test_boxes_are_fused_as_ensemble_boxes_does(seed: int, tmp_path: Path) -> None:
    """Findings lie apart, so that the order of boxes does not matter."""
    random = np.random.default_rng(seed)
    readers: list[list[Labelled]] = [[], [], []]
    for place in range(9):
        for reader in range(1 + place % 3):
            shift = random.normal(scale=1.0, size=2)
            readers[reader].append(
                box(100 * (place % 3) + 30 + shift[0], 100 * (place // 3) + 30 + shift[1], place % 2)
            )
    rows = [(number, *edges, label) for number, one in enumerate(readers) for label, edges in one]
    given = np.array(rows, dtype=float)
    theirs = asked(
        "boxes",
        tmp_path,
        {
            "readers": given[:, 0],
            "edges": given[:, 1:5],
            "labels": given[:, 5],
            "count": 3,
            "scale": 400,
            "threshold": 0.5,
        },
    )
    ours = sorted((*one.edges, one.share) for one in fuse_boxes(readers))
    found = sorted(tuple(row) for row in np.column_stack([theirs["edges"], theirs["shares"]]))
    np.testing.assert_allclose(ours, found, atol=1e-3)  # ensemble-boxes counts in single precision


def test_a_reader_has_one_box_in_a_finding_and_trusted_readers_draw_it() -> None:
    found = fuse_boxes([[box(0, 0), box(2, 0)], [box(4, 0)]], weights=[3.0, 1.0])
    assert [(one.edges[0], one.share) for one in found] == [(2.5, 1.0), (0.0, 0.75)]
    assert found[0].spread == 1.0


def test_boxes_of_other_labels_are_not_one() -> None:
    assert [one.share for one in fuse_boxes([[box(0, 0)], [box(0, 0, 1)]])] == [0.5, 0.5]
    assert fuse_boxes([[], []]) == []
