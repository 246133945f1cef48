"""Weights of a ResNet-18 from bytes: safetensors or torch's own format, with torchvision's names."""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import nn

PREFIXES = ("module.", "encoder.", "backbone.", "model.")
NOT_ENCODER = ("fc.", "num_batches_tracked")


class WrongWeightsError(ValueError):
    """The file does not hold this network's weights."""


def read_file(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a weights file; nothing in it is ever executed."""
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        return load_safetensors(content)
    loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return dict(loaded.get("state_dict", loaded))


def loaded(network: nn.Module, tensors: dict[str, torch.Tensor]) -> nn.Module:
    """Put tensors into the network.

    raises: WrongWeightsError naming the first tensor that is absent, of another shape, or unknown.
    """
    given = {_plain(name): tensor for name, tensor in tensors.items()}
    given = {name: tensor for name, tensor in given.items() if not _dropped(name)}
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not _dropped(name)}
    matched = {name: _matched(name, tensor, given) for name, tensor in wanted.items()}
    extra = next((name for name in given if name not in wanted), None)
    if extra is not None:
        raise WrongWeightsError(f"{extra} {tuple(given[extra].shape)} is no tensor of a ResNet-18")
    network.load_state_dict(matched, strict=False)
    return network.eval()


def _matched(name: str, wanted: torch.Tensor, given: dict[str, torch.Tensor]) -> torch.Tensor:
    if name not in given:
        raise WrongWeightsError(f"{name} {tuple(wanted.shape)} is not in the file")
    tensor = given[name].to(wanted.dtype)
    if name == "conv1.weight" and tensor.ndim == 4 and tensor.shape[1] == 3 and wanted.shape[1] == 1:
        tensor = tensor.sum(dim=1, keepdim=True)  # grey is the same value in all three channels
    if tensor.shape != wanted.shape:
        raise WrongWeightsError(f"{name} is {tuple(tensor.shape)} in the file, not {tuple(wanted.shape)}")
    return tensor


def _plain(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _dropped(name: str) -> bool:
    return name.startswith(NOT_ENCODER) or name.endswith(NOT_ENCODER)


def packed(network: nn.Module) -> tuple[str, bytes]:
    """SHA-256 and safetensors bytes of an encoder's weights."""
    tensors = {
        name: tensor.contiguous() for name, tensor in network.state_dict().items() if not _dropped(name)
    }
    content = save_safetensors(tensors)
    return hashlib.sha256(content).hexdigest(), content


def unpacked(network: nn.Module, content: bytes) -> nn.Module:
    """Put bytes that `packed` made into the network."""
    return loaded(network, load_safetensors(content))
