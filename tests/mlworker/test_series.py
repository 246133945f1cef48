"""What an encoder sees of a series of slices: planes, neighbours as channels, the whole volume."""

import numpy as np
import pytest

from annotation.studies.models import Instance
from mlworker.pixels.series import adjacent, planes, volume
from tests.factories import a_project, some_series

pytestmark = pytest.mark.django_db
SIZE = 8


def slices(frames: int) -> list[Instance]:
    (series,) = some_series(a_project().dataset, frames=frames)
    return list(series.instances.all())


def test_neighbours_are_channels_and_an_end_repeats_itself() -> None:
    own = slices(3)
    single = planes(own, size=SIZE, channels=1, most=3)[:, 0]
    seen = adjacent(own, size=SIZE, most=3)
    assert seen.shape == (3, 3, SIZE, SIZE)
    for centre, places in enumerate([(0, 0, 1), (0, 1, 2), (1, 2, 2)]):
        np.testing.assert_array_equal(seen[centre], single[list(places)])


def test_of_many_slices_some_are_seen_each_with_its_neighbours() -> None:
    own = slices(40)
    every = planes(own, size=SIZE, channels=1, most=40)[:, 0]
    seen = adjacent(own, size=SIZE, most=4)
    np.testing.assert_array_equal(seen[0], every[[4, 5, 6]])
    assert len(seen) == 4


@pytest.mark.parametrize(("frames", "places"), [(8, [1, 3, 5, 7]), (2, [0, 0, 1, 1]), (1, [0, 0, 0, 0])])
def test_a_volume_has_its_depth_whatever_the_number_of_slices(frames: int, places: list[int]) -> None:
    own = slices(frames)
    every = planes(own, size=SIZE, channels=1, most=frames)[:, 0]
    seen = volume(own, size=SIZE, depth=4)
    assert seen.shape == (1, 1, 4, SIZE, SIZE)
    np.testing.assert_array_equal(seen[0, 0], every[places])


def test_a_series_without_a_frame_says_so() -> None:
    with pytest.raises(ValueError, match="no frame"):
        volume([], size=SIZE, depth=4)
