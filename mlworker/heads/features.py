"""Stored embeddings → features on one scale, so that one penalty suits every encoder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
SMALLEST_DEVIATION = 1e-4
BLOCK_ROWS = 8_192


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each feature over the whole pool, labelled or not."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, *parts: Floats) -> "Scaling":
        """Measure a pool, block by block. parts: (case, feature) each."""
        count = sum(len(part) for part in parts)
        total, squares = np.zeros(parts[0].shape[1]), np.zeros(parts[0].shape[1])
        for part in parts:
            for start in range(0, len(part), BLOCK_ROWS):
                block = part[start : start + BLOCK_ROWS].astype(np.float32)
                total += block.sum(axis=0)
                squares += np.einsum("ij,ij->j", block, block)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, SMALLEST_DEVIATION**2))
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, embeddings: Floats) -> NDArray[np.float32]:
        """Standardise, then scale each row to length 1. (case, feature) → (case, feature)."""
        features = (embeddings.astype(np.float32) - self.mean) / self.deviation
        length = np.sqrt(np.einsum("ij,ij->i", features, features))
        features /= np.maximum(length, 1e-6)[:, None]
        return features
