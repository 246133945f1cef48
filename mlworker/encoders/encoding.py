"""Images → vectors: what the network sees, and what is kept of it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlworker.encoders.networks import Preprocessing

THREADS = 2
BATCH = 64


def prepared(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Values 0…1 → what the weights expect. images: (image, channel, y, x)."""
    return (images - preprocessing.mean) / preprocessing.deviation


def encoded(
    network: nn.Module, planes: NDArray[np.float32], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Vectors of planes: (plane, channel, y, x), 0…1 → (plane, feature)."""
    torch.set_num_threads(THREADS)
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(planes), BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(planes[start : start + BATCH]))
            batch = prepared(batch, preprocessing).contiguous(memory_format=torch.channels_last)
            parts.append(network(batch).float().numpy())
    return np.concatenate(parts)


def pooled(vectors: NDArray[np.float32], lengths: Sequence[int]) -> NDArray[np.float32]:
    """Mean over the planes of each series: (plane, feature) → (series, feature)."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
    sums: NDArray[np.float32] = np.add.reduceat(vectors, starts, axis=0)
    return sums / np.asarray(lengths, dtype=np.float32)[:, None]
