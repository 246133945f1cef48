"""What a project's page tells of its readers' agreement, question by question, as plain rows. Pure.

A statistic is a row of Measured; authors (readers, sources) go by id, and are named where the rows are shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotation.readings.agreement.choices import MISSING, Weights, all_cohen, alpha, fleiss, share_agreeing
from annotation.readings.agreement.measured import Floats, Integers, Measured
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
    weights: list[Weights] = ["none", "linear", "quadratic"] if given.is_ordered else ["none"]
    kappas = all_cohen(one, other, weights=weights)
    names = ["kappa", "linear", "quadratic"][: len(kappas)]
    found = {name: kappa.as_row() for name, kappa in zip(names, kappas, strict=True)}
    return {"share": share_agreeing(one, other).as_row()} | found


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


def of_numbers(
    cases: Compared, values: Floats, *, unit: str, repeats: Mapping[str, Floats] | None = None
) -> Row:
    """Tell of one question with a number; values: (case, author), NaN where there is none.

    repeats: (repeat, 2) by author, of what one person read twice.
    """
    given = np.isfinite(values)
    together = given.sum(axis=1) >= 2
    apart = np.where(given, values, np.nan)[together]
    told = f", {unit}" if unit else ""
    spreads = np.nanmax(apart, axis=1) - np.nanmin(apart, axis=1) if len(apart) else np.zeros(0)
    return {
        "measure": "Krippendorff's α, interval",
        "unit": unit,
        "cases": int(together.sum()),
        "overall": alpha_of_numbers(values).as_row(),
        "statistics": [
            [f"Intraclass correlation ({form})", intraclass(values, form).as_row()] for form in ("2,1", "2,k")
        ],
        "columns": columns(
            bias=f"Mean difference{told}", lower="Lower limit", upper="Upper limit", icc="ICC (2,1)"
        ),
        "pairs": pairs_of(cases, lambda i, j: number_pair(values[:, [i, j]])),
        "repeats": [{"one": author} | number_pair(found) for author, found in (repeats or {}).items()],
        "differences": differences(cases, values),
        "sites": by_part(cases.sites, values, alpha_of_numbers),
        "months": by_part(cases.months, values, alpha_of_numbers),
        "worst": worst(cases.numbers[together], -spreads),
    }


def number_pair(values: Floats) -> Row:
    """Compare two columns of numbers."""
    limits = limits_of_agreement(values[:, 0], values[:, 1])
    return {
        "bias": limits.bias.as_row(),
        "lower": limits.lower.as_row(),
        "upper": limits.upper.as_row(),
        "icc": intraclass(values).as_row(),
    }


def differences(cases: Compared, values: Floats) -> Row | None:
    """Give mean and difference of each case, as Bland and Altman draw them, of the two who share the most."""
    given = np.isfinite(values).astype(np.int64)
    shared = np.triu(given.T @ given, k=1)
    if not shared.any():
        return None
    i, j = divmod(int(shared.argmax()), len(shared))
    both = values[:, [i, j]]
    both = both[np.isfinite(both).all(axis=1)][:PLOTTED]
    points = np.column_stack([both.mean(axis=1), both[:, 0] - both[:, 1]]).round(6).tolist()
    return {"one": cases.authors[i], "other": cases.authors[j], "points": points}


def worst(numbers: Integers, values: Floats) -> list[list[float]]:
    """List the cases on which readers agree least, by a value that is low there."""
    order = np.argsort(values, kind="stable")[:CASES_NAMED]
    return [[int(numbers[at]), round(float(abs(values[at])), 3)] for at in order]
