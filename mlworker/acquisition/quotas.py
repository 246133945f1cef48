"""Draws that share their places out: among classes, among sites, between quick cases and informative ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlworker.acquisition.arrays import Floats, Indices, Keys
from mlworker.acquisition.batches import Draws, leading, left_over
from mlworker.acquisition.noise import gumbels

Members = NDArray[np.bool_]
ANOTHER_WAY = 7_368_787  # between the seeds of two ways to draw


@dataclass(frozen=True)
class Ways:
    """Ways to draw a case; a toss decides for each place which one is taken.

    log_weights: (way, case). chances: (way,), sum 1.
    """

    log_weights: Floats
    chances: Floats


@dataclass(frozen=True)
class Quota:
    """Groups of cases and the share of places that each is due.

    groups: (case,) numbers that mean the same in every ranking. shares: (group,), above 0.
    """

    groups: Indices
    shares: Floats

    def within(self, other: "Quota") -> "Quota":
        """Both quotas at once: a group for each pair of groups."""
        count = len(other.shares)
        shares = np.outer(self.shares, other.shares).ravel()
        return Quota(self.groups * count + other.groups, shares)


def no_quota(count: int) -> Quota:
    """One group of all cases."""
    return Quota(np.zeros(count, dtype=np.intp), np.ones(1))


def class_quota(predicted: Members, labelled: Members) -> Quota:
    """Rarely labelled choices come up more often: shares ∝ 1 / √(n + 1) (Nuggehalli 2023, DIRECT).

    predicted: (case, choice) true where it is predicted: one a case, or any number of findings; then the one
    with the fewest labels counts, and cases of none are a group of their own. labelled: (case, choice) of the
    cases labelled so far.
    """
    counts = labelled.sum(axis=0)
    rarest = np.where(predicted, counts, np.inf).argmin(axis=1)
    groups = np.where(predicted.any(axis=1), rarest, len(counts))
    nothing = np.count_nonzero(~labelled.any(axis=1))
    return Quota(groups, rarity_shares(np.append(counts, nothing)))


def rarity_shares(labelled: Indices) -> Floats:
    """Share of places that each class is due, not summing to 1. labelled: (class,) labels so far."""
    return np.asarray(1.0 / np.sqrt(labelled + 1.0))


def site_quota(sites: Indices) -> Quota:
    """Small sites come up more often than their size says: shares ∝ √n. sites: (case,) numbers."""
    counts = np.bincount(sites).astype(np.float64)
    return Quota(sites, np.sqrt(np.maximum(counts, 1.0)))


def shared_batch(
    ways: Ways, quota: Quota, keys: Keys, *, size: int, seed: int, greedy: bool = False
) -> Draws:
    """Toss for a group, then for a way, then draw in that group by that way; groups run empty in time.

    Every case that is left can come next, so the chances serve LURE. greedy: each way takes its best case
    instead of drawing, and no chance is given.
    """
    tosses = np.random.default_rng(seed).random((2, min(size, len(keys))))
    queues = _queues(ways, quota, keys, size=size, seed=seed, greedy=greedy)
    order, shares = _dealt(queues, quota, ways.chances, tosses)
    if greedy:
        return Draws(order, np.full(len(order), np.nan))
    return Draws(order, shares * _chances(ways, quota.groups, order))


def _queues(
    ways: Ways, quota: Quota, keys: Keys, *, size: int, seed: int, greedy: bool
) -> list[list[list[int]]]:
    """Cases of each way and group, the next one last: [way][group]."""
    queues = []
    for way, weights in enumerate(ways.log_weights):
        values = weights if greedy else weights + gumbels(keys, seed + ANOTHER_WAY * way)
        members = [np.flatnonzero(quota.groups == group) for group in range(len(quota.shares))]
        queues.append([own[leading(values[own], keys[own], size)][::-1].tolist() for own in members])
    return queues


def _dealt(
    queues: list[list[list[int]]], quota: Quota, chances: Floats, tosses: Floats
) -> tuple[Indices, Floats]:
    """Deal the places out: cases in order, and the chance of each toss for a group."""
    left = np.bincount(quota.groups, minlength=len(quota.shares))
    limits = np.cumsum(chances)[:-1]
    taken: set[int] = set()
    order, given = [], []
    for for_group, for_way in tosses.T:
        shares = np.where(left > 0, quota.shares, 0.0)
        shares /= shares.sum()
        group = int(np.searchsorted(np.cumsum(shares)[:-1], for_group, side="right"))
        group = group if left[group] else int(np.flatnonzero(left)[-1])
        queue = queues[int(np.searchsorted(limits, for_way, side="right"))][group]
        while queue[-1] in taken:
            queue.pop()
        order.append(queue.pop())
        taken.add(order[-1])
        given.append(shares[group])
        left[group] -= 1
    return np.array(order, dtype=np.intp), np.array(given, dtype=np.float64)


def _chances(ways: Ways, groups: Indices, order: Indices) -> Floats:
    """Chance of each draw within its group, over all ways: (draw,)."""
    found = np.zeros(len(order))
    for group in np.unique(groups[order]):
        members = np.flatnonzero(groups == group)
        turns = np.flatnonzero(groups[order] == group)
        place = np.searchsorted(members, order[turns])
        for chance, weights in zip(ways.chances, ways.log_weights, strict=True):
            own = weights[members]
            found[turns] += chance * np.exp(own[place] - left_over(own, place))
    return found
