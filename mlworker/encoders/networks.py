"""Backbones: MONAI's ResNets in two and three dimensions, and how images enter them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from monai.networks.nets.resnet import ResNet
from torch import nn

from mlworker.encoders import foreign

PLANES, ADJACENT, VOLUME = "planes", "adjacent", "volume"
WIDTHS = (64, 128, 256, 512)
WITH_POOLING = 7


@dataclass(frozen=True)
class Architecture:
    """A ResNet's shape. shortcut, biased: as its published weights have them; strided like torchvision's.

    pooled: how many of the last stages a vector is made of. first: side of the first convolution; where it
    is 5, no pooling follows it, so that small images keep their detail.
    """

    block: str
    layers: tuple[int, int, int, int]
    spatial_dims: int = 2
    shortcut: str = "B"
    biased: bool = False
    widths: tuple[int, int, int, int] = WIDTHS
    pooled: int = 2
    first: int = 7

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return sum(self.widths[-self.pooled :]) * (1 if self.block == "basic" else 4)


NARROW: Final = "narrow-2d"
ARCHITECTURES: Final = {
    NARROW: Architecture("basic", (1, 1, 1, 1), widths=(16, 32, 64, 128), pooled=3, first=5),
    "resnet18-2d": Architecture("basic", (2, 2, 2, 2)),
    "resnet50-2d": Architecture("bottleneck", (3, 4, 6, 3), pooled=1),
    "resnet10-3d": Architecture("basic", (1, 1, 1, 1), spatial_dims=3),
    "resnet18-3d": Architecture("basic", (2, 2, 2, 2), spatial_dims=3, shortcut="A", biased=True),
    "resnet34-3d": Architecture("basic", (3, 4, 6, 3), spatial_dims=3, shortcut="A", biased=True),
    "resnet50-3d": Architecture("bottleneck", (3, 4, 6, 3), spatial_dims=3, pooled=1),
}


@dataclass(frozen=True)
class Preprocessing:
    """What is done to pixels before the network sees them; part of an encoder's digest.

    size: pixels a side. channels: 1 grey, 3 colour or adjacent slices. slices: most slices of a series that
    are pooled, or the depth of a volume. mean, deviation: of the values 0…1 that the weights expect, one for
    all channels or one each. seen: "planes" singly, "adjacent" slices as channels (2.5D), or the "volume".
    own_scale: each image is brought to mean 0 and deviation 1 by its own values instead.
    """

    size: int = 64
    channels: int = 1
    slices: int = 16
    mean: float | tuple[float, ...] = 0.5
    deviation: float | tuple[float, ...] = 0.25
    architecture: str = "resnet18-2d"
    seen: str = PLANES
    own_scale: bool = False

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Preprocessing":
        """Read what `as_row` wrote; a field that this version does not know is an error."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        return cls(**plain)

    def as_row(self) -> dict[str, Any]:
        """Plain values for the encoder's row."""
        return asdict(self)


def encoder_digest(*, weights_digest: str, preprocessing: Preprocessing) -> str:
    """Name of an encoder: SHA-256 over its weights' digest and its preprocessing."""
    text = json.dumps(preprocessing.as_row(), sort_keys=True)
    return hashlib.sha256(f"{weights_digest}\n{text}".encode()).hexdigest()


def grey_planes_of(tensors: Mapping[str, torch.Tensor]) -> str:
    """Name the architecture of weights that see grey planes: the narrow network, else ResNet-18."""
    first = tensors.get("conv1.weight")
    return NARROW if first is not None and len(first) == ARCHITECTURES[NARROW].widths[0] else "resnet18-2d"


class PooledResNet(ResNet):
    """A ResNet that gives the means over its last stages: (image, channel, [z,] y, x) → (image, feature).

    The last stage alone is the customary vector; with the stages before it, linear heads did better on
    both benchmark sets, most with untrained weights. Bottlenecks are wide enough with one.
    """

    def __init__(self, shape: Architecture, channels: int) -> None:
        super().__init__(
            shape.block,
            list(shape.layers),
            list(shape.widths),
            spatial_dims=shape.spatial_dims,
            n_input_channels=channels,
            conv1_t_size=shape.first,
            conv1_t_stride=2,  # the default of 1 is five times slower
            no_max_pool=shape.first < WITH_POOLING,
            feed_forward=False,
            shortcut_type=shape.shortcut,
            bias_downsample=shape.biased,
        )
        self.pooled = shape.pooled

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pool the last stages over the image."""
        seen = self.act(self.bn1(self.conv1(images)))
        stages = [seen if self.no_max_pool else self.maxpool(seen)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            stages.append(layer(stages[-1]))
        return torch.cat([stage.flatten(2).mean(dim=2) for stage in stages[-self.pooled :]], dim=1)


def built(preprocessing: Preprocessing) -> nn.Module:
    """Make the network that a preprocessing names, with whatever weights.

    raises: foreign.MissingPackageError, ValueError for an architecture that is not known.
    """
    name = preprocessing.architecture
    if foreign.is_foreign(name):
        return foreign.built(name)
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture is {name!r}: known are {', '.join(ARCHITECTURES)}")
    return PooledResNet(ARCHITECTURES[name], preprocessing.channels)


def dimension_of(preprocessing: Preprocessing) -> int:
    """Length of the vectors that an encoder gives."""
    name = preprocessing.architecture
    return foreign.dimension_of(name) if foreign.is_foreign(name) else ARCHITECTURES[name].dimension


def resnet18(channels: int) -> nn.Module:
    """ResNet-18 without its last layer (He 2015), strided and named like torchvision's."""
    return built(Preprocessing(channels=channels))


def random_network(preprocessing: Preprocessing, *, seed: int) -> nn.Module:
    """Untrained, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return built(preprocessing)


NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def calibrate_normalisation(network: nn.Module, images: torch.Tensor) -> None:
    """Set the running statistics of batch normalisation from images: without it random weights say little.

    images: (image, channels, [z,] y, x), normalised as for encoding.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, NORMALISATIONS)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # cumulative average
    network.train()
    with torch.no_grad():
        for batch in torch.split(images, 64):
            network(batch)
    for layer in layers:
        layer.momentum = 0.1
    network.eval()
