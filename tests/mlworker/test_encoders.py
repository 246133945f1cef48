"""Encoders: weights in and out, vectors, and pretraining that survives a kill."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mlworker.encoders import checkpoints, networks, weights
from mlworker.encoders.augmentation import Strength, views
from mlworker.encoders.encoding import encoded, pooled, prepared
from mlworker.encoders.gain import Gain, Known, better, probe, retrieval
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.objectives import contrast
from mlworker.encoders.pretraining import METHODS, pretraining
from mlworker.encoders.training import Plan, Source, Training
from mlworker.targets import MULTI, SINGLE, Target
from tests.servers import ROOT

SMALL = Preprocessing(size=32)


def pictures(count: int, size: int = 32) -> torch.Tensor:
    """Blobs at random places: pictures that differ."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    places = random.uniform(4, size - 4, size=(count, 3, 2))
    spots = [sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 8.0) for a, b in three) for three in places]
    return torch.from_numpy((np.clip(np.stack(spots), 0, 1) * 255).astype(np.uint8))[:, None]


def test_a_vector_is_the_means_of_the_last_two_stages() -> None:
    vectors = encoded(networks.resnet18(1), np.zeros((3, 1, 64, 64), dtype=np.float32), SMALL)
    assert vectors.shape == (3, 256 + 512)


def test_random_weights_are_the_same_for_the_same_seed() -> None:
    first, second, other = (
        weights.packed(networks.random_network(SMALL, seed=seed))[0] for seed in (1, 1, 2)
    )
    assert first == second != other


def test_calibrated_normalisation_gives_each_image_a_vector_of_its_own() -> None:
    network = networks.random_network(SMALL, seed=0)
    images = pictures(64).float() / 255.0
    networks.calibrate_normalisation(network, prepared(images, SMALL))
    vectors = encoded(network, images.numpy(), SMALL)
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=0).mean() > 0.01


def test_a_series_is_the_mean_of_its_planes() -> None:
    vectors = np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]], dtype=np.float32)
    assert pooled(vectors, [2, 1]).tolist() == [[2.0, 1.0], [5.0, 5.0]]


def test_packed_weights_give_the_same_vectors_back() -> None:
    network = networks.random_network(SMALL, seed=3)
    images = np.random.default_rng(0).random((2, 1, 32, 32), dtype=np.float32)
    _, content = weights.packed(network)
    again = weights.unpacked(networks.resnet18(1), content)
    np.testing.assert_array_equal(encoded(network, images, SMALL), encoded(again, images, SMALL))


@pytest.mark.parametrize("prefix", ["", "module."])
def test_torchvision_s_layout_loads_with_its_last_layer_left_out(tmp_path: Path, prefix: str) -> None:
    source = networks.resnet18(3)
    tensors = {prefix + name: tensor for name, tensor in source.state_dict().items()}
    tensors |= {f"{prefix}fc.weight": torch.zeros(1000, 512), f"{prefix}fc.bias": torch.zeros(1000)}
    torch.save(tensors, tmp_path / "resnet18.pth")
    network = weights.loaded(networks.resnet18(3), weights.read_file(tmp_path / "resnet18.pth"))
    assert torch.equal(network.state_dict()["conv1.weight"], source.state_dict()["conv1.weight"])


def test_colour_weights_enter_a_grey_network_as_their_sum(tmp_path: Path) -> None:
    source = networks.resnet18(3)
    save_file(dict(source.state_dict()), tmp_path / "colour.safetensors")
    network = weights.loaded(networks.resnet18(1), weights.read_file(tmp_path / "colour.safetensors"))
    grey = np.random.default_rng(0).random((2, 1, 32, 32), dtype=np.float32)
    colour = np.repeat(grey, 3, axis=1)
    np.testing.assert_allclose(
        encoded(network, grey, SMALL), encoded(source, colour, SMALL), rtol=1e-3, atol=1e-4
    )


def test_a_wrong_file_is_refused_with_the_first_tensor_that_does_not_fit() -> None:
    wrong = dict(networks.resnet18(1).state_dict())
    wrong["layer2.0.conv1.weight"] = torch.zeros(64, 64, 3, 3)
    with pytest.raises(weights.WrongWeightsError, match=r"layer2\.0\.conv1\.weight is \(64, 64, 3, 3\)"):
        weights.loaded(networks.resnet18(1), wrong)
    del wrong["layer2.0.conv1.weight"], wrong["layer1.0.bn1.weight"]
    with pytest.raises(weights.WrongWeightsError, match=r"layer1\.0\.bn1\.weight \(64,\) is not in the file"):
        weights.loaded(networks.resnet18(1), wrong)


def test_a_deeper_network_is_refused_with_a_tensor_that_is_not_ours() -> None:
    wrong = dict(networks.resnet18(1).state_dict()) | {"layer3.2.conv1.weight": torch.zeros(256, 256, 3, 3)}
    with pytest.raises(weights.WrongWeightsError, match=r"layer3\.2\.conv1\.weight .* no tensor of this"):
        weights.loaded(networks.resnet18(1), wrong)


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    torch.save({"conv1.weight": Path("/")}, tmp_path / "hostile.pth")
    with pytest.raises(Exception, match="weights_only"):
        weights.read_file(tmp_path / "hostile.pth")


def test_views_keep_shape_and_range_and_follow_their_generator() -> None:
    images = pictures(8).float() / 255.0
    first, again = (views(images, Strength(), torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == images.shape
    assert 0.0 <= float(first.min()) <= float(first.max()) <= 1.0
    assert not torch.equal(first, images)


def test_no_strength_leaves_a_picture_as_it_is() -> None:
    images = pictures(4).float() / 255.0
    none = Strength(area=1.0, degrees=0, contrast=0, brightness=0, gamma=0, noise=0, blur=0, flip=0)
    seen = views(images, none, torch.Generator().manual_seed(0))
    assert float((seen - images).abs().mean()) < 0.05


def test_contrast_is_low_where_the_views_are_alike_and_the_pictures_differ() -> None:
    apart = torch.eye(8)
    assert float(contrast(apart, apart)) < 0.2
    # all alike: each of the other fifteen is as likely
    assert float(contrast(torch.ones(8, 8), torch.ones(8, 8))) == pytest.approx(np.log(15.0), abs=1e-4)


def a_run(path: Path, epochs: int, method: str = "SimCLR") -> Training:
    plan = Plan(epochs=epochs, minutes=1e6, batch=8, checkpoint_seconds=0.0, patience=50)
    return pretraining(networks.random_network(SMALL, seed=0), SMALL, plan, path, method)


def sides(count: int, held_back: int) -> tuple[list[Source], list[Source]]:
    return [Source(pictures(count))], [Source(pictures(held_back))]


def test_pretraining_that_is_killed_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    images, held_back = sides(24, 8)

    class KilledError(Exception):
        pass

    whole = a_run(tmp_path / "whole.pt", 3)
    whole.run(images, held_back, lambda _: None)
    broken = a_run(tmp_path / "broken.pt", 3)

    def kill(point: dict[str, float]) -> None:
        raise KilledError(point)

    with pytest.raises(KilledError):
        broken.run(images, held_back, kill)
    again = a_run(tmp_path / "broken.pt", 3)
    assert again.epoch == 1
    again.run(images, held_back, lambda _: None)
    assert [point["epoch"] for point in again.history] == [1, 2, 3]
    assert (again.step, whole.step) == (9, 9)


def test_resumed_training_gives_the_weights_of_uninterrupted_training(tmp_path: Path) -> None:
    images, held_back = sides(16, 8)
    whole = a_run(tmp_path / "whole.pt", 2)
    whole.run(images, held_back, lambda _: None)
    half = a_run(tmp_path / "half.pt", 2)

    def stop(_: dict[str, float]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        half.run(images, held_back, stop)
    again = a_run(tmp_path / "half.pt", 2)
    assert again.run(images, held_back, lambda _: None) == "all 2 epochs"
    assert weights.packed(again.network)[0] == weights.packed(whole.network)[0]


@pytest.mark.parametrize("method", METHODS)
def test_training_lowers_the_loss(tmp_path: Path, method: str) -> None:
    training = a_run(tmp_path / "run.pt", 3, method)
    training.run(*sides(24, 8), lambda _: None)
    assert training.history[-1]["loss"] < training.history[0]["loss"]


SLOWLY = """
import sys
from pathlib import Path
import torch
from mlworker.encoders import networks
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.pretraining import pretraining
from mlworker.encoders.training import Plan, Source
small = Preprocessing(size=32)
plan = Plan(epochs=500, minutes=1e6, batch=8, checkpoint_seconds=0.0, patience=1000, threads=1)
training = pretraining(networks.random_network(small, seed=0), small, plan, Path(sys.argv[1]))
images = torch.randint(0, 255, (16, 1, 32, 32), dtype=torch.uint8)
training.run([Source(images)], [Source(images)], lambda point: print(point["epoch"], flush=True))
"""


def test_pretraining_killed_with_9_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    child = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)])},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(2)]
    child.kill()
    child.wait()
    child.stdout.close()
    assert lines[-1].strip() == b"2"
    again = a_run(path, 1)
    done = again.epoch
    assert done >= 2
    assert [point["epoch"] for point in again.history] == list(range(1, done + 1))
    finished = a_run(path, done + 1)
    assert finished.run(*sides(16, 8), lambda _: None) == f"all {done + 1} epochs"


def test_half_a_checkpoint_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    checkpoints.save(path, {"counts": {"epoch": 1}})
    (tmp_path / "run.123.tmp").write_bytes(b"half")
    assert checkpoints.load(path) == {"counts": {"epoch": 1}}


def test_an_encoder_that_sees_more_finds_more_pictures_again() -> None:
    held_back = pictures(40)

    def sees(planes: np.ndarray) -> np.ndarray:
        coarse = planes.reshape(len(planes), 1, 8, 4, 8, 4).mean(axis=(3, 5))
        return np.asarray(coarse.reshape(len(planes), -1))

    def blind(planes: np.ndarray) -> np.ndarray:
        return np.asarray(planes.mean(axis=(1, 2, 3))[:, None] * np.ones((1, 4), dtype=np.float32))

    gain = retrieval(held_back, candidate=sees, current=blind, seed=0)
    assert gain.candidate > gain.current
    assert better(gain, None)


def test_a_probe_needs_labels_and_tells_a_good_encoder_from_noise() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 60)
    signal = (random.normal(size=(60, 8)) + 3.0 * np.eye(2, 8)[labels]).astype(np.float32)
    noise = random.normal(size=(60, 8)).astype(np.float32)
    vectors = {"candidate": signal, "current": noise}
    target = Target(SINGLE, ("a", "b"))
    gain = probe(vectors, Known(labels[:, None], np.arange(60), target), seed=0)
    assert gain is not None
    assert gain.low > 0.0
    few = {name: one[:6] for name, one in vectors.items()}
    assert probe(few, Known(labels[:6, None], np.arange(6), target), seed=0) is None


def test_a_probe_of_several_findings_is_the_mean_over_those_that_some_have() -> None:
    random = np.random.default_rng(0)
    there = random.integers(0, 2, (60, 2))
    signal = (random.normal(size=(60, 8)) + 3.0 * there @ np.eye(2, 8)).astype(np.float32)
    vectors = {"candidate": signal, "current": random.normal(size=(60, 8)).astype(np.float32)}
    never = np.column_stack([there, np.zeros(60, dtype=int)])
    found = [
        probe(vectors, Known(labels, np.arange(60), Target(MULTI, names)), seed=0)
        for labels, names in ((there, ("a", "b")), (never, ("a", "b", "c")))
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].low > 0.0
    assert found[1].candidate == pytest.approx(found[0].candidate, abs=0.02)


@pytest.mark.parametrize(
    ("found", "probed", "promoted"),
    [
        (Gain(0.9, 0.5, 0.3, 0.5), None, True),
        (Gain(0.9, 0.88, -0.02, 0.06), None, False),
        (Gain(0.9, 0.5, 0.3, 0.5), Gain(0.6, 0.7, -0.2, 0.0), False),
        (Gain(0.9, 0.5, 0.3, 0.5), Gain(0.7, 0.7, -0.1, 0.1), True),
    ],
)
def test_an_encoder_is_promoted_only_where_it_measured_better(
    found: Gain, probed: Gain | None, promoted: bool
) -> None:
    assert better(found, probed) is promoted
