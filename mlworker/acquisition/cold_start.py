"""Before there are labels: typical cases of groups not seen yet (TypiClust, Hacohen 2022)."""

import numpy as np

from mlworker.acquisition.arrays import Floats, Indices, Keys, blocks, finite
from mlworker.acquisition.batches import Draws, certain
from mlworker.acquisition.clusters import grouped

MOST_CLUSTERS = 500
SMALL_CLUSTER = 5
NEIGHBOURS = 20
COMPARED = 1_000


def typical_batch(
    points: Floats, keys: Keys, labelled: Indices, *, batch: int, size: int, seed: int
) -> Draws:
    """One typical case of each cluster, fewest labelled first, then largest; then the next of each.

    points: (case, feature) of labelled and unlabelled cases. labelled: positions that have a label.
    batch: cases asked for before the next ranking: with the labelled ones, the number of clusters.
    returns: draws among the unlabelled; nothing is random once the clusters are seeded.
    """
    finite(points, "points")
    if not len(keys):
        return certain(np.empty(0, dtype=np.intp))
    canonical = np.argsort(keys, kind="stable")
    groups = min(len(labelled) + batch, MOST_CLUSTERS, len(keys))
    ranged = points[canonical].astype(np.float32, copy=False)
    members = grouped(ranged, groups=groups, seed=seed)
    known = np.isin(canonical, labelled)
    chosen = _rounds(ranged, members, known)[:size]
    return certain(canonical[chosen])


def _rounds(points: Floats, members: Indices, known: np.ndarray) -> Indices:
    """Every unlabelled case: round by round through the clusters, the most typical ones first."""
    spread = typicality(points, members)
    sizes = np.bincount(members)
    labels = np.bincount(members[known], minlength=len(sizes))
    free = np.flatnonzero(~known)
    by_cluster = free[np.lexsort((free, spread[free], members[free]))]
    starts = np.r_[0, np.cumsum(np.bincount(members[free], minlength=len(sizes)))[:-1]]
    turn = np.arange(len(by_cluster)) - starts[members[by_cluster]]
    cluster = members[by_cluster]
    small = sizes[cluster] <= min(SMALL_CLUSTER, int(sizes.max()) - 1)
    order = np.lexsort((by_cluster, -sizes[cluster], labels[cluster] + turn, small))
    return by_cluster[order]


def typicality(points: Floats, members: Indices) -> Floats:
    """Mean distance to the nearest neighbours in the same cluster: small is typical.

    points: (case, feature). members: (case,) cluster numbers. returns: (case,); 0 for a lone case.
    """
    spread = np.zeros(len(points))
    order = np.argsort(members, kind="stable")
    edges = np.flatnonzero(np.diff(members[order])) + 1
    for own in np.split(order, edges):
        spread[own] = _mean_distance(points[own])
    return spread


def _mean_distance(points: Floats) -> Floats:
    count = len(points)
    near = min(NEIGHBOURS, count // 2)
    if near == 0:
        return np.zeros(count)
    others = points[:: -(-count // COMPARED)]  # in a huge cluster, compare with a systematic sample
    near, lengths = min(near, len(others) - 1), (others**2).sum(axis=1)
    spread = np.empty(count)
    for rows in blocks(count):
        own = points[rows]
        squared = (own**2).sum(axis=1)[:, None] - 2.0 * own @ others.T + lengths
        closest = np.partition(np.maximum(squared, 0.0), near, axis=1)[:, : near + 1]
        spread[rows] = np.sqrt(closest).sum(axis=1) / max(near, 1)
    return spread
