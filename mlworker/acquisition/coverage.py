"""Batches that cover the pool: k-centre (Sener 2018, core-set) and ProbCover (Yehuda 2022)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.arrays import Floats, Indices, Keys, blocks, finite
from mlworker.acquisition.badge import products, squared_lengths
from mlworker.acquisition.batches import Draws, certain
from mlworker.acquisition.clusters import grouped

PURITY = 0.95
ROWS, COLUMNS = 4_096, 1_024  # distances that are held at once: 16 MB


def centre_batch(points: Floats, keys: Keys, labelled: Indices, *, size: int) -> Draws:
    """Again and again the case that is farthest from every labelled and chosen one; nothing is random.

    points: (case, feature). labelled: positions that have a label; without any, the middlemost comes first.
    """
    finite(points, "points")
    lengths = squared_lengths(points)
    away = np.full(len(points), np.inf)
    for rows, _, apart in _distances(points, lengths, labelled):
        away[rows] = np.minimum(away[rows], apart.min(axis=1))
    free = np.ones(len(points), dtype=bool)
    free[labelled] = False
    order = np.empty(min(size, int(free.sum())), dtype=np.intp)
    for turn in range(len(order)):
        worth = away if np.isfinite(away).any() else -_from_middle(points, lengths)
        order[turn] = last = _greatest(worth, free, keys)
        free[last] = False
        away = np.minimum(
            away, np.maximum(lengths + lengths[last] - 2.0 * products(points, points[last]), 0.0)
        )
    return certain(order)


def covering_batch(
    points: Floats, keys: Keys, labelled: Indices, *, groups: int, size: int, seed: int
) -> Draws:
    """Again and again the case whose ball covers most that is not covered; nothing else is random.

    points: (case, feature). groups: clusters that stand in for classes when the radius is chosen. Once all is
    covered, what was not drawn is covered anew. Time grows with the square of the cases, memory does not.
    """
    finite(points, "points")
    if not len(keys):
        return certain(np.empty(0, dtype=np.intp))
    lengths = squared_lengths(points)
    canonical, members = np.argsort(keys, kind="stable"), np.empty(len(keys), dtype=np.intp)
    members[canonical] = grouped(points[canonical], groups=min(groups, len(keys)), seed=seed)
    radius = pure_radius(points, members)
    free = np.ones(len(keys), dtype=bool)
    free[labelled] = False
    bare = free & (_inside(points, lengths, labelled, radius) == 0)
    degrees = np.zeros(len(keys), dtype=np.intp)
    order = np.empty(min(size, int(free.sum())), dtype=np.intp)
    for turn in range(len(order)):
        if turn == 0 or not bare.any():
            bare = bare if bare.any() else free.copy()
            degrees = _inside(points, lengths, np.flatnonzero(bare), radius)
        order[turn] = last = _greatest(degrees.astype(np.float64), free, keys)
        apart = lengths + lengths[last] - 2.0 * products(points, points[last])
        free[last], apart[last] = False, -1.0
        covered = np.flatnonzero(bare & (apart < radius**2))
        bare[covered] = False
        degrees -= _inside(points, lengths, covered, radius)
    return certain(order)


def pure_radius(points: Floats, members: Indices) -> float:
    """Give the largest radius at which 95 % of the balls hold one cluster only.

    points: (case, feature). members: (case,) cluster numbers. returns: infinity where there is one cluster.
    """
    nearest = np.full(len(points), np.inf)
    for rows, columns, apart in _distances(points, squared_lengths(points), np.arange(len(points))):
        apart[members[rows, None] == members[columns]] = np.inf
        nearest[rows] = np.minimum(nearest[rows], apart.min(axis=1))
    return float(np.sqrt(np.sort(nearest)[int((1.0 - PURITY) * len(points))]))


def _inside(points: Floats, lengths: Floats, among: Indices, radius: float) -> Indices:
    """How many of some cases lie in each case's ball: (case,)."""
    found = np.zeros(len(points), dtype=np.intp)
    for rows, _, apart in _distances(points, lengths, among):
        found[rows] += np.count_nonzero(apart < radius**2, axis=1)
    return found


def _distances(
    points: Floats, lengths: Floats, among: Indices
) -> Iterator[tuple[slice, Indices, NDArray[np.float32]]]:
    """Squared distances of all cases to some, block by block: rows, columns, (row, column)."""
    singles, squares = points.astype(np.float32, copy=False), lengths.astype(np.float32)
    for part in blocks(len(among), COLUMNS):
        columns = among[part]
        for rows in blocks(len(points), ROWS):
            apart = singles[rows] @ (-2.0 * singles[columns]).T
            apart += squares[rows, None]
            apart += squares[columns]
            yield rows, columns, np.maximum(apart, 0.0, out=apart)


def _from_middle(points: Floats, lengths: Floats) -> Floats:
    """Squared distance to the mean, but for a constant: (case,)."""
    return np.asarray(lengths - 2.0 * products(points, points.mean(axis=0, dtype=np.float64)))


def _greatest(worth: Floats, free: NDArray[np.bool_], keys: Keys) -> int:
    """Find the free case of the greatest worth; ties by identity."""
    masked = np.where(free, worth, -np.inf)
    best = np.flatnonzero(masked == masked.max())
    return int(best[keys[best].argmin()])
