"""What is told of drawings: intervals rest on cases, however many pairs and classes a case has."""

import numpy as np
import pytest

from annotation.readings.agreement.drawn import Labelled
from annotation.readings.agreement.measured import means_by_case, summed_by_case
from annotation.readings.agreement.report import Compared, Row
from annotation.readings.agreement.report_drawn import BoxPair, MaskPair, of_boxes, of_masks
from annotation.readings.agreement.surfaces import Apart

DICES = {1: 0.9, 2: 0.5, 3: 0.8, 4: 0.1}
READERS = ["r", "s", "t"]
PAIRS = [("r", "s"), ("r", "t"), ("s", "t")]


def masks(labels: list[str], pairs: list[tuple[str, str]]) -> Row:
    """Four cases in which every pair agrees as far on every class."""
    drawn = [
        MaskPair(case, *who, label, Apart(dice, 1 - dice, 2 - dice))
        for case, dice in DICES.items()
        for who in pairs
        for label in labels
    ]
    cases = Compared(np.array([*DICES]), [""] * 4, ["2026-01"] * 4, READERS)
    return of_masks(cases, drawn, labels=labels, unit="mm")


def box(left: float) -> Labelled:
    return "n", (left, 0.0, left + 4.0, 4.0)


def regions(pairs: list[tuple[str, str]]) -> Row:
    """Four cases with as many boxes that match as their number, and from the third on one that does not."""
    shared = {case: [box(10.0 * at) for at in range(case)] for case in DICES}
    return of_boxes(
        [
            BoxPair(case, *who, (found, [*found, box(90.0)] if case > 2 else found))
            for who in pairs
            for case, found in shared.items()
        ]
    )


def test_what_belongs_to_a_case_is_summed_and_averaged() -> None:
    cases, values = np.array([7, 3, 7]), np.array([1.0, 5.0, 4.0])
    assert summed_by_case(cases, values[:, None]).tolist() == [[5.0], [5.0]]
    assert means_by_case(cases, values).tolist() == [5.0, 2.5]
    assert means_by_case(cases[:0], values[:0]).tolist() == []


def test_more_classes_and_pairs_of_masks_make_no_interval_narrower() -> None:
    few, many = masks(["a"], PAIRS[:1]), masks(["a", "b"], PAIRS)
    assert many["statistics"] == [[name, pytest.approx(value)] for name, value in few["statistics"]]
    assert many["overall"] == pytest.approx(few["overall"])
    assert many["overall"]["cases"] == 4
    for one in many["pairs"]:
        assert one["dice"] == pytest.approx(few["pairs"][0]["dice"])
    for one in many["classes"]:
        assert (one["count"], one["value"]) == (4, pytest.approx(few["classes"][0]["value"]))


def test_a_case_weighs_the_same_however_many_classes_were_drawn_on_it() -> None:
    drawn = [MaskPair(1, "r", "s", label, Apart(0.2, 1.0, 1.0)) for label in "ab"]
    drawn += [
        MaskPair(2, "r", "s", "a", Apart(0.8, 4.0, 4.0)),
        MaskPair(2, "r", "s", "b", Apart(None, None, None)),
    ]
    cases = Compared(np.array([1, 2]), [""] * 2, ["2026-01"] * 2, READERS)
    told = of_masks(cases, drawn, labels=["a", "b"], unit="mm")
    assert told["pairs"][0]["dice"]["value"] == pytest.approx(0.5)
    assert told["statistics"][0][1]["value"] == pytest.approx(2.5)
    assert [(one["name"], one["count"]) for one in told["classes"]] == [("a", 2), ("b", 1)]


def test_more_pairs_of_readers_make_no_interval_of_boxes_narrower() -> None:
    few, many = regions(PAIRS[:1]), regions(PAIRS)
    assert many["overall"] == pytest.approx(few["overall"])
    assert many["statistics"][0][1] == pytest.approx(few["statistics"][0][1])
    assert (many["cases"], many["overall"]["cases"]) == (4, 4)


def test_a_case_is_named_once_among_the_worst_with_all_that_was_missed() -> None:
    assert regions(PAIRS)["worst"] == [[3, 3.0], [4, 3.0]]
    numbers = [number for number, _ in masks(["a", "b"], PAIRS)["worst"]]
    assert numbers == [4, 2, 3, 1]
