"""Last-layer Laplace posterior, diagonal over classes (Kristiadi 2020): logits as they could also be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.arrays import Floats, blocks, distributions, finite

DRAWS = 20


@dataclass(frozen=True)
class Posterior:
    """Inverse Cholesky factors of A_k = λI + Σ p_k (1 - p_k) h hᵀ. factors: (output, feature, feature).

    An output is a logit of the head: one a class, or one a finding where several can be there.
    """

    factors: NDArray[np.float32]

    @classmethod
    def of(cls, features: Floats, probabilities: Floats, *, penalty: float) -> "Posterior":
        """Make it from labelled cases. features: (case, feature). probabilities: (case, output), 0 – 1."""
        finite(features, "features")
        distributions(np.stack([probabilities, 1.0 - probabilities], axis=-1))
        if not (np.isfinite(penalty) and penalty > 0.0):
            raise ValueError(f"penalty is {penalty}: it must be above 0")
        found = [precision(features, own, penalty=penalty) for own in probabilities.T]
        return cls(np.stack([np.linalg.inv(np.linalg.cholesky(one)) for one in found]).astype(np.float32))

    def variances(self, features: Floats) -> Floats:
        """hᵀ A_k⁻¹ h: (case, feature) → (case, output)."""
        single = features.astype(np.float32, copy=False)
        columns = [np.square(single @ factor.T).sum(axis=1) for factor in self.factors]
        return finite(np.stack(columns, axis=1), "variances")

    def drawn(self, features: Floats, logits: Floats, *, seed: int, draws: int = DRAWS) -> Floats:
        """Logits of drawn heads: (case, feature), (case, output) → (case, draw, output).

        The same normal numbers serve every case, so that scores differ by the cases and not by luck.
        """
        noise = np.random.default_rng(seed).standard_normal((draws, len(self.factors)), dtype=np.float32)
        spread = np.sqrt(self.variances(features))
        return np.asarray(logits[:, None, :] + spread[:, None, :] * noise)


def precision(features: Floats, probabilities: Floats, *, penalty: float) -> Floats:
    """λI + Σ p (1 - p) h hᵀ of one class. probabilities: (case,). returns: (feature, feature)."""
    found = penalty * np.eye(features.shape[1])
    for rows in blocks(len(features)):
        part = features[rows].astype(np.float64)
        own = probabilities[rows].astype(np.float64)
        found += (part * (own * (1.0 - own))[:, None]).T @ part
    return found
