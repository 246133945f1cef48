"""A model version as one network: encoder, pooling, scaling, heads, temperatures. Pixels in, chances out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from mlworker.encoders.encoding import prepared
from mlworker.encoders.networks import VOLUME, Preprocessing, built, dimension_of

SINGLE, ORDINAL, MULTI = "single", "ordinal", "multi"
LARGEST_HALF = 65_504.0
SMALLEST = 1e-12


class PortableModel(nn.Module):
    """What production computes of a series, in one pass.

    preprocessing: as the encoder's. kind: single, ordinal or multi. choices: how many answers there are.
    heads: of the ensemble.
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    weights: torch.Tensor
    bias: torch.Tensor
    temperatures: torch.Tensor

    def __init__(self, preprocessing: Mapping[str, Any], kind: str, choices: int, heads: int) -> None:
        super().__init__()
        self.how = Preprocessing.from_row(dict(preprocessing))
        self.kind = kind
        width = dimension_of(self.how)
        out, biases = (1, choices - 1) if kind == ORDINAL else (choices, choices)
        self.encoder = built(self.how)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.register_buffer("weights", torch.zeros(heads, width, out))
        self.register_buffer("bias", torch.zeros(heads, biases))
        self.register_buffer("temperatures", torch.ones(choices if kind == MULTI else 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Chance of each answer.

        image:   (case, channel, y, x, plane), 0…1, all cases with as many planes.
        returns: (case, choice); of single and ordinal questions rows sum to 1.
        """
        return self.chances(self.features(self.vectors(image)))

    def vectors(self, image: torch.Tensor) -> torch.Tensor:
        """Encode every plane, or the volume, and take the mean: (case, feature), rounded as it is stored."""
        stack = image.permute(0, 4, 1, 2, 3)  # (case, plane, channel, y, x)
        found: torch.Tensor
        if self.how.seen == VOLUME:
            found = self.encoder(prepared(stack.transpose(1, 2), self.how))
        else:
            flat = prepared(stack.flatten(0, 1), self.how).contiguous(memory_format=torch.channels_last)
            found = self.encoder(flat).reshape(stack.shape[0], stack.shape[1], -1).mean(dim=1)
        return found.clamp(-LARGEST_HALF, LARGEST_HALF).half().float()

    def features(self, vectors: torch.Tensor) -> torch.Tensor:
        """Standardise, then scale each row to length 1: (case, feature)."""
        scaled = (vectors - self.mean) / self.deviation
        return scaled / scaled.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-6)

    def chances(self, features: torch.Tensor) -> torch.Tensor:
        """Mean over the heads at the fitted temperature: (case, choice)."""
        scores = torch.einsum("cf,hfo->cho", features, self.weights)
        if self.kind == ORDINAL:
            return cooled(grades(scores, self.bias).mean(dim=1), self.temperatures)
        if self.kind == MULTI:
            there = torch.sigmoid(scores + self.bias).mean(dim=1)
            both = torch.stack([1.0 - there, there], dim=-1)
            return cooled(both, self.temperatures[:, None])[..., 1]
        return cooled(torch.softmax(scores + self.bias, dim=-1).mean(dim=1), self.temperatures)


def grades(scores: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Proportional odds: (case, head, 1), (head, class - 1) → (case, head, class)."""
    gaps = torch.cat([torch.zeros_like(bias[:, :1]), bias[:, 1:].exp()], dim=1)
    above = torch.sigmoid(scores + bias[:, :1] - gaps.cumsum(dim=1))
    ends = torch.ones_like(above[..., :1])
    edges = torch.cat([ends, above, torch.zeros_like(ends)], dim=-1)
    return edges[..., :-1] - edges[..., 1:]


def cooled(chances: torch.Tensor, temperatures: torch.Tensor) -> torch.Tensor:
    """Chances at a temperature: (…, class) → (…, class)."""
    return torch.softmax(chances.clamp(min=SMALLEST).log() / temperatures, dim=-1)
