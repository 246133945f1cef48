"""Encoders of the catalogue: every layout loads, a wrong file says what is wrong, nothing is executed."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors

from annotation.learning.catalogue import CATALOGUE, Entry, entry_of
from annotation.projects.rules import RefusedError
from mlworker import adopt
from mlworker.encoders import foreign, lora, networks, weights
from mlworker.encoders.encoding import encoded, prepared
from mlworker.encoders.networks import Preprocessing

OURS = [entry for entry in CATALOGUE.values() if not entry.package]


def how(entry: Entry, **changes: object) -> Preprocessing:
    """The entry's preprocessing, small."""
    small = {"size": 32, "slices": 8} if entry.preprocessing.get("seen") == "volume" else {"size": 32}
    return Preprocessing(**{**entry.preprocessing, **small, **changes})


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_weights_in_each_published_layout_load_and_give_vectors(entry: Entry) -> None:
    preprocessing = how(entry)
    source = networks.random_network(preprocessing, seed=1)
    tensors = {published(entry, name): tensor for name, tensor in source.state_dict().items()}
    network = weights.loaded(networks.built(preprocessing), tensors)
    shape = (2, preprocessing.channels, 32, 32)
    seen = shape if preprocessing.seen != "volume" else (2, 1, 8, 32, 32)
    images = np.random.default_rng(0).random(seen, dtype=np.float32)
    vectors = encoded(network, images, preprocessing)
    assert vectors.shape == (2, networks.dimension_of(preprocessing))
    np.testing.assert_allclose(vectors, encoded(source, images, preprocessing), rtol=1e-5)


def published(entry: Entry, name: str) -> str:
    """A tensor's name as the source of an encoder writes it."""
    if entry.name.startswith("medicalnet"):
        return f"module.{name}"
    if entry.name.startswith("radimagenet"):
        numbers = {plain: number for number, plain in weights.CHILDREN.items()}
        first, _, rest = name.partition(".")
        return f"backbone.{numbers[first]}.{rest}"
    return name


def test_shapes_are_those_of_the_published_files() -> None:
    shapes = {
        name: {
            key: tuple(tensor.shape)
            for key, tensor in networks.built(how(entry_of(name))).state_dict().items()
        }
        for name in ("imagenet-resnet50", "medicalnet-resnet10", "medicalnet-resnet18")
    }
    assert shapes["imagenet-resnet50"]["layer4.2.conv3.weight"] == (2048, 512, 1, 1)
    assert shapes["imagenet-resnet50"]["layer1.0.downsample.0.weight"] == (256, 64, 1, 1)
    assert shapes["medicalnet-resnet10"]["conv1.weight"] == (64, 1, 7, 7, 7)
    assert shapes["medicalnet-resnet10"]["layer2.0.downsample.0.weight"] == (128, 64, 1, 1, 1)
    assert not [name for name in shapes["medicalnet-resnet18"] if "downsample" in name]


def test_a_two_dimensional_file_is_no_volume_s_encoder() -> None:
    flat = networks.built(how(entry_of("imagenet-resnet18"), channels=1)).state_dict()
    with pytest.raises(weights.WrongWeightsError, match=r"conv1\.weight is \(64, 1, 7, 7\) in the file, not"):
        weights.loaded(networks.built(how(entry_of("medicalnet-resnet10"))), dict(flat))


def test_bytes_that_are_no_safetensors_are_refused_in_words() -> None:
    with pytest.raises(weights.WrongWeightsError, match="no safetensors file"):
        weights.read_safetensors(b"\x80\x04pickle")


@pytest.mark.parametrize(
    "entry", [entry for entry in CATALOGUE.values() if entry.package], ids=lambda one: one.name
)
def test_an_encoder_whose_package_is_not_there_names_it_and_how_to_install_it(entry: Entry) -> None:
    preprocessing = Preprocessing(**dict(entry.preprocessing))
    with pytest.raises(foreign.MissingPackageError, match=rf"needs the package {entry.package}.*pip install"):
        networks.built(preprocessing)
    assert networks.dimension_of(preprocessing) in (384, 512, 768)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(RefusedError, match="imagenet-resnet18"):
        entry_of("resnet19")


def test_every_entry_states_licence_source_and_a_hub_over_https() -> None:
    assert all(entry.licence and entry.source for entry in CATALOGUE.values())
    assert all(entry.hub.startswith("https://") for entry in CATALOGUE.values() if entry.hub)


def test_each_channel_has_its_own_mean_and_a_volume_its_own_scale() -> None:
    colour = Preprocessing(channels=3, mean=(0.0, 0.5, 1.0), deviation=(1.0, 0.5, 0.25))
    seen = prepared(torch.ones(1, 3, 2, 2), colour)
    assert seen[0, :, 0, 0].tolist() == [1.0, 1.0, 0.0]
    volume = torch.arange(16.0).reshape(1, 1, 4, 2, 2)
    scaled = prepared(volume, Preprocessing(own_scale=True, seen="volume"))
    assert float(scaled.mean()) == pytest.approx(0.0, abs=1e-6)
    assert float(scaled.std()) == pytest.approx(1.0, abs=1e-5)


def test_a_preprocessing_survives_its_row() -> None:
    one = Preprocessing(mean=(0.1, 0.2, 0.3), seen="adjacent")
    row = one.as_row() | {"mean": [0.1, 0.2, 0.3]}  # as JSON gives it back
    assert Preprocessing.from_row(row) == one


@pytest.fixture
def hub() -> Iterator[tuple[str, bytes]]:
    """Serve one weights file."""
    content = save_safetensors(dict(networks.resnet18(3).state_dict()))

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/weights.safetensors", content
    server.shutdown()
    server.server_close()


def test_a_file_from_the_hub_is_the_one_that_the_catalogue_knows(
    hub: tuple[str, bytes], tmp_path: Path
) -> None:
    address, content = hub
    begins = hashlib.sha256(content).hexdigest()[:8]
    entry = replace(entry_of("imagenet-resnet18"), hub=address, digest_begins=begins)
    assert adopt.fetched(entry, tmp_path).read_bytes() == content
    with pytest.raises(ValueError, match="it is another file"):
        adopt.fetched(replace(entry, digest_begins="00000000"), tmp_path)


def test_an_encoder_without_a_hub_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ask RadImageNet"):
        adopt.fetched(entry_of("radimagenet-resnet50"), tmp_path)


@pytest.mark.parametrize("architecture", ["resnet18-2d", "resnet10-3d"])
def test_merged_adapters_do_what_they_did_beside_the_weights(architecture: str) -> None:
    preprocessing = Preprocessing(architecture=architecture)
    network = lora.adapted(networks.random_network(preprocessing, seed=0), ("layer4.",), rank=4).eval()
    adapters = [layer for layer in network.modules() if isinstance(layer, lora.LowRank)]
    images = torch.rand(2, 1, *[32] * (2 if architecture.endswith("2d") else 3))
    before = network(images)
    for layer in adapters:
        torch.nn.init.normal_(layer.up.weight, std=0.05)
    beside = network(images)
    merged = lora.merged(network)
    assert not torch.allclose(before, beside)
    torch.testing.assert_close(merged(images), beside, rtol=1e-3, atol=1e-4)
    assert list(merged.state_dict()) == list(networks.built(preprocessing).state_dict())
