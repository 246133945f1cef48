"""What a project's page tells of masks and regions that several readers drew, as plain rows. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from annotation.readings.agreement import boxes, surfaces
from annotation.readings.agreement.drawn import Labelled
from annotation.readings.agreement.measured import Floats, Integers, Measured, mean_of_cases, means_by_case
from annotation.readings.agreement.report import Compared, Row, by_part, columns, worst

# Overlaps from which two regions are taken for the same, from hardly touching to hardly apart.
OVERLAPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


Pair = TypeVar("Pair")


@dataclass(frozen=True)
class Others(Generic[Pair]):
    """What each person drew twice, and what a model proposed unseen beside what they drew: by that person."""

    repeats: Sequence[Pair] = ()
    model: Sequence[Pair] = ()


@dataclass(frozen=True)
class MaskPair:
    """Two authors' masks of one class in one case, compared."""

    case: int
    one: str
    other: str
    label: str
    apart: surfaces.Apart


def of_masks(
    cases: Compared,
    pairs: Sequence[MaskPair],
    *,
    labels: Sequence[str],
    unit: str,
    others: Others[MaskPair] = Others(),
) -> Row:
    """Tell of one question with masks; unit: of the distances.

    others: told beside; the figures of several readers rest on none of it.
    """
    place = {int(number): at for at, number in enumerate(cases.numbers)}
    numbers, means = _by_case(pairs, "dice")
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
        "repeats": [alone(row) for row in grouped(others.repeats)],
        "model": [alone(row) for row in grouped(others.model)],
        "classes": [
            {"name": label, "count": value.cases, "value": value.as_row()}
            for label in labels
            if (value := _mean([one for one in pairs if one.label == label], "dice")).cases
        ],
        "sites": by_part(sites, means, mean_of_cases) if sites else [],
        "months": by_part(months, means, mean_of_cases) if months else [],
        "worst": worst(numbers, means),
    }


def _by_case(pairs: Sequence[MaskPair], name: str) -> tuple[Integers, Floats]:
    """Give the numbers of the cases where something is defined, and its mean in each."""
    known = [(one.case, value) for one in pairs if (value := getattr(one.apart, name)) is not None]
    cases = np.array([case for case, _ in known], dtype=np.int64)
    values = np.array([value for _, value in known], dtype=np.float64)
    return np.unique(cases), means_by_case(cases, values)


def _mean(pairs: Sequence[MaskPair], name: str) -> Measured:
    return mean_of_cases(_by_case(pairs, name)[1])


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


def alone(row: Row) -> Row:
    """Leave one name of a person compared with themselves."""
    return {key: value for key, value in row.items() if key != "other"}


@dataclass(frozen=True)
class BoxPair:
    """Two authors' regions of one image, by the boxes around them."""

    case: int
    one: str
    other: str
    drawn: tuple[Sequence[Labelled], Sequence[Labelled]]


# One case's boxes that a model proposed, with their scores, and those of a reader who saw none of them.
Proposed = tuple[Sequence[tuple[float, Labelled]], Sequence[Labelled]]


def of_boxes(
    pairs: Sequence[BoxPair], proposed: Sequence[Proposed] = (), others: Others[BoxPair] = Others()
) -> Row:
    """Tell of one question with regions: free-response, matched at an overlap of a half.

    proposed: what a model drew beside what a reader drew, case by case.
    others:   told beside; "first" is then the first time, or the reader.
    """
    overall = _compared(pairs)
    missed: Counter[int] = Counter()
    for pair in pairs:
        missed[pair.case] += sum(map(len, pair.drawn)) - 2 * len(boxes.matches(*pair.drawn))
    worse = sorted(case for case, count in missed.items() if count)
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
        "pairs": grouped_boxes(pairs),
        "repeats": [alone(row) for row in grouped_boxes(others.repeats)],
        "model": [alone(row) for row in grouped_boxes(others.model)],
        "worst": worst(
            np.array(worse, dtype=np.int64),
            np.array([-float(missed[case]) for case in worse]),
        ),
        "matching": matching(pairs),
        "froc": froc(proposed),
    }


def grouped_boxes(pairs: Sequence[BoxPair]) -> list[Row]:
    """Tell of each two authors."""
    found: dict[tuple[str, str], list[BoxPair]] = {}
    for one in pairs:
        found.setdefault((one.one, one.other), []).append(one)
    return [
        {"one": one, "other": other} | {name: value.as_row() for name, value in vars(_compared(mine)).items()}
        for (one, other), mine in found.items()
    ]


def matching(pairs: Sequence[BoxPair]) -> list[Row]:
    """Tell how agreement falls as regions must overlap more: F1 by overlap."""
    if not any(any(pair.drawn) for pair in pairs):
        return []
    drawn, cases = [one.drawn for one in pairs], [one.case for one in pairs]
    found = [(at, boxes.compared(drawn, cases=cases, threshold=at)) for at in OVERLAPS]
    return [{"at": at, "f1": one.f1.as_row(), "overlap": one.overlap.as_row()} for at, one in found]


def froc(proposed: Sequence[Proposed]) -> list[Row]:
    """Tell which share of a reader's boxes a model found, at so many false ones a case (LUNA16's rates)."""
    if not any(truth for _, truth in proposed):
        return []
    found = zip(boxes.RATES, boxes.froc(proposed), strict=True)
    return [{"at": rate, "sensitivity": one.as_row()} for rate, one in found]


def _compared(pairs: Sequence[BoxPair]) -> boxes.Boxes:
    return boxes.compared([one.drawn for one in pairs], cases=[one.case for one in pairs])
