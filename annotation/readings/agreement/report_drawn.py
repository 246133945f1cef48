"""What a project's page tells of masks and regions that several readers drew, as plain rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.readings.agreement import boxes, surfaces
from annotation.readings.agreement.drawn import Labelled
from annotation.readings.agreement.measured import Measured, mean_of_cases
from annotation.readings.agreement.report import Compared, Row, by_part, columns, worst


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
