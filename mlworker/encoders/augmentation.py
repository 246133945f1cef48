"""Random views of a batch of images, drawn from a generator: what pretraining calls the same picture."""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    """How far a view may be from its picture.

    area: smallest share kept by the crop. degrees: rotation. contrast, brightness, gamma: relative change.
    noise: standard deviation. blur: probability. flip: probability of left-right exchange.
    """

    area: float = 0.3
    degrees: float = 15.0
    contrast: float = 0.4
    brightness: float = 0.3
    gamma: float = 0.3
    noise: float = 0.03
    blur: float = 0.3
    flip: float = 0.5


def views(images: torch.Tensor, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    """One random view of each image.

    images:  (image, channel, y, x), values 0…1.
    returns: the same shape, values 0…1.
    """
    moved = _moved(images, strength, generator)
    return _relit(moved, strength, generator).clamp(0.0, 1.0)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _moved(images: torch.Tensor, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    """Crop, stretch, turn and mirror in one resampling."""
    count = len(images)
    share = _uniform(count, strength.area, 1.0, generator).sqrt()
    stretch = _uniform(count, math.log(0.8), math.log(1.25), generator).mul(0.5).exp()
    width, height = (share * stretch).clamp(max=1.0), (share / stretch).clamp(max=1.0)
    angle = _uniform(count, -strength.degrees, strength.degrees, generator).deg2rad()
    mirror = 1.0 - 2.0 * (_uniform(count, 0.0, 1.0, generator) < strength.flip).float()
    shift_x = _uniform(count, -1.0, 1.0, generator) * (1.0 - width)
    shift_y = _uniform(count, -1.0, 1.0, generator) * (1.0 - height)
    first = torch.stack([mirror * width * angle.cos(), -height * angle.sin(), shift_x], dim=1)
    second = torch.stack([mirror * width * angle.sin(), height * angle.cos(), shift_y], dim=1)
    grid = functional.affine_grid(
        torch.stack([first, second], dim=1), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, align_corners=False, padding_mode="reflection")


def _relit(images: torch.Tensor, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    """Brightness, contrast, gamma, blur and noise."""
    count = len(images)
    shape = (count, 1, 1, 1)
    gamma = _uniform(count, -strength.gamma, strength.gamma, generator).exp().view(shape)
    contrast = _uniform(count, -strength.contrast, strength.contrast, generator).exp().view(shape)
    brightness = _uniform(count, -strength.brightness, strength.brightness, generator).view(shape) * 0.5
    lit = images.clamp(1e-4, 1.0).pow(gamma)
    centre = lit.mean(dim=(1, 2, 3), keepdim=True)
    lit = (lit - centre) * contrast + centre + brightness
    blurred = functional.avg_pool2d(lit, 3, stride=1, padding=1, count_include_pad=False)
    chosen = (torch.rand(count, generator=generator) < strength.blur).view(shape)
    lit = torch.where(chosen, blurred, lit)
    return lit + torch.randn(lit.shape, generator=generator) * strength.noise
