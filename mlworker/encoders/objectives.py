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


def regularised(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Invariance, variance and covariance terms (VICReg, Bardes 2022), weights 25, 25, 1.

    first, second: (image, feature), projections of the two views.
    """
    invariance = functional.mse_loss(first, second)
    spread = _hinge(first) + _hinge(second)
    return 25.0 * invariance + 25.0 * spread / 2.0 + _covariance(first) + _covariance(second)


def _hinge(features: torch.Tensor) -> torch.Tensor:
    return functional.relu(1.0 - (features.var(dim=0) + 1e-4).sqrt()).mean()


def _covariance(features: torch.Tensor) -> torch.Tensor:
    count, width = features.shape
    centred = features - features.mean(dim=0)
    matrix = centred.T @ centred / (count - 1)
    return (matrix.pow(2).sum() - matrix.diagonal().pow(2).sum()) / width


def projector(dimension: int, width: int) -> nn.Module:
    """Make the throw-away layers between the encoder and the objective."""
    return nn.Sequential(
        nn.Linear(dimension, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Linear(width, width, bias=False),
    )
