"""Stored embeddings → features on one scale, so that one penalty suits every encoder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
SMALLEST_DEVIATION = 1e-4


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each feature over the whole pool, labelled or not."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, embeddings: Floats) -> "Scaling":
        """Measure a pool. embeddings: (case, feature)."""
        mean = embeddings.mean(axis=0, dtype=np.float64)
        squares = np.einsum("ij,ij->j", embeddings, embeddings, dtype=np.float64) / len(embeddings)
        deviation = np.sqrt(np.maximum(squares - mean**2, SMALLEST_DEVIATION**2))
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, embeddings: Floats) -> NDArray[np.float32]:
        """Standardise, then scale each row to length 1. (case, feature) → (case, feature)."""
        features = (embeddings.astype(np.float32) - self.mean) / self.deviation
        length = np.sqrt(np.einsum("ij,ij->i", features, features))
        features /= np.maximum(length, 1e-6)[:, None]
        return features
