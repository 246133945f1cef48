"""Near-duplicates among vectors: whoever is like one of a group belongs to it. Block by block, no torch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mlworker.similarity import Floats, Space

Numbers = NDArray[np.intp]
Progress = Callable[[float], None]
BLOCK = 2_048
FEWEST = 2


@dataclass(frozen=True)
class Groups:
    """of: (case,) number of its group, from 1 and the most alike first; 0 where nothing is like it.

    likeness: (case,) cosine with the case most like it, -1 – 1.
    """

    of: Numbers
    likeness: NDArray[np.float32]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.of.max(initial=0))


def near_duplicates(vectors: Floats, threshold: float, progress: Progress = lambda _: None) -> Groups:
    """Group vectors whose cosine in the whitened space reaches the threshold: (case, feature).

    In that space what all images share is taken out, so that two slices of one organ are not the same image.
    """
    count = len(vectors)
    if count < FEWEST:
        return Groups(np.zeros(count, dtype=np.intp), np.full(count, -1.0, dtype=np.float32))
    directions = Space.of(vectors).directions(vectors)
    best = np.full(count, -1.0, dtype=np.float32)
    labels = np.arange(count)
    starts = range(0, count, BLOCK)
    for start in starts:
        progress(start / count)
        for other in range(start, count, BLOCK):
            labels = joined(labels, alike(directions, best, start, other, threshold))
    return Groups(numbered(labels, best), best)


def alike(
    directions: NDArray[np.float32], best: NDArray[np.float32], start: int, other: int, threshold: float
) -> tuple[Numbers, Numbers]:
    """Find the pairs of two blocks that reach the threshold, and raise each case's best."""
    ours, theirs = directions[start : start + BLOCK], directions[other : other + BLOCK]
    cosines = ours @ theirs.T
    if start == other:
        np.fill_diagonal(cosines, -1.0)
    np.maximum(best[start : start + BLOCK], cosines.max(axis=1), out=best[start : start + BLOCK])
    np.maximum(best[other : other + BLOCK], cosines.max(axis=0), out=best[other : other + BLOCK])
    first, second = np.nonzero(cosines >= threshold)
    return first + start, second + other


def joined(labels: Numbers, pairs: tuple[Numbers, Numbers]) -> Numbers:
    """Give what a pair joins one label."""
    if not len(pairs[0]):
        return labels
    count = len(labels)
    first = np.concatenate([pairs[0], np.arange(count)])
    second = np.concatenate([pairs[1], labels])
    graph = coo_array((np.ones(len(first), dtype=np.bool_), (first, second)), shape=(count, count))
    found = connected_components(graph, directed=False)[1]
    # A label is the place of one of its cases, so that labels can stand in a graph of cases.
    return np.asarray(np.unique(found, return_index=True)[1][found], dtype=np.intp)


def numbered(labels: Numbers, best: NDArray[np.float32]) -> Numbers:
    """Give groups of two at least a number by how alike their most alike cases are; equals by place."""
    sizes = np.bincount(labels, minlength=len(labels))
    most = np.full(len(labels), -1.0, dtype=np.float32)
    np.maximum.at(most, labels, best)
    groups = np.flatnonzero(sizes >= FEWEST)
    order = groups[np.argsort(-most[groups], kind="stable")]
    numbers = np.zeros(len(labels), dtype=np.intp)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[labels]


def groups_of_patients(groups: Numbers, patients: Numbers) -> Numbers:
    """Find patients who go together: who has images in two groups joins them.

    groups: (case,), 0 for none. patients: (case,) numbers 0…patients-1. returns: (patient,), 0 for none.
    """
    people = int(patients.max(initial=-1)) + 1
    inside = groups > 0
    first, second = patients[inside], people + groups[inside] - 1
    size = people + int(groups.max(initial=0))
    graph = coo_array((np.ones(len(first), dtype=np.bool_), (first, second)), shape=(size, size))
    found = connected_components(graph, directed=False)[1][:people] if size else np.empty(0, dtype=np.intp)
    return np.where(np.isin(np.arange(people), first), found + 1, 0)
