"""Answers and fusion: values known by hand."""

import math

import pytest

from annotation.projects.questions import questions_of
from annotation.projects.rules import single_choice
from annotation.readings.rules import AnswersInvalidError, check_answers, check_seconds, fuse

QUESTIONS = questions_of(
    [single_choice("What do you see?", [("normal", "Normal"), ("pneumonia", "Pneumonia")])]
)


def test_one_of_the_choices_is_an_answer() -> None:
    check_answers(QUESTIONS, {"finding": "pneumonia"})


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, 'question "finding" is not answered: choose one of normal, pneumonia'),
        ({"finding": "cat"}, 'question "finding" has no such choice'),
        ({"finding": ["normal"]}, 'question "finding" has no such choice'),
        ({"finding": None}, 'question "finding" is not answered'),
        ({"finding": "normal", "status": "done"}, 'question "status" is not asked'),
    ],
)
def test_an_invalid_answer_is_refused_by_its_question(answers: dict[str, object], message: str) -> None:
    with pytest.raises(AnswersInvalidError, match=message):
        check_answers(QUESTIONS, answers)


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 86_401.0])
def test_expert_time_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(AnswersInvalidError, match="seconds"):
        check_seconds(seconds)


@pytest.mark.parametrize(
    ("readings", "fused"),
    [
        ([], None),
        ([{"finding": "a"}], {"finding": "a"}),
        ([{"finding": "a"}, {"finding": "b"}], None),
        ([{"finding": "a"}, {"finding": "b"}, {"finding": "b"}], {"finding": "b"}),
        ([{"finding": "a"}, {"finding": "b"}, {"finding": "c"}, {"finding": "c"}], {"finding": "c"}),
    ],
)
def test_readings_fuse_by_majority_and_a_tie_is_left_for_adjudication(
    readings: list[dict[str, str]], fused: dict[str, str] | None
) -> None:
    assert fuse(readings) == fused
