"""Weights of a network from bytes: safetensors or torch's own format, in published layouts."""

import hashlib
import io
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import nn

PREFIXES: Final = ("module.", "encoder.", "backbone.", "model.")
VISUAL: Final = "visual."
COUNTERS: Final = "num_batches_tracked"
HEADS: Final = ("fc.", "head.", "classifier.", "conv_seg.")
# RadImageNet's files number the children of torchvision's ResNet (0: conv1, 1: bn1, 4…7: layer1…4).
CHILDREN: Final = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}


class WrongWeightsError(ValueError):
    """The file does not hold this network's weights."""


def read_file(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a weights file; nothing in it is ever executed.

    raises: WrongWeightsError where a safetensors file is none.
    """
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        return read_safetensors(content)
    loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return dict(loaded.get("state_dict", loaded))


def read_safetensors(content: bytes) -> dict[str, torch.Tensor]:
    """Tensors of safetensors bytes, of whatever origin.

    raises: WrongWeightsError.
    """
    try:
        return load_safetensors(content)
    except SafetensorError as error:
        raise WrongWeightsError(f"this is no safetensors file: {error}") from error


def loaded(network: nn.Module, tensors: dict[str, torch.Tensor]) -> nn.Module:
    """Put tensors into the network.

    raises: WrongWeightsError naming the first tensor that is absent, of another shape, or unknown.
    """
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(COUNTERS)}
    given = {name: tensor for name, tensor in _plain(tensors).items() if not name.endswith(COUNTERS)}
    matched = {name: _matched(name, tensor, given) for name, tensor in wanted.items()}
    extra = next((name for name in given if name not in wanted and not name.startswith(HEADS)), None)
    if extra is not None:
        raise WrongWeightsError(f"{extra} {tuple(given[extra].shape)} is no tensor of this network")
    network.load_state_dict(matched, strict=False)
    return network.eval()


def _matched(name: str, wanted: torch.Tensor, given: dict[str, torch.Tensor]) -> torch.Tensor:
    if name not in given:
        raise WrongWeightsError(f"{name} {tuple(wanted.shape)} is not in the file")
    tensor = given[name].to(wanted.dtype)
    if name == "conv1.weight" and tensor.ndim == 4 and tensor.shape[1] == 3 and wanted.shape[1] == 1:
        tensor = tensor.sum(dim=1, keepdim=True)  # grey is the same value in all three channels
    if name == "conv1.weight" and tensor.ndim == 4 and tensor.shape[1] == 1 and wanted.shape[1] == 3:
        tensor = tensor.repeat(1, 3, 1, 1) / 3.0
    if tensor.shape != wanted.shape:
        raise WrongWeightsError(f"{name} is {tuple(tensor.shape)} in the file, not {tuple(wanted.shape)}")
    return tensor


def _plain(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names as the network has them; of a model of images and texts, the part that sees."""
    visual = {name: tensor for name, tensor in tensors.items() if name.startswith(VISUAL)}
    return {_plain_name(name.removeprefix(VISUAL)): tensor for name, tensor in (visual or tensors).items()}


def _plain_name(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    first, dot, rest = name.partition(".")
    return CHILDREN.get(first, first) + dot + rest


def packed(network: nn.Module) -> tuple[str, bytes]:
    """SHA-256 and safetensors bytes of an encoder's weights."""
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith(COUNTERS)
    }
    content = save_safetensors(tensors)
    return hashlib.sha256(content).hexdigest(), content


def unpacked(network: nn.Module, content: bytes) -> nn.Module:
    """Put bytes that `packed` made into the network."""
    return loaded(network, load_safetensors(content))
