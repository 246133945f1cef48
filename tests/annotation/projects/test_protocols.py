"""What a protocol may be, and answers to one: a table of examples that the browser's checks share."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotation.projects.answers import problems_in
from annotation.projects.protocols import ProtocolInvalidError, document_of, problems_of
from annotation.projects.questions import questions_of, schema

CASES = json.loads(Path(__file__).with_name("protocol_cases.json").read_text())
CHOICES = [{"value": "no", "label": "No"}, {"value": "yes", "label": "Yes"}]
FINDING = {"key": "finding", "prompt": "What?", "kind": "single", "choices": CHOICES}
NODULES = {"key": "nodules", "prompt": "Where?", "kind": "box", "labels": [{"value": "n", "label": "Nodule"}]}
NOTE = {"key": "note", "prompt": "Why?", "kind": "text"}
DISC = {"key": "disc", "prompt": "Disc?", "kind": "segmentation", "classes": CHOICES}


def ratio(*of: str) -> dict[str, Any]:
    return {
        "key": "r",
        "prompt": "R",
        "kind": "computed",
        "formula": {"op": "vertical_ratio", "of": list(of)},
    }


def largest(of: str, measure: str) -> dict[str, Any]:
    formula = {"op": "largest", "of": of, "measure": measure}
    return {"key": "l", "prompt": "L", "kind": "computed", "formula": formula}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_answers_have_the_problems_that_the_table_says(case: dict[str, Any]) -> None:
    found = problems_in(questions_of(case["questions"]), case["answers"])
    assert [{"at": one.at, "code": one.code} for one in found] == case["problems"]


def test_every_code_of_the_answers_is_in_the_table() -> None:
    codes = {problem["code"] for case in CASES for problem in case["problems"]}
    assert codes == {
        *("missing", "not_asked", "unknown_question", "not_a_choice", "too_few", "too_many", "below_min"),
        *("above_max", "not_a_number", "not_text", "too_long", "bad_region", "bad_mask", "unknown_label"),
        "unknown_image",
    }


@pytest.mark.parametrize(
    "questions",
    [
        [FINDING],
        [FINDING | {"kind": "ordinal", "help": "h", "required": False, "scope": "image"}],
        [FINDING, NOTE | {"when": {"question": "finding", "is": "yes"}}],
        [FINDING, NODULES | {"attributes": [FINDING, NOTE], "max": 3}],
        [NODULES, NODULES | {"key": "cup"}, ratio("cup", "nodules"), largest("nodules", "area_mm2")],
        [DISC, ratio("disc:yes", "disc:no")],
    ],
)
def test_a_protocol_that_makes_sense_is_kept_as_it_was_written(questions: list[dict[str, Any]]) -> None:
    document = {"questions": questions, "settings": {"auto_advance": True}}
    assert document_of(document).model_dump(exclude_unset=True) == document


@pytest.mark.parametrize(
    ("questions", "at", "message"),
    [
        ([], "questions", "questions: there are 0: give at least 1"),
        ([{"key": "a"}], "questions.0", 'question "a": kind is absent'),
        ([FINDING | {"kind": "guess"}], "questions.0", "kind is not known: give one of 'single', 'ordinal'"),
        ([{"prompt": "P", "kind": "text"}], "questions.0.key", "question 1, key: it is absent: give it"),
        ([NOTE | {"key": "Note"}], "questions.0.key", 'question "Note", key: begin with a letter a – z'),
        ([NOTE | {"choices": []}], "questions.0.choices", 'question "note", choices: it is not known'),
        ([NOTE | {"max_length": "9"}], "questions.0.max_length", "it is no whole number: give one"),
        ([FINDING | {"choices": CHOICES[:1]}], "questions.0.choices", "there are 1: give at least 2"),
        (
            [FINDING | {"choices": [*CHOICES, CHOICES[0]]}],
            "questions.0.choices.2.value",
            '"no" is there twice',
        ),
        ([NOTE | {"prompt": " "}], "questions.0.prompt", "it is blank: give it words"),
        ([NOTE | {"prompt": ""}], "questions.0.prompt", "it is empty: give it words"),
        ([NOTE | {"max_length": 0}], "questions.0.max_length", "give at least 1"),
        (
            [NODULES | {"labels": [{"value": "n", "label": "N", "color": "red"}]}],
            "questions.0.labels.0.color",
            "#rr",
        ),
        ([FINDING, FINDING], "questions.1.key", 'question "finding" is there twice'),
        ([NODULES | {"min": 2, "max": 1}], "questions.0.max", "max is 1, below min, 2"),
        ([FINDING | {"kind": "multi", "min": 3}], "questions.0.min", "min is 3, of 2 choices"),
        ([NODULES | {"scope": "image"}], "questions.0.scope", "scope: give 'case'"),
        (
            [NODULES | {"attributes": [NOTE, NOTE]}],
            "questions.0.attributes.1.key",
            'attribute "note" is there',
        ),
        (
            [FINDING, NODULES | {"attributes": [NOTE | {"when": {"question": "finding", "is": "yes"}}]}],
            "questions.1.attributes.0.when",
            "attributes are always asked",
        ),
        ([NOTE | {"when": {"question": "finding", "is": "yes"}}], "questions.0.when", "no earlier question"),
        ([NOTE | {"when": {"question": "note", "is": "yes"}}], "questions.0.when", "no earlier question"),
        (
            [FINDING, NOTE | {"when": {"question": "finding", "is": "x"}}],
            "questions.1.when",
            "none of its choices",
        ),
        ([FINDING, NOTE | {"when": {"question": "finding"}}], "questions.1.when", 'say "is", "in"'),
        (
            [FINDING, NOTE | {"when": {"all": [{"question": "finding", "is": ["yes"]}]}}],
            "questions.1.when.all.0.is",
            "it is no text",
        ),
        (
            [NODULES, NOTE | {"when": {"question": "nodules", "is": "n"}}],
            "questions.1.when",
            "which is drawn",
        ),
        ([NODULES, ratio("nodules", "cup")], "questions.1.formula.of.1", '"cup" is no box'),
        ([DISC, ratio("disc", "disc:no")], "questions.1.formula.of.0", '"disc" is no box'),
        ([NODULES, largest("nodules", "length_mm")], "questions.1.formula.measure", "it has area_mm2"),
        ([FINDING, largest("finding", "length_mm")], "questions.1.formula.of", "no question of regions"),
    ],
)
def test_what_makes_no_sense_is_told_by_its_question_and_place(
    questions: list[dict[str, Any]], at: str, message: str
) -> None:
    [problem, *_] = problems_of({"questions": questions})
    assert problem.at == at
    assert message in problem.message


def test_all_problems_of_a_protocol_are_told_at_once() -> None:
    questions = [FINDING, FINDING, NODULES | {"min": 2, "max": 1}]
    with pytest.raises(ProtocolInvalidError, match=r"is there twice.*\(and 1 more\)") as refused:
        document_of({"questions": questions})
    assert [one.at for one in refused.value.problems] == ["questions.1.key", "questions.2.max"]


@pytest.mark.parametrize("given", [None, [], "x", {"questions": [1]}, {"questions": [FINDING], "more": 1}])
def test_what_is_no_protocol_at_all_is_told_too(given: object) -> None:
    assert problems_of(given)


def test_a_condition_nested_too_deep_is_refused() -> None:
    when: dict[str, Any] = {"question": "finding", "is": "yes"}
    for _ in range(8):
        when = {"not": when}
    [problem] = problems_of({"questions": [FINDING, NOTE | {"when": when}]})
    assert problem.code == "bad_condition"
    assert "write it flatter" in problem.message


def test_the_schema_is_json_schema_and_names_every_kind() -> None:
    described = schema()
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    mapping = described["properties"]["questions"]["items"]["discriminator"]["mapping"]
    assert len(mapping) == 15


def test_the_guide_s_examples_make_sense() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "protocols.md").read_text()
    examples = [block.partition("```")[0] for block in guide.split("```json")[1:]]
    assert [problems_of(json.loads(example)) for example in examples] == [[]]
