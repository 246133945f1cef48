"""Answers held against a protocol's questions: what is missing, what is not asked, what does not fit. Pure.

An answer that says nothing (absent, null, blank words, an empty list or object) is no answer. Regions carry a
label and attributes; a question of scope image is answered image by image, by "uid" or "uid#frame".
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation.projects.conditions import Said, holds
from annotation.projects.masks import IMAGE, MaskError, mask_of
from annotation.projects.problems import Problem
from annotation.projects.questions import (
    Attribute,
    Computed,
    Number,
    OneOf,
    Question,
    Regions,
    Segmentation,
    SomeOf,
    Text,
)
from annotation.projects.regions import Region, region_of

Answers = Mapping[str, Any]
IMAGE_NAME = re.compile(IMAGE)


def problems_in(questions: Sequence[Question], answers: Answers) -> list[Problem]:
    """List what is wrong with answers, in the order of the questions; nothing where they can be taken."""
    asked = asked_of(questions, answers)
    found = [problem for one in questions for problem in _of_question(one, answers, is_asked=asked[one.key])]
    unknown = sorted(set(answers) - set(asked))
    return found + [
        Problem(key, "unknown_question", f'question "{key[:40]}" is not asked by the protocol: leave it out')
        for key in unknown
    ]


def asked_of(questions: Sequence[Question], answers: Answers) -> dict[str, bool]:
    """Say of each question whether it is asked, given the answers before it; computed ones never are."""
    asked: dict[str, bool] = {}
    said: dict[str, frozenset[Said] | None] = {}
    for question in questions:
        is_open = question.when is None or holds(question.when, said)
        asked[question.key] = is_open and not isinstance(question, Computed)
        said[question.key] = said_to(question, answers) if asked[question.key] else None
    return asked


def kinds_asked(questions: Sequence[Question], answers: Answers) -> dict[str, str]:
    """Name the questions that are asked, given the answers before them, and the form in which each is."""
    asked = asked_of(questions, answers)
    return {one.key: one.kind for one in questions if asked[one.key]}


def said_to(question: Question, answers: Answers) -> frozenset[Said] | None:
    """Give what conditions can see of an answer: values that were chosen or typed; None for no answer."""
    answer: Any = answers.get(question.key)
    if is_empty(answer):
        return None
    if isinstance(question, Regions | Segmentation | Computed):
        return frozenset()
    per_image = question.scope == "image" and isinstance(answer, Mapping)
    given = answer.values() if per_image else [answer]
    flat = [one for value in given for one in (value if isinstance(value, list) else [value])]
    return frozenset(one for one in flat if isinstance(one, str | int | float) and not isinstance(one, bool))


def is_empty(answer: object) -> bool:
    """Whether an answer says nothing; a mask without classes does not either."""
    if isinstance(answer, str):
        return not answer.strip()
    if isinstance(answer, Mapping):
        return not answer or ("classes" in answer and answer["classes"] == {})
    return answer is None or answer == []


def fits(question: Question, answer: object) -> bool:
    """Whether an answer can be one to a question that is asked."""
    if is_empty(answer):
        return not question.required
    given = {question.key: answer}
    return not list(_of_question(question, given, is_asked=True))


def _of_question(question: Question, answers: Answers, *, is_asked: bool) -> Iterator[Problem]:
    answer, name = answers.get(question.key), f'question "{question.key}"'
    if not is_asked:
        if not is_empty(answer):
            yield Problem(question.key, "not_asked", f"{name} is not asked here: leave it out")
    elif is_empty(answer):
        if question.required:
            yield Problem(question.key, "missing", f"{name} is not answered: {_wanted(question)}")
    elif question.scope == "image":
        yield from _image_by_image(question, answer)
    else:
        yield from _of_answer(question, answer, question.key)


def _image_by_image(question: Question, answer: object) -> Iterator[Problem]:
    if not isinstance(answer, Mapping):
        text = f'question "{question.key}" is asked of each image: give answers by image'
        yield Problem(question.key, "unknown_image", text)
        return
    for image, one in answer.items():
        at = f"{question.key}.{image}"
        if IMAGE_NAME.match(image) is None:
            text = f'question "{question.key}" names no image there: give its UID, or UID#frame'
            yield Problem(at, "unknown_image", text)
        else:
            yield from _of_answer(question, one, at)


def _of_answer(question: Question, answer: object, at: str) -> Iterator[Problem]:
    """Hold one answer that is not empty against its question."""
    match question:
        case OneOf():
            yield from _one_of(question, answer, at)
        case SomeOf():
            yield from _some_of(question, answer, at)
        case Number():
            yield from _number(question, answer, at)
        case Text():
            yield from _text(question, answer, at)
        case Regions():
            yield from _regions(question, answer, at)
        case Segmentation():
            yield from _mask(question, answer, at)


def _one_of(question: OneOf, answer: object, at: str) -> Iterator[Problem]:
    if answer not in [choice.value for choice in question.choices]:
        text = f'question "{question.key}" has no such choice: {_wanted(question)}'
        yield Problem(at, "not_a_choice", text)


def _some_of(question: SomeOf, answer: object, at: str) -> Iterator[Problem]:
    values = [choice.value for choice in question.choices]
    if not isinstance(answer, list) or any(one not in values for one in answer):
        yield Problem(
            at, "not_a_choice", f'question "{question.key}" has no such choice: {_wanted(question)}'
        )
    elif any(answer.count(one) > 1 for one in answer):
        yield Problem(at, "not_a_choice", f'question "{question.key}": name each choice once')
    else:
        yield from _count(question, answer, at)


def _count(question: SomeOf | Regions, answer: list[Any], at: str) -> Iterator[Problem]:
    things = "choices" if isinstance(question, SomeOf) else "regions"
    given = f'question "{question.key}" has {len(answer)} {things}'
    if len(answer) < question.min:
        yield Problem(at, "too_few", f"{given}: give at least {question.min}")
    if question.max is not None and len(answer) > question.max:
        yield Problem(at, "too_many", f"{given}: give at most {question.max}")


def _number(question: Number, answer: object, at: str) -> Iterator[Problem]:
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
        yield Problem(at, "not_a_number", f'question "{question.key}" wants a number')
    elif question.min is not None and answer < question.min:
        yield Problem(at, "below_min", f'question "{question.key}": give at least {question.min:g}')
    elif question.max is not None and answer > question.max:
        yield Problem(at, "above_max", f'question "{question.key}": give at most {question.max:g}')


def _text(question: Text, answer: object, at: str) -> Iterator[Problem]:
    if not isinstance(answer, str):
        yield Problem(at, "not_text", f'question "{question.key}" wants words')
    elif len(answer) > question.max_length:
        text = f'question "{question.key}" has {len(answer)} characters: at most {question.max_length}'
        yield Problem(at, "too_long", text)


def _regions(question: Regions, answer: object, at: str) -> Iterator[Problem]:
    if not isinstance(answer, list):
        yield Problem(at, "bad_region", f'question "{question.key}" wants a list of regions')
        return
    yield from _count(question, answer, at)
    ids: set[str] = set()
    for place, one in enumerate(answer):
        try:
            region = region_of(question.kind, one)
        except ValueError as error:
            yield Problem(
                f"{at}.{place}", "bad_region", f'question "{question.key}", region {place + 1}: {error}'
            )
            continue
        yield from _region(question, region, f"{at}.{place}", is_again=region.id in ids)
        ids.add(region.id)


def _region(question: Regions, region: Region, at: str, *, is_again: bool) -> Iterator[Problem]:
    if is_again:
        yield Problem(at, "bad_region", f'question "{question.key}" has two regions of one id')
    if region.label not in [label.value for label in question.labels]:
        yield Problem(
            at, "unknown_label", f'question "{question.key}" has no such label: choose one of its own'
        )
    for attribute in question.attributes:
        yield from _attribute(attribute, region.attributes, at)
    for key in sorted(set(region.attributes) - {one.key for one in question.attributes}):
        text = f'question "{question.key}" has no attribute "{key[:40]}": leave it out'
        yield Problem(f"{at}.{key}", "unknown_question", text)


def _attribute(attribute: Attribute, given: Answers, at: str) -> Iterator[Problem]:
    for problem in _of_question(attribute, given, is_asked=True):
        yield Problem(f"{at}.{problem.at}", problem.code, problem.message)


def _mask(question: Segmentation, answer: object, at: str) -> Iterator[Problem]:
    try:
        mask = mask_of(answer)
    except MaskError as error:
        yield Problem(at, "bad_mask", f'question "{question.key}": {error}')
        return
    known = {one.value for one in question.classes}
    if not set(mask.classes) <= known:
        yield Problem(
            at, "unknown_label", f'question "{question.key}" has no such class: choose one of its own'
        )


def _wanted(question: Question) -> str:
    """Say what would answer a question."""
    match question:
        case OneOf() | SomeOf():
            return f"choose {'one' if isinstance(question, OneOf) else 'some'} of " + ", ".join(
                choice.value for choice in question.choices[:12]
            )
        case Number():
            return f"give a number{f' in {question.unit}' if question.unit else ''}"
        case Regions():
            return f"draw a {question.kind}"
        case Segmentation():
            return "paint a class"
    return "give an answer"
