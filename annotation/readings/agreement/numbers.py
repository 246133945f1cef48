"""Agreement of numbers: intraclass correlation, Bland–Altman limits, alpha at interval level. Pure."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from annotation.readings.agreement.measured import (
    NOBODY,
    Floats,
    Measured,
    Statistic,
    all_measured,
    measured,
    undefined,
)

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
NORMAL = 1.959964  # 97.5 % point of the standard normal distribution
NO_SPREAD = "all readings give the same number: there is nothing to tell cases apart by"
TOO_FEW = "it needs two cases that all of two readers or more have measured"


@dataclass(frozen=True)
class Limits:
    """Bland–Altman: mean difference, and the limits that 95 % of the differences lie in (Lancet 1986)."""

    bias: Measured
    lower: Measured
    upper: Measured


def intraclass(values: Floats, form: Form = "2,1") -> Measured:
    """Intraclass correlation, named as by Shrout and Fleiss (1979): 2 is absolute agreement.

    values: (case, reader), NaN where there is no reading; cases that somebody has not measured are left out.
    """
    whole = values[np.isfinite(values).all(axis=1)]
    if len(whole) < 2 or values.shape[1] < 2:
        return undefined(TOO_FEW, len(whole))
    whole = whole - whole.mean()
    sums = np.column_stack([np.ones(len(whole)), whole, whole.sum(axis=1) ** 2, (whole**2).sum(axis=1)])
    return measured(sums, _intraclass(form, float((whole**2).sum())), why=NO_SPREAD)


def _intraclass(form: Form, scale: float) -> Statistic:
    def statistic(sums: Floats) -> Floats:
        cases, columns = sums[..., 0], sums[..., 1:-2]
        readers = columns.shape[-1]
        middle = columns.sum(axis=-1) ** 2 / (cases * readers)
        total = sums[..., -1] - middle
        between = sums[..., -2] / readers - middle
        of_readers = (columns**2).sum(axis=-1) / cases - middle
        rows = between / (cases - 1)
        within = (total - between) / (cases * (readers - 1))
        across = of_readers / (readers - 1)
        rest = (total - between - of_readers) / ((cases - 1) * (readers - 1))
        error = within if form[0] == "1" else rest
        shift = readers * (across - rest) / cases if form[0] == "2" else np.zeros_like(rest)
        below = rows + (readers - 1) * error + shift if form[2] == "1" else rows + shift / readers
        return np.asarray((rows - error) / np.where(np.abs(below) > 1e-12 * scale, below, np.nan))

    return statistic


def limits_of_agreement(one: Floats, other: Floats) -> Limits:
    """Bland–Altman limits of one reader's numbers less another's, in the numbers' unit.

    one, other: (case,), NaN where there is no reading.
    """
    both = np.isfinite(one) & np.isfinite(other)
    apart = one[both] - other[both]
    sums = np.column_stack([np.ones(len(apart)), apart, apart**2])

    places = [partial(_limit, place=place) for place in (0.0, -NORMAL, NORMAL)]
    return Limits(*all_measured(sums, places, why=TOO_FEW))


def _limit(sums: Floats, place: float) -> Floats:
    cases, middle = sums[..., 0], sums[..., 1] / sums[..., 0]
    if place == 0:
        return np.asarray(middle)
    spread = np.maximum(sums[..., 2] - cases * middle**2, 0.0) / (cases - 1)
    return np.asarray(middle + place * np.sqrt(spread))


def alpha_of_numbers(values: Floats) -> Measured:
    """Krippendorff's alpha at interval level, of any number of distinct values.

    values: (case, reader), NaN where there is no reading.
    """
    given = np.isfinite(values)
    compared = given.sum(axis=1) >= 2
    if not compared.any():
        return undefined(NOBODY)
    values, given = values[compared], given[compared]
    kept = np.where(given, values - values[given].mean(), 0.0)
    readings, total, squares = given.sum(axis=1), kept.sum(axis=1), (kept**2).sum(axis=1)
    apart = (readings * squares - total**2) / (readings - 1)
    scale = float(squares.sum())

    def statistic(sums: Floats) -> Floats:
        chance = (sums[..., 0] * sums[..., 2] - sums[..., 1] ** 2) / (sums[..., 0] - 1)
        return np.asarray(1.0 - sums[..., 3] / np.where(chance > 1e-12 * scale, chance, np.nan))

    return measured(np.column_stack([readings, total, squares, apart]), statistic, why=NO_SPREAD)
