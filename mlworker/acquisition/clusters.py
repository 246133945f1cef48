"""k-means in NumPy: seeded, quick, and without the import of a library in the hot loop."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.arrays import Floats, Indices, blocks

ROUNDS = 12
FITTED_ON = 20_000


def principal(
    embeddings: Floats, *, components: int, prepare: Callable[[Floats], Floats] = np.asarray
) -> NDArray[np.float32]:
    """Project on the leading principal components, in single precision and block by block.

    embeddings: (case, feature), any precision. prepare: done to each block first. returns: (case,
    ≤ components), centred.
    """

    def parts() -> Iterator[NDArray[np.float32]]:
        return (prepare(embeddings[rows]).astype(np.float32) for rows in blocks(len(embeddings)))

    mean = sum(part.sum(axis=0, dtype=np.float64) for part in parts()) / len(embeddings)
    centre = np.asarray(mean, dtype=np.float32)
    if embeddings.shape[1] <= components:
        return np.concatenate([part - centre for part in parts()])
    covariance = np.zeros((embeddings.shape[1],) * 2)
    for part in parts():
        covariance += _products(part - centre)
    turned = _directions(covariance, components)
    return np.concatenate([(part - centre) @ turned for part in parts()])


def _products(part: Floats) -> Floats:
    return (part.T @ part).astype(np.float64)


def _directions(covariance: Floats, components: int) -> NDArray[np.float32]:
    """Leading eigenvectors, the largest entry of each above 0: (feature, component)."""
    _, vectors = np.linalg.eigh(covariance)
    leading = vectors[:, ::-1][:, :components]
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(components)])
    return np.asarray(leading * signs, dtype=np.float32)


def grouped(points: Floats, *, groups: int, seed: int) -> Indices:
    """Cluster number of each point by Lloyd's k-means, seeded by k-means++ (Arthur 2007).

    points: (case, feature). returns: (case,) numbers 0…groups-1; a number may stay unused.
    """
    random = np.random.default_rng(seed)
    sample = points
    if len(points) > FITTED_ON:
        sample = points[np.sort(random.choice(len(points), FITTED_ON, replace=False))]
    centres = _spread_out(sample, groups, random)
    for _ in range(ROUNDS):
        nearest = _nearest(sample, centres)
        moved = _means(sample, nearest, centres)
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    return _nearest(points, centres)


def _spread_out(points: Floats, groups: int, random: np.random.Generator) -> Floats:
    squares = (points**2).sum(axis=1)
    chosen = [int(random.integers(len(points)))]
    distance = np.full(len(points), np.inf, dtype=np.float64)
    for _ in range(groups - 1):
        last = points[chosen[-1]]
        away = squares - 2.0 * (points @ last) + last @ last
        distance = np.minimum(distance, np.maximum(away, 0.0))
        mass = np.cumsum(distance)
        chosen.append(
            int(np.searchsorted(mass, random.random() * mass[-1], side="right").clip(0, len(points) - 1))
        )
    return points[chosen]


def _nearest(points: Floats, centres: Floats) -> Indices:
    half = 0.5 * (centres**2).sum(axis=1)
    return np.concatenate(
        [
            (block @ centres.T - half).argmax(axis=1)
            for block in np.array_split(points, -(-len(points) // 4096))
        ]
    )


def _means(points: Floats, nearest: Indices, centres: Floats) -> Floats:
    order = np.argsort(nearest, kind="stable")
    counts = np.bincount(nearest, minlength=len(centres))
    used = np.flatnonzero(counts)
    starts = np.r_[0, np.cumsum(counts)[:-1]][used]
    moved = centres.copy()
    moved[used] = np.add.reduceat(points[order], starts, axis=0) / counts[used, None]
    return moved
