"""Backbones: MONAI's ResNet-18 in two dimensions, and how images enter it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
from monai.networks.nets.resnet import ResNet
from torch import nn

DIMENSION = 768


@dataclass(frozen=True)
class Preprocessing:
    """What is done to pixels before the network sees them; part of an encoder's digest.

    size: pixels a side. channels: 1 grey, 3 colour. slices: most slices of a series that are pooled.
    mean, deviation: of the grey values 0…1 that the weights expect.
    """

    size: int = 64
    channels: int = 1
    slices: int = 16
    mean: float = 0.5
    deviation: float = 0.25
    architecture: str = "resnet18-2d"

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Preprocessing":
        """Read what `as_row` wrote; a field that this version does not know is an error."""
        return cls(**row)

    def as_row(self) -> dict[str, Any]:
        """Plain values for the encoder's row."""
        return asdict(self)


def encoder_digest(*, weights_digest: str, preprocessing: Preprocessing) -> str:
    """Name of an encoder: SHA-256 over its weights' digest and its preprocessing."""
    text = json.dumps(preprocessing.as_row(), sort_keys=True)
    return hashlib.sha256(f"{weights_digest}\n{text}".encode()).hexdigest()


class PooledResNet(ResNet):
    """A ResNet that gives the means over its last two stages: (image, channel, y, x) → (image, 768).

    The last stage alone (512) is the customary vector; with the stage before it, linear heads did better on
    both benchmark sets, most with untrained weights.
    """

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pool stages 3 and 4 over the image."""
        early = self.maxpool(self.act(self.bn1(self.conv1(images))))
        third = self.layer3(self.layer2(self.layer1(early)))
        fourth = self.layer4(third)
        return torch.cat([third.mean(dim=(2, 3)), fourth.mean(dim=(2, 3))], dim=1)


def resnet18(channels: int) -> nn.Module:
    """ResNet-18 without its last layer (He 2015), strided and named like torchvision's."""
    return PooledResNet(
        "basic",
        [2, 2, 2, 2],
        [64, 128, 256, 512],
        spatial_dims=2,
        n_input_channels=channels,
        conv1_t_stride=2,  # the default of 1 is five times slower
        feed_forward=False,
        bias_downsample=False,
    )


def random_network(preprocessing: Preprocessing, *, seed: int) -> nn.Module:
    """Untrained, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return resnet18(preprocessing.channels)


def calibrate_normalisation(network: nn.Module, images: torch.Tensor) -> None:
    """Set the running statistics of batch normalisation from images: without it random weights say little.

    images: (image, channels, y, x), normalised as for encoding.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
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
