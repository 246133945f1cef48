"""Low-rank adapters (Hu 2022) for convolutions and linear layers, merged into the weights afterwards."""

from typing import Any

import torch
from torch import nn

SCALE = 2.0
Adapted = nn.Conv2d | nn.Conv3d | nn.Linear


class LowRank(nn.Module):
    """A frozen layer and a small one beside it: rank channels in between, nothing added at the start."""

    def __init__(self, base: Adapted, rank: int) -> None:
        super().__init__()
        self.base = base.requires_grad_(requires_grad=False)
        self.down, self.up = _pair(base, rank)
        nn.init.zeros_(self.up.weight)

    def forward(self, entering: torch.Tensor) -> torch.Tensor:
        """Add what the small layer says."""
        added: torch.Tensor = self.up(self.down(entering))
        return torch.add(self.base(entering), added, alpha=SCALE)

    def merged(self) -> Adapted:
        """One layer that does what both do."""
        up, down = self.up.weight.flatten(1), self.down.weight.flatten(1)
        with torch.no_grad():
            self.base.weight += SCALE * (up @ down).reshape(self.base.weight.shape)
        return self.base


def _pair(base: Adapted, rank: int) -> tuple[Adapted, Adapted]:
    """Make a layer of the same reach to few channels, and one from there to as many as the base gives."""
    if isinstance(base, nn.Linear):
        return nn.Linear(base.in_features, rank, bias=False), nn.Linear(rank, base.out_features, bias=False)
    kind: Any = type(base)
    down = kind(
        base.in_channels, rank, base.kernel_size, base.stride, base.padding, base.dilation, bias=False
    )
    return down, kind(rank, base.out_channels, 1, bias=False)


def adapted(network: nn.Module, names: tuple[str, ...], rank: int) -> nn.Module:
    """Freeze a network and put adapters beside its layers whose names begin so."""
    network.requires_grad_(requires_grad=False)
    for name, layer in list(network.named_modules()):
        if name.startswith(names) and isinstance(layer, Adapted) and min(layer.weight.shape[:2]) > rank:
            _put(network, name, LowRank(layer, rank))
    return network


def merged(network: nn.Module) -> nn.Module:
    """Take the adapters into the weights: the layout is the old one again."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, LowRank):
            _put(network, name, layer.merged())
    return network.requires_grad_(requires_grad=True)


def _put(network: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, layer)
