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
    parts: dict[int, Edges] = field(default_factory=dict)
    weights: dict[int, float] = field(default_factory=dict)

    def add(self, reader: int, edges: Edges, weight: float) -> None:
        """Take a box in; the cluster's edges are the weighted mean of all."""
        self.parts[reader], self.weights[reader] = edges, weight
        rows, weights = np.array(list(self.parts.values())), np.array(list(self.weights.values()))
        left, top, right, bottom = (weights @ rows / weights.sum()).tolist()
        self.edges = (left, top, right, bottom)


@dataclass(frozen=True)
class FusedBox:
    """A box; share: of the readers, by their weight, 0 – 1; spread: pixels that an edge varies."""

    label: object
    edges: Edges
    share: float
    spread: float


def fuse_boxes(
    readers: Sequence[Sequence[Labelled]], *, weights: Sequence[float] | None = None, threshold: float = ALIKE
) -> list[FusedBox]:
    """Fuse readers' boxes of one image, those that most drew first.

    weights: of the readers, by how far they are trusted; all alike where none are given.
    """
    trusted = list(weights) if weights is not None else [1.0] * len(readers)
    clusters: list[_Cluster] = []
    for reader in sorted(range(len(readers)), key=lambda one: -trusted[one]):
        for label, edges in readers[reader]:
            _place(clusters, reader, (label, edges), trusted[reader], threshold)
    found = [_fused(one, sum(trusted)) for one in clusters]
    return sorted(found, key=lambda one: -one.share)


def _place(clusters: list[_Cluster], reader: int, box: Labelled, weight: float, threshold: float) -> None:
    label, edges = box
    free = [one for one in clusters if one.label == label and reader not in one.parts]
    best = max(free, key=lambda one: overlap(one.edges, edges), default=None)
    if best is None or overlap(best.edges, edges) <= threshold:
        best = _Cluster(label, edges)
        clusters.append(best)
    best.add(reader, edges, weight)


def _fused(cluster: _Cluster, total: float) -> FusedBox:
    spread = float(np.array(list(cluster.parts.values())).std(axis=0).max())
    return FusedBox(cluster.label, cluster.edges, sum(cluster.weights.values()) / total, spread)
