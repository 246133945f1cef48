"""Agreement of choices, one a reader and case: Cohen's and Fleiss' kappa, Krippendorff's alpha. Pure.

Choices come as codes, the protocol's order of them; -1: no reading.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from annotation.readings.agreement.measured import (
    NOBODY,
    Floats,
    Integers,
    Measured,
    Statistic,
    all_measured,
    measured,
    undefined,
)

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]

ONE_CHOICE = "all readings make the same choice: chance alone would agree as well"
UNEVEN = "cases were read by different numbers of readers: Krippendorff's alpha allows that"
MISSING = -1


def share_agreeing(one: Integers, other: Integers) -> Measured:
    """Share of the cases that both read on which both chose the same."""
    both = (one != MISSING) & (other != MISSING)
    same = (one[both] == other[both]).astype(np.float64)
    found = np.stack([same, np.ones(len(same))], axis=1)
    return measured(found, lambda sums: sums[..., 0] / sums[..., 1], why=NOBODY)


def cohen(one: Integers, other: Integers, *, weights: Weights = "none") -> Measured:
    """Cohen's kappa of two readers (Cohen 1960, weighted 1968); -1 – 1.

    one, other: (case,) codes. Not defined where both make one and the same choice throughout.
    """
    (found,) = all_cohen(one, other, weights=[weights])
    return found


def all_cohen(one: Integers, other: Integers, *, weights: Sequence[Weights]) -> list[Measured]:
    """Cohen's kappa of two readers by each of some weights, on the same bootstrap samples."""
    cells, codes = _cells(one, other)
    return all_measured(cells, [_cohen(distances(codes, kind)) for kind in weights], why=ONE_CHOICE)


def _cells(one: Integers, other: Integers) -> tuple[Floats, Integers]:
    """Mark what both readers said of each case, (case, choice · choice); and the codes that occur."""
    both = (one != MISSING) & (other != MISSING)
    codes, places = np.unique(np.stack([one[both], other[both]]), return_inverse=True)
    rows, columns = places.reshape(2, -1)
    size = len(codes)
    cells = np.zeros((len(rows), size * size))
    cells[np.arange(len(rows)), rows * size + columns] = 1.0
    return cells, codes


def distances(codes: Integers, weights: Weights) -> Floats:
    """How far choices lie apart, (choice, choice)."""
    apart = np.abs(codes[:, None] - codes[None, :]).astype(np.float64)
    if weights == "none":
        return np.asarray(apart > 0, dtype=np.float64)
    return np.asarray(apart if weights == "linear" else apart**2, dtype=np.float64)


def _cohen(apart: Floats) -> Statistic:
    size = len(apart)

    def statistic(sums: Floats) -> Floats:
        table = sums.reshape(*sums.shape[:-1], size, size)
        rows, columns = table.sum(axis=-1), table.sum(axis=-2)
        expected = np.einsum("...i,...j,ij->...", rows, columns, apart) / sums.sum(axis=-1)
        return np.asarray(1.0 - (table * apart).sum(axis=(-2, -1)) / expected)

    return statistic


def counts_of(codes: Integers) -> tuple[Floats, Integers]:
    """Count choices by case.

    codes:   (case, reader).
    returns: (case, choice) of the choices that occur, and their codes.
    """
    known = np.unique(codes[codes != MISSING])
    return (codes[:, :, None] == known).sum(axis=1).astype(np.float64), known


def fleiss(codes: Integers) -> Measured:
    """Fleiss' kappa of readers who may be others in each case (Fleiss 1971); at most 1.

    codes: (case, reader); each case with two readings or more, and all with as many.
    """
    counts, _ = counts_of(codes)
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return undefined(NOBODY)
    readings = counts.sum(axis=1)
    if (readings != readings[0]).any():
        return undefined(UNEVEN, len(counts))
    agreeing = (counts * (counts - 1)).sum(axis=1) / (readings * (readings - 1))
    cases = np.ones(len(counts))
    return measured(np.column_stack([counts, agreeing, cases]), _fleiss, why=ONE_CHOICE)


def _fleiss(sums: Floats) -> Floats:
    shares = sums[..., :-2] / sums[..., :-2].sum(axis=-1, keepdims=True)
    chance = (shares**2).sum(axis=-1)
    return np.asarray((sums[..., -2] / sums[..., -1] - chance) / _positive(1.0 - chance))


def _positive(values: Floats) -> Floats:
    """Leave out what is nothing but rounding."""
    return np.where(values > 1e-12, values, np.nan)


def alpha(codes: Integers, *, level: Level = "nominal") -> Measured:
    """Krippendorff's alpha of any number of readers, readings missing as they may; at most 1.

    codes:  (case, reader). Krippendorff, Content Analysis, 4th edition, chapter 12.
    """
    counts, known = counts_of(codes)
    counts = counts[counts.sum(axis=1) >= 2]
    size = counts.shape[1]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(size)
    pairs /= (counts.sum(axis=1) - 1)[:, None, None]
    return measured(pairs.reshape(len(pairs), size * size), _alpha(known, level), why=ONE_CHOICE)


def _alpha(known: Integers, level: Level) -> Statistic:
    size, apart_of = len(known), _apart(known, level)

    def statistic(sums: Floats) -> Floats:
        pairs = sums.reshape(*sums.shape[:-1], size, size)
        margins = pairs.sum(axis=-1)
        apart = apart_of(margins)
        chance = np.einsum("...i,...j,...ij->...", margins, margins, apart) / (margins.sum(axis=-1) - 1)
        return np.asarray(1.0 - (pairs * apart).sum(axis=(-2, -1)) / _positive(chance))

    return statistic


def _apart(known: Integers, level: Level) -> Callable[[Floats], Floats]:
    """Squared distances of choices, which for ordinal ones depend on how often each was made."""
    if level == "ordinal":
        return _ordinal
    fixed = distances(known, "none" if level == "nominal" else "quadratic")
    return lambda margins: np.broadcast_to(fixed, (*margins.shape[:-1], *fixed.shape))


def _ordinal(margins: Floats) -> Floats:
    middles = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((middles[..., :, None] - middles[..., None, :]) ** 2)
