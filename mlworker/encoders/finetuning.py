"""Supervised training of encoder and head from a folder: in one process, or in several by torchrun.

The folder holds `start.pt` (weights, images, labels, how) and gets `state.pt` (the checkpoint, complete or
not there). Whoever is killed goes on from it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from monai.transforms.compose import Compose
from monai.transforms.intensity.array import RandAdjustContrast, RandGaussianNoise
from monai.transforms.spatial.array import RandFlip, RandRotate, RandZoom
from torch import nn

from mlworker.encoders import checkpoints, lora
from mlworker.encoders.networks import Preprocessing, built, dimension_of
from mlworker.encoders.objectives import Batch, Classified, balance_of, entering
from mlworker.encoders.training import Plan, Point, Source, Training

START, STATE = "start.pt", "state.pt"
FULL, LAST_BLOCK, LORA = "full", "last_block", "lora"
LAST: Final = "layer4."
ADAPTED: Final = ("layer3.", "layer4.", "blocks.", "trunk.blocks.")
TURN = 0.2


@dataclass(frozen=True)
class Way:
    """How deep the training goes. rank: of the adapters. flip: whether left and right may be exchanged.

    classes: of each decision.
    """

    mode: str = LAST_BLOCK
    rank: int = 8
    flip: bool = False
    classes: int = 2


class Augmented(Classified):
    """Classification with MONAI's random transforms, drawn for each image from its own seed."""

    def __init__(self, way: Way, preprocessing: Preprocessing, balance: torch.Tensor) -> None:
        super().__init__(dimension_of(preprocessing), preprocessing, None, [balance])
        self.flip = way.flip

    def entering(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Images as the network takes them; changed at random while it trains."""
        if not network.training:
            return super().entering(network, batch, random)
        transforms = augmentation(flip=self.flip)
        pictures = [
            torch.as_tensor(transforms.set_random_state(seed=int(seed))(image.float() / 255.0))
            for image, seed in zip(batch.images, batch.seeds, strict=True)
        ]
        return entering(torch.stack(pictures).float().clamp(0.0, 1.0), network, self.preprocessing)


@lru_cache(maxsize=2)
def augmentation(*, flip: bool) -> Compose:
    """Turn, zoom, change contrast, add noise: (channel, [z,] y, x) → the same shape."""
    mirror = [RandFlip(prob=0.5, spatial_axis=-1)] if flip else []
    return Compose(
        [
            *mirror,
            RandRotate(range_x=TURN, prob=0.5, padding_mode="border"),
            RandZoom(prob=0.5, min_zoom=0.9, max_zoom=1.2, padding_mode="edge"),
            RandAdjustContrast(prob=0.4, gamma=(0.7, 1.4)),
            RandGaussianNoise(prob=0.2, std=0.03),
        ]
    )


def begin(
    folder: Path,
    network: nn.Module,
    preprocessing: Preprocessing,
    sides: tuple[Source, Source],
    way: Way,
) -> None:
    """Write what every process starts from, once."""
    state = {
        "network": network.state_dict(),
        "preprocessing": preprocessing.as_row(),
        "way": asdict(way),
        "images": [side.images for side in sides],
        "labels": [side.labels for side in sides],
    }
    checkpoints.save(folder / START, state)


def training_in(folder: Path, plan: Plan, device: torch.device) -> tuple[Training, list[Source]]:
    """Make the run of a folder, or take up the one that was broken off; with what it learns from.

    raises: FileNotFoundError where nothing was begun.
    """
    start = checkpoints.load(folder / START)
    if start is None:
        raise FileNotFoundError(f"{folder.name} holds no training")
    network, preprocessing, way = prepared_network(start)
    sides = [Source(images, labels) for images, labels in zip(start["images"], start["labels"], strict=True)]
    torch.manual_seed(plan.seed)
    balance = balance_of(torch.as_tensor(start["labels"][0]), way.classes)
    objective = Augmented(way, preprocessing, balance)
    return Training(network.to(device), objective, plan, folder / STATE), sides


def prepared_network(start: dict[str, Any]) -> tuple[nn.Module, Preprocessing, Way]:
    """Build the network with the parts frozen or adapted that the way says."""
    preprocessing, way = Preprocessing.from_row(start["preprocessing"]), Way(**start["way"])
    network = built(preprocessing)
    network.load_state_dict(start["network"])
    if way.mode == LORA:
        return lora.adapted(network, ADAPTED, way.rank), preprocessing, way
    if way.mode == LAST_BLOCK:
        last = last_block(network)
        for name, parameter in network.named_parameters():
            parameter.requires_grad = name.startswith(last)
    return network, preprocessing, way


def last_block(network: nn.Module) -> str:
    """Name what the last block's parameters begin with."""
    names = [name for name, _ in network.named_parameters() if ".blocks." in f".{name}"]
    if not names:
        return LAST
    before, _, rest = names[-1].rpartition("blocks.")
    return f"{before}blocks.{rest.partition('.')[0]}."


def run(folder: Path, plan: Plan, device: torch.device, told: Callable[[Training, Point], None]) -> str:
    """Train to the end, and say why it ended."""
    training, (learned, held) = training_in(folder, plan, device)
    held_back = [held] if len(held.images) > 1 else []
    return training.run([learned], held_back, lambda point: told(training, point))


def result_of(folder: Path, plan: Plan) -> tuple[nn.Module, Training]:
    """Give the trained network in its ordinary layout, adapters merged, the best epoch's weights."""
    training, _ = training_in(folder, plan, torch.device("cpu"))
    if training.best:
        training.network.load_state_dict(training.best["network"])
    return lora.merged(training.network).eval(), training
