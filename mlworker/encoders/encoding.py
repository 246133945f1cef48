"""Images → vectors: what the network sees, and what is kept of it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlworker.encoders.networks import Preprocessing

THREADS = 2
BATCH, VOLUMES = 64, 4


def prepared(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Values 0…1 → what the weights expect. images: (image, channel, [z,] y, x)."""
    if preprocessing.own_scale:
        over = tuple(range(1, images.ndim))
        return (images - images.mean(over, keepdim=True)) / images.std(over, keepdim=True).clamp(min=1e-4)
    return (images - _each(preprocessing.mean, images)) / _each(preprocessing.deviation, images)


def _each(values: float | tuple[float, ...], images: torch.Tensor) -> torch.Tensor:
    """One value for all channels, or one each, to be spread over images."""
    return torch.tensor(values, dtype=images.dtype, device=images.device).reshape(
        -1, *[1] * (images.ndim - 2)
    )


def encoded(
    network: nn.Module, planes: NDArray[np.float32], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Vectors of planes or volumes: (plane, channel, [z,] y, x), 0…1 → (plane, feature)."""
    torch.set_num_threads(THREADS)
    network.eval()
    device, parts = next(network.parameters()).device, []
    with torch.inference_mode():
        size = BATCH if planes.ndim == 4 else VOLUMES
        for start in range(0, len(planes), size):
            batch = torch.from_numpy(np.ascontiguousarray(planes[start : start + size]))
            batch = prepared(batch, preprocessing).to(device)
            if batch.ndim == 4:
                batch = batch.contiguous(memory_format=torch.channels_last)
            parts.append(network(batch).float().cpu().numpy())
    return np.concatenate(parts)


def pooled(vectors: NDArray[np.float32], lengths: Sequence[int]) -> NDArray[np.float32]:
    """Mean over the planes of each series: (plane, feature) → (series, feature)."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
    sums: NDArray[np.float32] = np.add.reduceat(vectors, starts, axis=0)
    return sums / np.asarray(lengths, dtype=np.float32)[:, None]
