"""Answers and fusion: values known by hand."""

import math
from typing import Any

import pytest

from annotation.projects.problems import Problem
from annotation.projects.questions import Question, questions_of
from annotation.readings.rules import (
    AnswersInvalidError,
    AnswersTooLargeError,
    check_seconds,
    check_size,
    fuse,
    refuse_with,
    stated,
)


def test_answers_that_have_problems_are_refused_with_all_of_them() -> None:
    refuse_with([])
    problems = [Problem("finding", "missing", "say what"), Problem("note", "too_long", "say less")]
    with pytest.raises(AnswersInvalidError, match=r"say what \(and 1 more\)") as refused:
        refuse_with(problems)
    assert refused.value.problems == problems


def test_answers_that_are_too_large_name_the_largest() -> None:
    check_size({"finding": "x" * 1000})
    with pytest.raises(AnswersTooLargeError, match=r"3\.1 MiB, at most 3 .* question \"mask\""):
        check_size({"finding": "x", "mask": {"classes": {"lung": "A" * (31 * 2**20 // 10)}}})


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 86_401.0])
def test_expert_time_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(AnswersInvalidError, match="seconds"):
        check_seconds(seconds)


@pytest.mark.parametrize(
    "answers", [{"age": math.nan}, {"note": "a\0"}, {"a\0": 1}, {"n": [{"x": math.inf}]}]
)
def test_what_no_database_keeps_is_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(AnswersInvalidError, match="leave it out"):
        check_size(answers)


def question(kind: str, **more: Any) -> Question:
    asked = {"key": "q", "prompt": "Q?", "kind": kind} | more
    return questions_of([asked])[0]


ABC = [{"value": value, "label": value} for value in "abcd"]
SINGLE, GRADE = question("single", choices=ABC), question("ordinal", choices=ABC)
SIGNS = question("multi", choices=ABC, required=False)
LABELS = [{"value": "n", "label": "N"}]
BOX = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "label": "n",
    "image": "1.2.3",
    "points": [[1, 2], [3, 4]],
}


@pytest.mark.parametrize(
    ("asked", "given", "fused"),
    [
        (SINGLE, [], None),
        (SINGLE, ["a"], "a"),
        (SINGLE, ["a", "b"], None),
        (SINGLE, ["a", "b", "b"], "b"),
        (SINGLE, ["a", "b", "c", "c"], "c"),
        (SINGLE, ["a", "gone", "gone"], "a"),
        (GRADE, ["c"], "c"),
        (GRADE, ["a", "b", "d"], "b"),
        (GRADE, ["b", "c"], "b"),
        (GRADE, ["a", "c"], None),
        (GRADE, ["a", "b", "c", "d"], "b"),
        (SIGNS, [["c", "a"]], ["a", "c"]),
        (SIGNS, [["a"], ["a", "b"], ["b", "c"]], ["a", "b"]),
        (SIGNS, [["a"], ["b"], []], []),
        (SIGNS, [["a"], []], None),
        (question("multi", choices=ABC), [["a"], ["b"], ["c"]], None),
        (question("number"), [3], 3),
        (question("number"), [3, 5.0, 40], 5.0),
        (question("number"), [3, 4], 3.5),
        (question("text"), ["clear"], "clear"),
        (question("text"), ["clear", "hazy"], None),
        (question("box", labels=LABELS), [[BOX]], [BOX]),
        (question("box", labels=LABELS), [[BOX], [BOX]], None),
        (
            question("ordinal", choices=ABC, scope="image"),
            [{"1.2": "a"}, {"1.2": "b", "1.3": "d"}],
            {"1.2": "a", "1.3": "d"},
        ),
        (question("single", choices=ABC, scope="image"), [{"1.2": "a"}, {"1.2": "b"}], None),
        (
            question("single", choices=ABC, scope="image", required=False),
            [{"1.2": "a", "1.3": "c"}, {"1.2": "b"}],
            {"1.3": "c"},
        ),
    ],
)
def test_readings_fuse_by_the_kind_of_question(asked: Question, given: list[Any], fused: Any) -> None:
    expected = None if fused is None else {"q": fused}
    assert fuse([asked], [{"q": one} for one in given]) == expected


def asked_after() -> list[Question]:
    """A question, one that hangs on its answer, one that may stay open, and words."""
    rows: list[dict[str, Any]] = [
        {"key": "finding", "prompt": "F", "kind": "single", "choices": ABC},
        {"key": "grade", "prompt": "G", "kind": "ordinal", "choices": ABC},
        {"key": "signs", "prompt": "S", "kind": "multi", "choices": ABC, "required": False},
        {"key": "note", "prompt": "N", "kind": "text", "required": False},
    ]
    rows[1]["when"] = rows[2]["when"] = {"question": "finding", "is": "b"}
    return questions_of(rows)


def test_what_hangs_on_an_answer_is_fused_where_the_fused_answer_asks_it() -> None:
    readings = [{"finding": "a"}, {"finding": "a"}, {"finding": "b", "grade": "d"}]
    assert fuse(asked_after(), readings) == {"finding": "a"}
    readings = [{"finding": "b", "grade": "c"}, {"finding": "a"}, {"finding": "b", "grade": "d"}]
    assert fuse(asked_after(), readings) == {"finding": "b", "grade": "c"}


def test_a_tie_on_what_may_stay_open_leaves_the_rest_standing() -> None:
    readings = [{"finding": "b", "grade": "c", "signs": ["a"]}, {"finding": "b", "grade": "c", "signs": []}]
    assert fuse(asked_after(), readings) == {"finding": "b", "grade": "c"}


def test_choosing_nothing_says_that_nothing_is_there_only_where_it_was_asked() -> None:
    assert stated(asked_after(), {"finding": "a", "note": " "}) == {"finding": "a"}
    assert stated(asked_after(), {"finding": "b"}) == {"finding": "b", "signs": []}
