"""Streams and questions: values known by hand."""

import pytest

from annotation.projects.rules import (
    AUDIT,
    HELD_OUT,
    POOL,
    LearnedQuestion,
    RefusedError,
    first_learnable,
    single_choice,
    stream_of,
    strictest_split,
)

KEY = b"stream:test"


def test_the_same_patient_always_gets_the_same_stream() -> None:
    assert len({stream_of("patient-7", "train", 0.5, KEY) for _ in range(20)}) == 1


@pytest.mark.parametrize("split", ["val", "test"])
def test_what_the_delivery_holds_out_is_held_out(split: str) -> None:
    assert stream_of("patient-7", split, 0.5, KEY) == HELD_OUT


def test_a_share_of_zero_audits_nobody_and_a_share_of_one_everybody() -> None:
    names = [f"patient-{n}" for n in range(200)]
    assert {stream_of(name, "", 0.0, KEY) for name in names} == {POOL}
    assert {stream_of(name, "", 1.0, KEY) for name in names} == {AUDIT}


def test_the_audited_share_of_patients_is_near_what_was_asked_for() -> None:
    audited = sum(stream_of(f"patient-{n}", "", 0.125, KEY) == AUDIT for n in range(8000))
    assert 880 < audited < 1120  # 1000 ± 4 standard deviations of a binomial


def test_another_project_draws_other_patients() -> None:
    names = [f"patient-{n}" for n in range(200)]
    one, other = ([stream_of(name, "", 0.5, key) for name in names] for key in (b"one", b"other"))
    assert one != other


def test_an_unknown_split_is_refused_by_its_value() -> None:
    with pytest.raises(RefusedError, match='split is "dev"'):
        stream_of("patient-7", "dev", 0.5, KEY)


def test_one_held_out_image_holds_its_patient_out() -> None:
    assert strictest_split(["", "test", "train"]) == "test"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([("a", "A")], "1 choices"),
        ([("a", "A"), ("a", "B")], 'choice "a" is there twice'),
        ([("a", "A"), ("b", " ")], 'choice "b" is empty'),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(choices: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        single_choice("What do you see?", choices)


def test_models_learn_the_first_question_with_choices_that_is_asked_of_every_case() -> None:
    choices = [{"value": "0", "label": "None"}, {"value": "1", "label": "Mild"}]
    grade = {"key": "grade", "prompt": "Which grade?", "kind": "ordinal", "choices": choices}
    later = grade | {"key": "later", "when": {"question": "grade", "is": "1"}}
    of_images = grade | {"key": "images", "scope": "image"}
    several = grade | {"key": "several", "kind": "multi"}
    found = first_learnable([of_images, later, grade, several])
    assert (found.key, found.is_ordered, found.classes) == ("grade", True, ["0", "1"])
    found = first_learnable([of_images, later, several, grade])
    assert (found.key, found.takes_several, found.classes) == ("several", True, ["0", "1"])


def test_what_an_answer_chooses_and_how_it_is_told() -> None:
    words = {"mass": "Mass", "oedema": "Oedema"}
    one, some = LearnedQuestion("q", "?", words), LearnedQuestion("q", "?", words, "multi")
    assert one.chosen("mass") == ("mass",)
    assert [one.chosen(answer) for answer in ("gone", None, ["mass"])] == [None, None, None]
    assert some.chosen(["oedema", "gone", "mass"]) == ("mass", "oedema")
    assert (some.chosen([]), some.chosen("mass"), some.chosen(None)) == ((), None, None)
    assert [some.told(["oedema", "mass"]), some.told([]), some.told(None)] == [
        "Oedema, Mass",
        "None of them",
        "",
    ]
    assert (one.told("mass"), one.told("gone")) == ("Mass", "gone")


def test_where_no_question_has_choices_nothing_is_learned() -> None:
    nothing = first_learnable([{"key": "where", "prompt": "Where?", "kind": "box", "labels": []}])
    assert (nothing.key, nothing.classes) == ("", [])


def test_questions_without_choices_are_passed_over() -> None:
    asked = single_choice("What do you see?", [("n", "Normal"), ("p", "Pneumonia")])
    found = first_learnable([{"key": "where", "prompt": "Where?", "kind": "region"}, asked])
    assert (found.key, found.prompt, found.classes) == ("finding", "What do you see?", ["n", "p"])
    assert (found.words_of("p"), found.words_of("gone")) == ("Pneumonia", "gone")
