"""The encoder that every project begins with: its file, its colours, what it is worth, and how it is made."""

from pathlib import Path

import numpy as np
import pytest
import torch

from annotation.learning.models import Encoder
from benchmarks.probing import Probe
from mlworker.encoders import networks, shipped
from mlworker.encoders.encoding import encoded
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.training import Point
from mlworker.replay.folders import encoded_images, random_encoder, read_images
from tests.factories import a_project, some_cases
from tests.mlworker.test_encode import embedded

FEW, DRAWS = 40, 10


@pytest.mark.django_db(transaction=True)
def test_a_project_begins_with_it_and_says_whose_it_is() -> None:
    project = a_project()
    some_cases(project, 2)
    embedded(project)
    encoder = Encoder.objects.get()
    assert (encoder.name, encoder.licence, encoder.dimension) == (shipped.TITLE, shipped.LICENCE, 224)
    assert Preprocessing.from_row(
        {key: value for key, value in encoder.preprocessing.items() if key != "weights_sha256"}
    ) == shipped.preprocessing(encoder.preprocessing["channels"])


def test_a_grey_image_in_three_channels_is_seen_as_in_one() -> None:
    grey = np.random.default_rng(0).uniform(size=(4, 1, 64, 64)).astype(np.float32)
    in_one, in_three = (
        encoded(shipped.network_for(grey[:0], how), grey.repeat(how.channels, axis=1), how)
        for how in (shipped.preprocessing(1), shipped.preprocessing(3))
    )
    np.testing.assert_allclose(in_three, in_one, atol=1e-3)


def test_it_tells_more_of_real_x_rays_than_random_weights_do(real_data: Path) -> None:
    images = read_images(real_data / "chest_xray")
    how = shipped.preprocessing()
    probes = [
        Probe.of(vectors, images, "val")
        for vectors in (
            encoded_images(images, None),
            encoded(random_encoder(images, how), images.planes, how),
        )
    ]
    ours, random = (np.mean([probe.drawn(FEW, seed) for seed in range(DRAWS)]) for probe in probes)
    assert ours > random + 0.03


def test_a_teaching_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    def taught(folder: Path, epochs: int, told: list[Point]) -> torch.nn.Module:
        (tmp_path / folder).mkdir(exist_ok=True)
        return shipped.taught(
            tmp_path / folder,
            kinds=("contours", "phantoms"),
            classes=4,
            each=6,
            epochs=epochs,
            told=told.append,
        )

    first: list[Point] = []
    taught(Path("broken"), 1, first)
    assert len(first) == 1
    later: list[Point] = []
    went_on = taught(Path("broken"), 2, later)
    assert [point["epoch"] for point in later] == [2]
    assert np.isfinite(later[-1]["loss"])
    assert networks.grey_planes_of(went_on.state_dict()) == networks.NARROW


def test_the_architecture_of_a_file_is_told_by_its_first_layer() -> None:
    assert networks.grey_planes_of(networks.resnet18(1).state_dict()) == "resnet18-2d"
    assert (
        networks.grey_planes_of(
            shipped.network_for(np.empty(0, dtype=np.float32), shipped.preprocessing()).state_dict()
        )
        == networks.NARROW
    )
