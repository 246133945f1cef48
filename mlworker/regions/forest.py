"""Extremely randomised trees (Geurts 2006) as arrays: grown level by level, kept without code. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
TREES, DEEPEST, SMALLEST_LEAF = 24, 14, 5
AT_A_TIME = 16_384


@dataclass(frozen=True)
class Forest:
    """All trees' nodes in one row of arrays.

    roots: (tree,). feature, threshold, child: (node,); a value above the threshold goes to child + 1, any
    other to child; a leaf is its own child and its threshold infinite. shares: (node, class), rows sum to 1.
    """

    roots: Integers
    feature: Integers
    threshold: Floats
    child: Integers
    shares: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Mean over the trees: (pixel, feature) → (pixel, class)."""
        parts = [
            self._of(np.ascontiguousarray(features[start : start + AT_A_TIME], dtype=np.float32))
            for start in range(0, len(features), AT_A_TIME)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.shares.shape[1]), dtype=np.float32)

    def _of(self, features: Floats) -> Floats:
        flat = features.ravel()
        starts = np.arange(len(features), dtype=np.int64) * features.shape[1]
        total = np.zeros((len(features), self.shares.shape[1]), dtype=np.float32)
        for root in self.roots.tolist():
            node = np.full(len(features), root, dtype=np.int32)
            for _ in range(DEEPEST):
                above = flat.take(starts + self.feature.take(node)) > self.threshold.take(node)
                node = self.child.take(node) + above
            total += self.shares[node]
        return total / np.float32(len(self.roots))


def grown(
    features: Floats, labels: NDArray[np.intp], *, classes: int, seed: int, trees: int = TREES
) -> Forest:
    """Fit trees on pixels: (pixel, feature) and (pixel,) class numbers.

    raises: ValueError where there is no pixel.
    """
    if not len(features):
        raise ValueError("no pixel is labelled")
    random = np.random.default_rng(seed)
    found = [_tree(features, labels, classes, random) for _ in range(trees)]
    sizes = np.cumsum([0, *(len(one.feature) for one in found)])
    return Forest(
        roots=sizes[:-1].astype(np.int32),
        feature=np.concatenate([one.feature for one in found]),
        threshold=np.concatenate([one.threshold for one in found]),
        child=np.concatenate([one.child + np.int32(at) for one, at in zip(found, sizes, strict=False)]),
        shares=np.concatenate([one.shares for one in found]),
    )


@dataclass(frozen=True)
class _Split:
    """The best of some random cuts for each node of a level. is_good: (node,), above: (pixel,)."""

    feature: Integers
    threshold: Floats
    is_good: NDArray[np.bool_]
    above: NDArray[np.bool_]


def _tree(features: Floats, labels: NDArray[np.intp], classes: int, random: np.random.Generator) -> Forest:
    """Grow one tree on all pixels, a level at a time."""
    truth = np.eye(classes, dtype=np.float32)[labels]
    rows, place = np.arange(len(labels)), np.zeros(len(labels), dtype=np.intp)
    feature, threshold, child, shares = ([] for _ in range(4))
    level, made = 1, 1
    for depth in range(DEEPEST + 1):
        order = np.argsort(place, kind="stable")
        rows, place = rows[order], place[order]
        starts = np.searchsorted(place, np.arange(level))
        counts = np.add.reduceat(truth[rows], starts, axis=0)
        split = _cut(features[rows], truth[rows], place, starts, random)
        good = split.is_good & (depth < DEEPEST)
        first = made - level
        child.append(np.where(good, made + 2 * (np.cumsum(good) - 1), first + np.arange(level)))
        feature.append(np.where(good, split.feature, 0))
        threshold.append(np.where(good, split.threshold, np.inf))
        shares.append(counts / counts.sum(axis=1, keepdims=True))
        goes = good[place]
        number = 2 * (np.cumsum(good) - 1)
        rows, place = rows[goes], (number[place] + split.above)[goes]
        level = 2 * int(good.sum())
        made += level
        if level == 0:
            break
    return Forest(
        roots=np.zeros(1, dtype=np.int32),
        feature=np.concatenate(feature).astype(np.int32),
        threshold=np.concatenate(threshold).astype(np.float32),
        child=np.concatenate(child).astype(np.int32),
        shares=np.concatenate(shares).astype(np.float32),
    )


def _cut(
    features: Floats,
    truth: Floats,
    place: NDArray[np.intp],
    starts: NDArray[np.intp],
    random: np.random.Generator,
) -> _Split:
    """Try √features random cuts in each node, and take the one with the least Gini impurity.

    features, truth, place: of the level's pixels, sorted by node; starts: each node's first pixel.
    """
    tries = max(1, round(features.shape[1] ** 0.5))
    tried = random.integers(features.shape[1], size=(len(starts), tries))
    values = np.take_along_axis(features, tried[place], axis=1)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    cuts = (low + random.random(low.shape, dtype=np.float32) * (high - low)).astype(np.float32)
    above = values > cuts[place]
    right = np.add.reduceat(above[:, :, None] * truth[:, None, :], starts, axis=0)
    left = np.add.reduceat(truth, starts, axis=0)[:, None, :] - right
    sides = np.stack([left, right])
    sizes = sides.sum(axis=3)
    purity = ((sides**2).sum(axis=3) / np.maximum(sizes, 1)).sum(axis=0)
    purity[sizes.min(axis=0) < SMALLEST_LEAF] = -1.0
    best = purity.argmax(axis=1)
    nodes = np.arange(len(starts))
    is_mixed = (np.add.reduceat(truth, starts, axis=0) > 0).sum(axis=1) > 1
    return _Split(
        feature=tried[nodes, best].astype(np.int32),
        threshold=cuts[nodes, best],
        is_good=is_mixed & (purity[nodes, best] >= 0),
        above=above[np.arange(len(place)), best[place]],
    )
