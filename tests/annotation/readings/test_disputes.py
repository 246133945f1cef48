"""When two readings of a case are too different: choices, numbers, masks, regions; free words never are."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from annotation.projects.masks import written
from annotation.projects.questions import Question, Regions, questions_of
from annotation.readings.disputes import Given, Limits, disputed, disputed_regions

LIMITS = Limits(number_tolerance=0.1, least_dice=0.7, least_overlap=0.5)
CHOICES = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
LABELS = [{"value": "nodule", "label": "Nodule"}, {"value": "scar", "label": "Scar"}]


def asking(kind: str, **more: Any) -> Question:
    [question] = questions_of([{"key": "q", "prompt": "?", "kind": kind, **more}])
    return question


def said(question: Question, answer: Any, measurements: dict[str, Any] | None = None) -> Given:
    answers = {} if answer is None else {"q": answer}
    return Given(answers, measurements or {}, {"q": question.kind})


def is_disputed(question: Question, *answers: Any) -> bool:
    return disputed([question], [said(question, one) for one in answers], LIMITS) == ["q"]


def region(points: list[list[float]], label: str = "nodule", **more: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "label": label, "image": "1.2", "points": points} | more


def mask(columns: int) -> dict[str, Any]:
    drawn = np.zeros((1, 2, 10), dtype=np.bool_)
    drawn[..., :columns] = True
    return written((1, 2, 10), ["1.2"], {"nodule": drawn})


@pytest.mark.parametrize(
    ("kind", "one", "other", "expected"),
    [
        ("single", "a", "a", False),
        ("single", "a", "b", True),
        ("ordinal", "a", "b", True),
        ("multi", ["a", "b"], ["b", "a"], False),
        ("multi", ["a"], [], True),
        ("single", "a", None, True),
    ],
)
def test_choices_dispute_where_they_are_not_the_same(kind: str, one: Any, other: Any, expected: bool) -> None:
    assert is_disputed(asking(kind, choices=CHOICES), one, other) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(10.0, 11.0, False), (10.0, 11.2, True), (0.0, 0.0, False), (-10.0, 10.0, True), (None, 3.0, True)],
)
def test_numbers_dispute_beyond_a_share_of_the_larger(one: Any, other: Any, expected: bool) -> None:
    assert is_disputed(asking("number", required=False), one, other) is expected


def test_one_of_three_readers_is_enough() -> None:
    question = asking("single", choices=CHOICES)
    assert is_disputed(question, "a", "a", "b")
    assert not is_disputed(question, "a", "a", "a")


def test_free_words_are_no_dispute() -> None:
    assert not is_disputed(asking("text"), "a shadow", "nothing")


def test_who_was_not_asked_disputes_nothing() -> None:
    question = asking("single", choices=CHOICES)
    unasked = Given({}, {}, {})
    in_another_form = Given({"q": ["b"]}, {}, {"q": "multi"})
    assert disputed([question], [said(question, "a"), unasked, in_another_form], LIMITS) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"), [(10, 6, False), (10, 5, True), (10, 0, True), (0, 0, False)]
)
def test_masks_dispute_below_a_dice(one: int, other: int, expected: bool) -> None:
    answers = [mask(columns) if columns else None for columns in (one, other)]
    assert is_disputed(asking("segmentation", classes=LABELS, required=False), *answers) is expected


def test_boxes_that_nobody_else_drew_are_disputed_and_no_others() -> None:
    question = asking("box", labels=LABELS)
    assert isinstance(question, Regions)
    shared, alike = region([[0, 0], [10, 10]]), region([[1, 0], [10, 10]])
    alone, renamed = region([[50, 50], [60, 60]]), region([[0, 0], [10, 10]], "scar")
    given = [said(question, [shared, alone]), said(question, [alike])]
    assert disputed_regions(question, given, LIMITS) == {alone["id"]}
    assert not is_disputed(question, [shared], [alike])
    assert is_disputed(question, [shared], [renamed])


def test_regions_that_are_described_otherwise_are_disputed() -> None:
    attribute = {"key": "rim", "prompt": "Rim?", "kind": "single", "choices": CHOICES}
    question = asking("box", labels=LABELS, attributes=[attribute])
    one, other = (region([[0, 0], [10, 10]], attributes={"rim": value}) for value in ("a", "b"))
    assert is_disputed(question, [one], [other])
    assert not is_disputed(question, [one], [one | {"id": str(uuid4())}])


def test_lines_dispute_by_where_they_are_and_how_long() -> None:
    question = asking("line", labels=LABELS)
    one, near = region([[0, 0], [100, 0]]), region([[0, 2], [101, 2]])
    lengths = [{one["id"]: {"length_mm": 10.0}}, {near["id"]: {"length_mm": 10.1}}]
    apart = [lengths[0], {near["id"]: {"length_mm": 13.0}}]
    for measured, expected in ((lengths, []), (apart, ["q"])):
        given = [said(question, [drawn], found) for drawn, found in zip((one, near), measured, strict=True)]
        assert disputed([question], given, LIMITS) == expected
    assert is_disputed(question, [one], [region([[0, 60], [100, 60]])])


def test_image_by_image_only_images_that_both_answered_are_compared() -> None:
    question = asking("single", choices=CHOICES, scope="image")
    assert not is_disputed(question, {"1.2": "a", "1.3": "b"}, {"1.2": "a"})
    assert is_disputed(question, {"1.2": "a"}, {"1.2": "b"})
