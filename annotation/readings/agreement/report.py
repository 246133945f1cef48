"""What a project's page tells of its readers' agreement, question by question, as plain rows. Pure.

A statistic is a row of Measured; authors (readers, sources) go by id, and are named where the rows are shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotation.readings.agreement import boxes, surfaces
from annotation.readings.agreement.choices import MISSING, alpha, cohen, fleiss, share_agreeing
from annotation.readings.agreement.drawn import Labelled
from annotation.readings.agreement.measured import Floats, Integers, Measured, mean_of_cases
from annotation.readings.agreement.numbers import alpha_of_numbers, intraclass, limits_of_agreement

Row = dict[str, Any]
CASES_NAMED, CONFUSIONS, PLOTTED = 50, 20, 400
# Two readings make a pair; a part of fewer compared cases is not shown.
FEWEST_CASES = 2


@dataclass(frozen=True)
class Compared:
    """Cases and who read them: number, site and month of each case; authors by id."""

    numbers: Integers
    sites: Sequence[str]
    months: Sequence[str]
    authors: Sequence[str]


@dataclass(frozen=True)
class Choices:
    """Codes of what was chosen, (case, author); labels and members by code: its words, the choices in it.

    classes: words by choice. predicted: (case, author), what the model would have chosen, unseen.
    repeats: (repeat, 2) codes by author, of what one person read twice.
    """

    codes: Integers
    labels: Sequence[str]
    members: Sequence[frozenset[str]]
    classes: Mapping[str, str]
    is_ordered: bool
    predicted: Integers
    repeats: Mapping[str, Integers]


def columns(**names: str) -> list[list[str]]:
    """Name the columns of a table of statistics."""
    return [[key, words] for key, words in names.items()]


def of_choices(cases: Compared, given: Choices) -> Row:
    """Tell of one question with choices."""
    codes, level = given.codes, "ordinal" if given.is_ordered else "nominal"
    compared = (codes != MISSING).sum(axis=1) >= 2

    def overall(rows: Integers) -> Measured:
        return alpha(rows, level="ordinal" if given.is_ordered else "nominal")

    return {
        "measure": f"Krippendorff's α, {level}",
        "cases": int(compared.sum()),
        "overall": overall(codes).as_row(),
        "statistics": [["Fleiss' κ", fleiss(codes).as_row()]],
        "columns": columns(share="Same answer", kappa="Cohen's κ", **_weighted(given)),
        "pairs": pairs_of(cases, lambda i, j: choice_pair(codes[:, i], codes[:, j], given)),
        "model": own_rows(cases, lambda i: choice_pair(codes[:, i], given.predicted[:, i], given)),
        "repeats": [
            {"one": author} | choice_pair(found[:, 0], found[:, 1], given)
            for author, found in given.repeats.items()
        ],
        "classes": by_class(codes, given),
        "sites": by_part(cases.sites, codes, overall),
        "months": by_part(cases.months, codes, overall),
        "confusions": confusions(cases, given),
    }


def _weighted(given: Choices) -> dict[str, str]:
    return {"linear": "Linear κ", "quadratic": "Quadratic κ"} if given.is_ordered else {}


def choice_pair(one: Integers, other: Integers, given: Choices) -> Row:
    """Compare two columns of codes."""
    found = {"share": share_agreeing(one, other).as_row(), "kappa": cohen(one, other).as_row()}
    if given.is_ordered:
        found["linear"] = cohen(one, other, weights="linear").as_row()
        found["quadratic"] = cohen(one, other, weights="quadratic").as_row()
    return found


def pairs_of(cases: Compared, compare: Callable[[int, int], Row]) -> list[Row]:
    """Compare each two authors who have read something in common."""
    rows = [
        {"one": cases.authors[i], "other": cases.authors[j]} | compare(i, j)
        for i, j in combinations(range(len(cases.authors)), 2)
    ]
    return [row for row in rows if any(isinstance(one, dict) and one["cases"] for one in row.values())]


def own_rows(cases: Compared, compare: Callable[[int], Row]) -> list[Row]:
    """Compare each author with something else; who has nothing to compare is left out."""
    rows = [{"one": author} | compare(place) for place, author in enumerate(cases.authors)]
    return [row for row in rows if any(isinstance(one, dict) and one["cases"] for one in row.values())]


def by_class(codes: Integers, given: Choices) -> list[Row]:
    """Tell of each choice against all others, by Krippendorff's alpha."""
    rows = []
    for value, words in given.classes.items():
        has = np.array([value in members for members in given.members] or [False])
        made = np.where(codes == MISSING, MISSING, has[codes].astype(np.int64))
        chosen = int(((made == 1).any(axis=1) & ((made != MISSING).sum(axis=1) >= 2)).sum())
        rows.append({"name": words, "count": chosen, "value": alpha(made).as_row()})
    return rows


def by_part(names: Sequence[str], values: Any, measure: Callable[[Any], Measured]) -> list[Row]:  # noqa: ANN401  codes or numbers
    """Tell of each site or month on its own."""
    parts = np.array(names)
    rows: list[Row] = [
        {"name": str(name), "value": measure(values[parts == name]).as_row()} for name in np.unique(parts)
    ]
    return [row for row in rows if row["value"]["cases"] >= FEWEST_CASES]


def confusions(cases: Compared, given: Choices) -> list[Row]:
    """List which answers are given beside which, the most frequent first, with the cases."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, row in zip(cases.numbers.tolist(), given.codes, strict=True):
        known = np.unique(row[row != MISSING]).tolist()
        for pair in combinations(known, 2):
            found.setdefault(pair, []).append(number)
    rows = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))[:CONFUSIONS]
    return [
        {
            "one": given.labels[i],
            "other": given.labels[j],
            "count": len(numbers),
            "cases": numbers[:CASES_NAMED],
        }
        for (i, j), numbers in rows
    ]


def of_numbers(cases: Compared, values: Floats, *, unit: str) -> Row:
    """Tell of one question with a number; values: (case, author), NaN where there is none."""
    given = np.isfinite(values)
    together = given.sum(axis=1) >= 2
    apart = np.where(given, values, np.nan)[together]
    spreads = np.nanmax(apart, axis=1) - np.nanmin(apart, axis=1) if len(apart) else np.zeros(0)
    return {
        "measure": "Krippendorff's α, interval",
        "unit": unit,
        "cases": int(together.sum()),
        "overall": alpha_of_numbers(values).as_row(),
        "statistics": [
            [f"Intraclass correlation ({form})", intraclass(values, form).as_row()] for form in ("2,1", "2,k")
        ],
        "columns": columns(bias="Mean difference", lower="Lower limit", upper="Upper limit", icc="ICC (2,1)"),
        "pairs": pairs_of(cases, lambda i, j: number_pair(values[:, [i, j]])),
        "sites": by_part(cases.sites, values, alpha_of_numbers),
        "months": by_part(cases.months, values, alpha_of_numbers),
        "worst": worst(cases.numbers[together], -spreads),
    }


def number_pair(values: Floats) -> Row:
    """Compare two columns of numbers; plotted: mean and difference of each case."""
    limits = limits_of_agreement(values[:, 0], values[:, 1])
    both = values[np.isfinite(values).all(axis=1)][:PLOTTED]
    return {
        "bias": limits.bias.as_row(),
        "lower": limits.lower.as_row(),
        "upper": limits.upper.as_row(),
        "icc": intraclass(values).as_row(),
        "plotted": np.column_stack([both.mean(axis=1), both[:, 0] - both[:, 1]]).round(6).tolist(),
    }


def worst(numbers: Integers, values: Floats) -> list[list[float]]:
    """List the cases on which readers agree least, by a value that is low there."""
    order = np.argsort(values, kind="stable")[:CASES_NAMED]
    return [[int(numbers[at]), round(float(abs(values[at])), 3)] for at in order]


@dataclass(frozen=True)
class MaskPair:
    """Two authors' masks of one class in one case, compared."""

    case: int
    one: str
    other: str
    label: str
    apart: surfaces.Apart


def of_masks(cases: Compared, pairs: Sequence[MaskPair], *, labels: Sequence[str], unit: str) -> Row:
    """Tell of one question with masks; unit: of the distances."""
    place = {int(number): at for at, number in enumerate(cases.numbers)}
    dices: dict[int, list[float]] = {}
    for one in pairs:
        if one.apart.dice is not None:
            dices.setdefault(one.case, []).append(one.apart.dice)
    numbers = np.array(sorted(dices), dtype=np.int64)
    means = np.array([float(np.mean(dices[number])) for number in numbers.tolist()])
    sites = [cases.sites[place[number]] for number in numbers.tolist()]
    months = [cases.months[place[number]] for number in numbers.tolist()]
    return {
        "measure": "Mean Dice",
        "unit": unit,
        "cases": len(numbers),
        "overall": mean_of_cases(means).as_row(),
        "statistics": [
            [f"Mean surface distance, {unit}", _mean(pairs, "mean_mm").as_row()],
            [f"95 % Hausdorff distance, {unit}", _mean(pairs, "hausdorff_mm").as_row()],
        ],
        "columns": columns(
            dice="Dice", mean_mm=f"Surface distance, {unit}", hausdorff_mm=f"95 % Hausdorff, {unit}"
        ),
        "pairs": grouped(pairs),
        "classes": [
            {"name": label, "count": len(mine), "value": _mean(mine, "dice").as_row()}
            for label in labels
            if (mine := [one for one in pairs if one.label == label and one.apart.dice is not None])
        ],
        "sites": by_part(sites, means, mean_of_cases) if sites else [],
        "months": by_part(months, means, mean_of_cases) if months else [],
        "worst": worst(numbers, means),
    }


def _mean(pairs: Sequence[MaskPair], name: str) -> Measured:
    values = [getattr(one.apart, name) for one in pairs]
    return mean_of_cases(np.array([value for value in values if value is not None], dtype=np.float64))


def grouped(pairs: Sequence[MaskPair]) -> list[Row]:
    """Tell of each two authors."""
    found: dict[tuple[str, str], list[MaskPair]] = {}
    for one in pairs:
        found.setdefault((one.one, one.other), []).append(one)
    return [
        {"one": one, "other": other}
        | {name: _mean(mine, name).as_row() for name in ("dice", "mean_mm", "hausdorff_mm")}
        for (one, other), mine in found.items()
    ]


@dataclass(frozen=True)
class BoxPair:
    """Two authors' regions of one image, by the boxes around them."""

    case: int
    one: str
    other: str
    drawn: tuple[Sequence[Labelled], Sequence[Labelled]]


def of_boxes(pairs: Sequence[BoxPair]) -> Row:
    """Tell of one question with regions: free-response, matched at an overlap of a half."""
    found: dict[tuple[str, str], list[BoxPair]] = {}
    for one in pairs:
        found.setdefault((one.one, one.other), []).append(one)
    overall = boxes.compared([one.drawn for one in pairs])
    misses = [(one.case, sum(map(len, one.drawn)) - 2 * len(boxes.matches(*one.drawn))) for one in pairs]
    missed = [(case, count) for case, count in misses if count]
    return {
        "measure": "F1 of regions at half overlap",
        "cases": len({one.case for one in pairs}),
        "overall": overall.f1.as_row(),
        "statistics": [["Overlap of regions that match", overall.overlap.as_row()]],
        "columns": columns(
            f1="F1",
            overlap="Overlap",
            only_one="Only the first, a case",
            only_other="Only the second, a case",
        ),
        "pairs": [
            {"one": one, "other": other}
            | {name: value.as_row() for name, value in vars(boxes.compared([a.drawn for a in mine])).items()}
            for (one, other), mine in found.items()
        ],
        "worst": worst(
            np.array([case for case, _ in missed], dtype=np.int64),
            np.array([-float(count) for _, count in missed]),
        ),
    }
