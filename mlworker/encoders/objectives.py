"""What self-supervised pretraining asks of two views of the same pictures."""

import torch
from torch import nn
from torch.nn import functional


def contrast(first: torch.Tensor, second: torch.Tensor, temperature: float = 0.2) -> torch.Tensor:
    """Normalised temperature-scaled cross entropy: find the other view among the batch (SimCLR, Chen 2020).

    first, second: (image, feature), projections of the two views.
    """
    both = functional.normalize(torch.cat([first, second]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(float("-inf"))
    count = len(first)
    target = torch.arange(2 * count).roll(count)
    return functional.cross_entropy(likeness, target)


def projector(dimension: int, width: int) -> nn.Module:
    """Make the throw-away layers between the encoder and the objective."""
    return nn.Sequential(
        nn.Linear(dimension, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Linear(width, width, bias=False),
    )
