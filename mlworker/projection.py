"""Fewer dimensions for many vectors: principal components fitted on a sample, applied in blocks."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
FITTED_ON = 4_096
BLOCK = 8_192
UMAP_COMPONENTS, UMAP_NEIGHBOURS, UMAP_DISTANCE = 50, 15, 0.1
EDGE_QUANTILE, GRID = 0.005, 65_535


@dataclass(frozen=True)
class Principal:
    """mean: (feature,). basis: (feature, component). variance: (component,). total: of all features."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    variance: NDArray[np.float32]
    total: float

    @classmethod
    def of(cls, vectors: Floats, *, components: int, seed: int) -> "Principal":
        """Find the leading components of at most FITTED_ON of the vectors; the signs are always the same.

        vectors: (case, feature). raises: ValueError with fewer than two vectors.
        """
        if len(vectors) < 2:
            raise ValueError(f"there are {len(vectors)} vectors: principal components need at least 2")
        chosen = np.random.default_rng(seed).permutation(len(vectors))[:FITTED_ON]
        sample = vectors[np.sort(chosen)].astype(np.float32)
        mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = sample - mean
        covariance = (centred.T @ centred).astype(np.float64) / len(sample)
        values, directions = np.linalg.eigh(covariance)
        leading = directions[:, ::-1][:, :components]
        signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(leading.shape[1])])
        variance = np.maximum(values[::-1][:components], 0.0)
        return cls(
            mean.astype(np.float32),
            (leading * signs).astype(np.float32),
            variance.astype(np.float32),
            float(np.maximum(values, 0.0).sum()),
        )

    def apply(self, vectors: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, component)."""
        shift = self.mean @ self.basis
        blocks = [
            vectors[start : start + BLOCK].astype(np.float32) @ self.basis - shift
            for start in range(0, len(vectors), BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.empty((0, self.basis.shape[1]), dtype=np.float32)

    @property
    def explained(self) -> float:
        """Share of the variance that the components hold, 0 – 1."""
        return float(self.variance.sum()) / self.total if self.total > 0 else 0.0


def has_umap() -> bool:
    """Whether UMAP is installed here: it is offered where it is, and no part of the product needs it."""
    return find_spec("umap") is not None


def neighbours_kept(vectors: Floats, *, seed: int) -> Floats:
    """Lay vectors out so that neighbours stay neighbours (UMAP, McInnes 2018): (case, feature) → (case, 2).

    raises: ImportError where umap-learn is not installed.
    """
    from umap import UMAP  # type: ignore[import-not-found,import-untyped,unused-ignore]

    components = min(UMAP_COMPONENTS, vectors.shape[1], len(vectors))
    leading = Principal.of(vectors, components=components, seed=seed).apply(vectors)
    neighbours = min(UMAP_NEIGHBOURS, len(vectors) - 1)
    layout = UMAP(n_components=2, n_neighbors=neighbours, min_dist=UMAP_DISTANCE, random_state=seed)
    return np.asarray(layout.fit_transform(leading), dtype=np.float32)


def on_grid(places: Floats) -> NDArray[np.uint16]:
    """Fit places into a square of whole numbers, one scale for both axes; the few far out lie at its edge.

    places: (case, 2). returns: (case, 2), 0 – 65535.
    """
    low = np.quantile(places, EDGE_QUANTILE, axis=0)
    high = np.quantile(places, 1 - EDGE_QUANTILE, axis=0)
    span = max(float((high - low).max()) * 1.04, 1e-12)
    shares = (places - (low + high) / 2) / span + 0.5
    return np.asarray((shares.clip(0.0, 1.0) * GRID).round().astype(np.uint16))
