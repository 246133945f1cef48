"""What training asks of a network: the terms of its loss, and the throw-away layers that belong to each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from mlworker.encoders.augmentation import Strength, views
from mlworker.encoders.encoding import prepared
from mlworker.encoders.networks import Preprocessing

PROJECTED: Final = 128
HIDDEN: Final = 64


@dataclass(frozen=True)
class Batch:
    """Images of one source: (image, channel, [z,] y, x), uint8; labels (image, decision) where there are any.

    seeds: (image,) one number an image and step, from which a random change of it may be drawn.
    """

    images: torch.Tensor
    labels: torch.Tensor | None = None
    source: int = 0
    seeds: torch.Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))


class Objective(nn.Module):
    """Layers beside the network, and the loss of a batch."""

    def loss(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Loss of a batch, to be lowered."""
        raise NotImplementedError


def contrast(first: torch.Tensor, second: torch.Tensor, temperature: float = 0.2) -> torch.Tensor:
    """Normalised temperature-scaled cross entropy: find the other view among the batch (SimCLR, Chen 2020).

    first, second: (image, feature), projections of the two views.
    """
    both = functional.normalize(torch.cat([first, second]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(float("-inf"))
    count = len(first)
    target = torch.arange(2 * count, device=first.device).roll(count)
    return functional.cross_entropy(likeness, target)


def projector(dimension: int, width: int) -> nn.Module:
    """Make the throw-away layers between the encoder and the objective."""
    return nn.Sequential(
        nn.Linear(dimension, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Linear(width, width, bias=False),
    )


class Views(Objective):
    """Two random views of the same pictures, projected: what SimCLR and SimSiam compare."""

    def __init__(self, dimension: int, preprocessing: Preprocessing, strength: Strength) -> None:
        super().__init__()
        self.preprocessing, self.strength = preprocessing, strength
        self.projector = projector(dimension, PROJECTED)

    def projections(
        self, network: nn.Module, batch: Batch, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Projections of both views: twice (image, PROJECTED)."""
        pictures = batch.images.float() / 255.0
        both = torch.cat([views(pictures, self.strength, random) for _ in range(2)])
        projected = self.projector(network(entering(both, network, self.preprocessing)))
        return projected[: len(pictures)], projected[len(pictures) :]


class SimCLR(Views):
    """Find the other view among the batch (Chen 2020)."""

    def loss(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Contrast of the two views."""
        return contrast(*self.projections(network, batch, random))


class SimSiam(Views):
    """Predict one view's projection from the other's, with no negatives (Chen and He 2021)."""

    def __init__(self, dimension: int, preprocessing: Preprocessing, strength: Strength) -> None:
        super().__init__(dimension, preprocessing, strength)
        self.predictor = nn.Sequential(
            nn.Linear(PROJECTED, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, PROJECTED),
        )

    def loss(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Negative cosine, the target's gradient stopped."""
        first, second = self.projections(network, batch, random)
        towards = [
            functional.cosine_similarity(self.predictor(one), other.detach(), dim=1).mean()
            for one, other in ((first, second), (second, first))
        ]
        return -0.5 * (towards[0] + towards[1])


class Classified(Objective):
    """Name the class of each image: one linear head a source, classes weighing alike within it.

    Several sources share the network and keep heads of their own, as in Med3D (Chen 2019). A source that asks
    for several decisions, such as findings that are there or not, has the mean of their cross entropies,
    binary ones between two classes.
    balance: a source's weight of each class of each decision, mean 1 over its images: (decision, class).
    """

    def __init__(
        self,
        dimension: int,
        preprocessing: Preprocessing,
        strength: Strength | None,
        balance: Sequence[torch.Tensor],
    ) -> None:
        super().__init__()
        self.preprocessing, self.strength = preprocessing, strength
        self.heads = nn.ModuleList(nn.Linear(dimension, weights.numel()) for weights in balance)
        for number, weights in enumerate(balance):
            self.register_buffer(f"balance_{number}", weights.float())

    def loss(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Cross entropy."""
        if batch.labels is None:
            raise ValueError("images without labels cannot be classified")
        logits = self.heads[batch.source](network(self.entering(network, batch, random))).float()
        balance = self.get_buffer(f"balance_{batch.source}")
        labels = batch.labels.to(logits.device)
        known = certain(labels)
        weights = balance[torch.arange(len(balance), device=logits.device), known]
        by_class = logits.reshape(len(logits), *balance.shape).transpose(1, 2)  # (image, class, decision)
        wanted = labels.transpose(1, 2) if labels.is_floating_point() else known
        return (functional.cross_entropy(by_class, wanted, reduction="none") * weights).mean()

    def entering(self, network: nn.Module, batch: Batch, random: torch.Generator) -> torch.Tensor:
        """Images as the network takes them, changed at random while it trains."""
        pictures = batch.images.float() / 255.0
        if self.strength is not None and network.training:
            pictures = views(pictures, self.strength, random)
        return entering(pictures, network, self.preprocessing)


def entering(pictures: torch.Tensor, network: nn.Module, preprocessing: Preprocessing) -> torch.Tensor:
    """Normalise pictures 0…1 and put them where the network is."""
    made = prepared(pictures, preprocessing).to(next(network.parameters()).device)
    return made.contiguous(memory_format=torch.channels_last) if made.ndim == 4 else made


def certain(labels: torch.Tensor) -> torch.Tensor:
    """Give class numbers, the likeliest where labels say how likely each is: (image, decision)."""
    return labels.argmax(dim=-1) if labels.is_floating_point() else labels.reshape(len(labels), -1)


def balance_of(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Weight of each class such that a decision's classes weigh alike, mean 1 over the images.

    labels: (image, decision), of one decision also (image,), or (image, decision, class) how likely each is.
    returns: (decision, class).
    """
    columns = certain(labels).T
    counts = torch.stack([torch.bincount(column, minlength=classes) for column in columns]).float()
    present = (counts > 0).sum(dim=1, keepdim=True)
    return torch.where(counts > 0, len(labels) / (present * counts.clamp(min=1.0)), torch.zeros_like(counts))
