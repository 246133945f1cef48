"""Boxes of several readers fused: weighted fusion (Solovyev 2021), one box a reader in each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotation.readings.agreement.drawn import Edges, Labelled, overlap

ALIKE = 0.5


@dataclass
class _Cluster:
    """Boxes of one finding by different readers."""

    label: object
    edges: Edges
    parts: dict[int, int] = field(default_factory=dict)
    rows: list[Edges] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, reader: int, number: int, edges: Edges, weight: float) -> None:
        """Take a box in; the cluster's edges are the weighted mean of all."""
        self.parts[reader] = number
        self.rows.append(edges)
        self.weights.append(weight)
        rows, weights = np.array(self.rows), np.array(self.weights)
        left, top, right, bottom = (weights @ rows / weights.sum()).tolist()
        self.edges = (left, top, right, bottom)


@dataclass(frozen=True)
class FusedBox:
    """A box; share: of the readers, by their weight, 0 – 1; spread: pixels that an edge varies.

    parts: which box of each reader it was made of.
    """

    label: object
    edges: Edges
    share: float
    spread: float
    parts: dict[int, int]


def fuse_boxes(
    readers: Sequence[Sequence[Labelled]], *, weights: Sequence[float] | None = None, threshold: float = ALIKE
) -> list[FusedBox]:
    """Fuse readers' boxes of one image, those that most drew first.

    weights: of the readers, by how far they are trusted; all alike where none are given.
    """
    trusted = list(weights) if weights is not None else [1.0] * len(readers)
    clusters: list[_Cluster] = []
    for reader in sorted(range(len(readers)), key=lambda one: -trusted[one]):
        for number, box in enumerate(readers[reader]):
            cluster = _cluster_of(clusters, reader, box, threshold)
            cluster.add(reader, number, box[1], trusted[reader])
    found = [_fused(one, sum(trusted)) for one in clusters]
    return sorted(found, key=lambda one: -one.share)


def _cluster_of(clusters: list[_Cluster], reader: int, box: Labelled, threshold: float) -> _Cluster:
    """Find the cluster that a box overlaps most and that the reader has no box in yet, or begin one."""
    label, edges = box
    free = [one for one in clusters if one.label == label and reader not in one.parts]
    best = max(free, key=lambda one: overlap(one.edges, edges), default=None)
    if best is None or overlap(best.edges, edges) <= threshold:
        best = _Cluster(label, edges)
        clusters.append(best)
    return best


def _fused(cluster: _Cluster, total: float) -> FusedBox:
    spread = float(np.array(cluster.rows).std(axis=0).max())
    return FusedBox(cluster.label, cluster.edges, sum(cluster.weights) / total, spread, cluster.parts)
