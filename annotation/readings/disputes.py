"""Where readings of one case differ by more than its project allows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from annotation.projects.answers import is_empty, kinds_asked
from annotation.projects.questions import Number, OneOf, Question, Regions, Segmentation, Settings, SomeOf
from annotation.projects.regions import Region
from annotation.readings.agreement.boxes import matches
from annotation.readings.agreement.drawn import Labelled, bounded, dice_by_class

AREAS = ("box", "ellipse", "polygon", "freehand")
# Points and lines have no area: what is drawn so is the same where boxes of so many pixels around it are.
MARGIN = 10.0
LENGTHS = ("length", "long_axis", "short_axis", "angle")


@dataclass(frozen=True)
class Limits:
    """From where on readings dispute; as the protocol's settings say them."""

    number_tolerance: float
    least_dice: float
    least_overlap: float


@dataclass(frozen=True)
class Given:
    """One reader's answers as they stand; asked: kinds of the questions that were put, by key.

    measurements: as the server measured them, by region id.
    """

    answers: Mapping[str, Any]
    measurements: Mapping[str, Any]
    asked: Mapping[str, str]

    def was_asked(self, question: Question) -> bool:
        """Whether the question was put, in this form."""
        return self.asked.get(question.key) == question.kind


def limits_of(settings: Settings) -> Limits:
    """Take them from what a protocol sets."""
    return Limits(settings.number_tolerance, settings.least_dice, settings.least_overlap)


def given_in(
    questions: Sequence[Question], answers: Mapping[str, Any], measurements: Mapping[str, Any]
) -> Given:
    """Take a reader's answers to questions, and which of them were put."""
    return Given(answers, measurements, kinds_asked(questions, answers))


def disputed(questions: Sequence[Question], given: Sequence[Given], limits: Limits) -> list[str]:
    """Name the questions on which any two readers differ too much; who was not asked disputes nothing."""
    return [
        question.key
        for question in questions
        if any(
            differ(question, one, other, limits)
            for one, other in combinations([one for one in given if one.was_asked(question)], 2)
        )
    ]


def differ(question: Question, one: Given, other: Given, limits: Limits) -> bool:
    """Whether two answers to a question are too different; free words never are."""
    first: Any = one.answers.get(question.key)
    second: Any = other.answers.get(question.key)
    if question.scope == "image":
        images = {*(first or {})} & {*(second or {})}
        return any(plain_differ(question, first[image], second[image], limits) for image in images)
    match question:
        case Segmentation():
            return any(value < limits.least_dice for value in dice_by_class(first, second).values())
        case Regions():
            return bool(apart(question, one, other, limits))
    return plain_differ(question, first, second, limits)


def plain_differ(question: object, one: Any, other: Any, limits: Limits) -> bool:  # noqa: ANN401 - JSON
    """Whether two choices are not the same, or two numbers too far from each other."""
    match question:
        case OneOf():
            return bool(one != other)
        case SomeOf():
            return {*(one or [])} != {*(other or [])}
        case Number():
            return numbers_differ(one, other, limits.number_tolerance)
    return False


def numbers_differ(one: float | None, other: float | None, tolerance: float) -> bool:
    """Whether numbers lie farther apart than a share of the larger; a number and none always do."""
    if one is None or other is None:
        return one is not other
    return abs(one - other) > tolerance * max(abs(one), abs(other))


def apart(question: Regions, one: Given, other: Given, limits: Limits) -> set[str]:
    """Name the regions, by id, that the other reader did not draw, or measured or described otherwise."""
    first, second = (regions_in(given, question) for given in (one, other))
    pairs = matches(
        [_box(question, region) for region in first],
        [_box(question, region) for region in second],
        threshold=limits.least_overlap,
    )
    alike = [
        (first[i].id, second[j].id)
        for i, j, _ in pairs
        if _described_alike(question, first[i], second[j], limits)
        and _measured_alike(one.measurements.get(first[i].id), other.measurements.get(second[j].id), limits)
    ]
    return {one.id for one in (*first, *second)} - {name for pair in alike for name in pair}


def regions_in(given: Given, question: Regions) -> list[Region]:
    """List what a reader drew."""
    answer = given.answers.get(question.key)
    return [] if is_empty(answer) else [Region.model_validate(one) for one in answer or []]


def disputed_regions(question: Regions, given: Sequence[Given], limits: Limits) -> set[str]:
    """Name the regions, by id, that differ from what any other reader who was asked drew."""
    found: set[str] = set()
    for one, other in combinations([one for one in given if one.was_asked(question)], 2):
        found |= apart(question, one, other, limits)
    return found


def _box(question: Regions, region: Region) -> Labelled:
    place, (left, top, right, bottom) = bounded(region.model_dump())
    margin = 0.0 if question.kind in AREAS else MARGIN
    return place, (left - margin, top - margin, right + margin, bottom + margin)


def _described_alike(question: Regions, one: Region, other: Region, limits: Limits) -> bool:
    return not any(
        plain_differ(asked, one.attributes.get(asked.key), other.attributes.get(asked.key), limits)
        for asked in question.attributes
    )


def _measured_alike(one: Any, other: Any, limits: Limits) -> bool:  # noqa: ANN401 - JSON
    """Whether lengths and angles that both have are close; an area is judged by its overlap."""
    first, second = (found if isinstance(found, Mapping) else {} for found in (one, other))
    names = [name for name in {*first} & {*second} if name.startswith(LENGTHS)]
    if any(name.startswith("area") for name in first):
        return True
    return not any(numbers_differ(first[name], second[name], limits.number_tolerance) for name in names)
