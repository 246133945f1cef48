"""Pixel heads: what they learn from a few drawn images, and what they draw on others."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from mlworker.regions.artefact import packed, unpacked
from mlworker.regions.filters import bank, width
from mlworker.regions.forest import grown
from mlworker.regions.head import SEGMENTATION, PixelHead, Quality, Seen, fitted
from mlworker.regions.judging import dice, f1
from mlworker.regions.rasters import UNKNOWN, Box, box_of, drawn
from mlworker.regions.shapes import Found, found_in, mask_in, points_of
from tests.disks import disks, places_of

LEARNED, JUDGED = range(1, 7), range(50, 54)


def corners(seed: int) -> list[tuple[int, list[list[float]]]]:
    return [(1, [[x - r, y - r], [x + r, y + r]]) for x, y, r in places_of(seed)]


def seen(seed: int, kind: str) -> Seen:
    image, inside = disks(seed)
    values = (image / 255).astype(np.float32)
    if kind == SEGMENTATION:
        return Seen(values, inside.astype(np.uint8), seed)
    boxes = [box_of(points, label) for label, points in corners(seed)]
    return Seen(values, drawn(kind, corners(seed), values.shape), seed, boxes)


def learned(kind: str) -> tuple[PixelHead, Quality]:
    return fitted(kind, ["disk"], [seen(seed, kind) for seed in LEARNED], longest=64)


def test_the_bank_has_the_width_that_it_says() -> None:
    grey = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    assert bank(grey).shape == (20, 30, width(1))
    assert bank(np.stack([grey] * 3, axis=-1)).shape == (20, 30, width(3))


def test_the_bank_does_not_depend_on_where_the_image_lies() -> None:
    image = (disks(3)[0] / 255).astype(np.float32)
    flipped = bank(np.ascontiguousarray(image[:, ::-1]))[:, ::-1]
    np.testing.assert_allclose(bank(image), flipped, atol=1e-4)


def test_trees_tell_apart_what_scikit_learns_extra_trees_do() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(3000, 9)).astype(np.float32)
    labels = ((features[:, 0] * features[:, 1] > 0) + (features[:, 2] > 1)).astype(np.intp)
    ours = grown(features[:2000], labels[:2000], classes=3, seed=0)
    peers = ExtraTreesClassifier(24, max_depth=14, min_samples_leaf=5, random_state=0)
    peers.fit(features[:2000], labels[:2000])
    said = ours.probabilities(features[2000:])
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-5)
    right = (said.argmax(axis=1) == labels[2000:]).mean()
    assert right > (peers.predict(features[2000:]) == labels[2000:]).mean() - 0.03
    assert right > 0.75


def test_the_same_pixels_and_seed_grow_the_same_trees() -> None:
    random = np.random.default_rng(1)
    features, labels = random.random((400, 5), dtype=np.float32), random.integers(2, size=400)
    one, other = (grown(features, labels, classes=2, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.threshold, other.threshold)


def test_no_pixel_is_an_error() -> None:
    with pytest.raises(ValueError, match="no pixel"):
        grown(np.empty((0, 3), np.float32), np.empty(0, np.intp), classes=2, seed=0)


def test_masks_of_six_images_teach_what_a_disk_is() -> None:
    head, quality = learned(SEGMENTATION)
    scores = [
        dice(head.mask(head.chances(seen(seed, SEGMENTATION).image)) > 0, disks(seed)[1]) for seed in JUDGED
    ]
    assert min(scores) > 0.9
    assert quality.metric == "dice"
    assert quality.value > 0.9


@pytest.mark.parametrize("kind", ["box", "ellipse"])
def test_boxes_of_six_images_teach_where_disks_are(kind: str) -> None:
    head, quality = learned(kind)
    for seed in JUDGED:
        found = head.regions(head.chances(seen(seed, kind).image))
        assert f1([one.box for one in found], seen(seed, "box").boxes) == 1.0
    assert quality.metric == "f1"


def test_two_images_are_learned_from_without_being_judged() -> None:
    head, quality = fitted("box", ["disk"], [seen(1, "box"), seen(2, "box")], longest=64)
    assert quality.images == 0
    assert head.regions(head.chances(seen(50, "box").image))


def test_a_head_comes_back_from_its_bytes_and_draws_the_same() -> None:
    head, _ = learned(SEGMENTATION)
    content = packed(head)
    again = unpacked(content)
    image = seen(50, SEGMENTATION).image
    np.testing.assert_array_equal(head.mask(head.chances(image)), again.mask(again.chances(image)))
    assert packed(again) == content
    with pytest.raises(ValueError, match="no pixel head"):
        unpacked(content.replace(b"fovea-pixels-1", b"fovea-pixels-9"))


def test_the_corners_of_a_box_teach_nothing() -> None:
    labels = drawn("box", [(1, [[10, 10], [30, 20]])], (40, 40))
    assert labels[10, 10] == UNKNOWN
    assert labels[15, 20] == 1
    assert labels[10, 20] == 0  # the rim, which parts regions that touch
    assert labels[30, 30] == 0


def test_a_polygon_is_filled_by_pixel_centres() -> None:
    labels = drawn("polygon", [(2, [[1, 1], [4, 1], [4, 3], [1, 3]])], (5, 6))
    rows, columns = np.nonzero(labels)
    assert (labels.max(), rows.min(), rows.max(), columns.min(), columns.max()) == (2, 1, 2, 1, 3)


def test_islands_and_holes_smaller_than_the_smallest_part_are_removed() -> None:
    chances = np.zeros((10, 10, 2), dtype=np.float32)
    chances[..., 0] = 1.0
    chances[1:4, 1:4], chances[8, 8], chances[2, 2] = (0.1, 0.9), (0.1, 0.9), (1.0, 0.0)
    mask = mask_in(chances, threshold=0.5, smallest=4)
    assert mask.sum() == 9  # the hole in the middle is filled
    assert mask[8, 8] == 0


def test_a_part_becomes_a_box_around_its_pixels_with_the_mean_of_their_probabilities() -> None:
    chances = np.zeros((12, 16, 2), dtype=np.float32)
    chances[..., 0] = 1.0
    chances[2:6, 3:9] = (0.2, 0.8)
    (found,) = found_in(chances, threshold=0.5, smallest=4, core=1.0)
    assert found.box.edges == (3, 2, 9, 6)
    assert found.box.score == pytest.approx(0.8)


def test_a_found_region_is_written_as_its_kind() -> None:
    found = Found(Box(2, 4, 10, 8, 1), [[2.5, 4.5], [9.5, 4.5]])
    assert points_of("box", found) == [[2, 4], [10, 8]]
    assert points_of("ellipse", found) == [[2, 6], [10, 6], [6, 4], [6, 8]]
    assert points_of("polygon", found) == [[2, 4], [10, 4], [10, 8], [2, 8]]
