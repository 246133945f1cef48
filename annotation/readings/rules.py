"""Decisions about readings: what is a valid answer, what readings are fused into. Pure."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from statistics import median
from typing import Any, ClassVar

from annotation.projects.answers import asked_of, fits, is_empty
from annotation.projects.problems import Problem, told
from annotation.projects.questions import Number, OneOf, Question, SomeOf
from annotation.projects.rules import RefusedError

Answers = Mapping[str, Any]


class _Mark(Enum):
    """What fusing can find besides an answer."""

    TIED = "readers disagree"
    NOTHING = "nobody said anything that can be fused"


TIED, NOTHING = _Mark.TIED, _Mark.NOTHING
# Fuses answers to a question, by the place of who gave them: an answer, a mark, or None: as by default.
Fusing = Callable[[Question, Mapping[int, Any]], Any]
MAX_SECONDS = 24 * 60 * 60
MAX_BYTES = 3 * 2**20


class AnswersInvalidError(RefusedError):
    """The answers do not fit the protocol."""

    code: ClassVar[str] = "answers_invalid"

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems)


class AnswersTooLargeError(RefusedError):
    """The answers hold more than is kept of one reading."""

    code: ClassVar[str] = "answers_too_large"


class ProtocolChangedError(RefusedError):
    """The answers are to an older version of the protocol."""

    code: ClassVar[str] = "protocol_changed"


class DraftStaleError(RefusedError):
    """A newer draft is there already."""

    code: ClassVar[str] = "draft_stale"


class RevisionStaleError(RefusedError):
    """The reading was revised since it was opened."""

    code: ClassVar[str] = "revision_stale"


class IdempotencyConflictError(RefusedError):
    """The key was used for something else."""

    code: ClassVar[str] = "idempotency_conflict"


def refuse_with(problems: list[Problem]) -> None:
    """Refuse answers that have problems.

    raises: AnswersInvalidError with all of them.
    """
    if problems:
        raise AnswersInvalidError(told(problems), problems)


def check_size(answers: Answers) -> None:
    """Hold answers against what is kept of one reading.

    raises: AnswersTooLargeError naming the question that is the largest, AnswersInvalidError.
    """
    sizes = {key: len(kept_text({key: answer})) for key, answer in answers.items()}
    if sum(sizes.values()) > MAX_BYTES:
        largest = max(sizes, key=lambda key: sizes[key])
        raise AnswersTooLargeError(
            f"the answers hold {sum(sizes.values()) / 2**20:.1f} MiB, at most {MAX_BYTES // 2**20} are kept:"
            f' most of it is question "{largest}", draw it with fewer points or simpler edges'
        )


def kept_text(answers: Answers) -> str:
    """Write answers as the database keeps them.

    raises: AnswersInvalidError for what no database keeps.
    """
    try:
        written = json.dumps(answers, allow_nan=False)
    except ValueError:
        raise AnswersInvalidError("an answer holds a number that is not finite: leave it out") from None
    if "\\u0000" in written:
        raise AnswersInvalidError("an answer holds the character U+0000: leave it out")
    return written


def check_same(then: object, now: object, *, what: str) -> None:
    """Check that a key that was used before says the same again.

    raises: IdempotencyConflictError.
    """
    if then != now:
        raise IdempotencyConflictError(f"this idempotency_key was used for {what}: make a new one")


def check_seconds(seconds: float) -> None:
    """Expert time is finite, not negative, and less than a day."""
    if not 0 <= seconds <= MAX_SECONDS:
        raise AnswersInvalidError(f"seconds is {seconds}: give 0 to {MAX_SECONDS}")


def stated(questions: Sequence[Question], answers: Answers) -> dict[str, Any]:
    """Give what a reader said: choosing nothing, where one may, says that none of the choices is there."""
    asked = asked_of(questions, answers)
    several = [one.key for one in questions if isinstance(one, SomeOf) and one.scope == "case"]
    said = {key: answer for key, answer in answers.items() if not is_empty(answer)}
    nothing: dict[str, Any] = {key: [] for key in several if asked[key]}
    return nothing | said


def fuse(
    questions: Sequence[Question], readings: Sequence[Answers], *, by: Fusing | None = None
) -> dict[str, Any] | None:
    """Fuse what readers stated, question by question, each asked on what was fused before it.

    by: what the project has chosen instead of the following, for questions that it fuses.

    One choice by majority, ordinal ones by their median, several choices each by majority, numbers by their
    median; words, regions and masks are one reader's, and left out where there are several readers.
    returns: None where readers tie on a required question: no reference standard.
    """
    fused: dict[str, Any] = {}
    for question in questions:
        if not asked_of(questions, fused)[question.key]:
            continue
        given = {place: one[question.key] for place, one in enumerate(readings) if question.key in one}
        given = {place: one for place, one in given.items() if fits(question, one)}
        found = by(question, given) if by else None
        if found is None:
            found = _fused(question, list(given.values()), readers=len(readings))
        if found is TIED and question.required:
            return None
        if found not in (TIED, NOTHING):
            fused[question.key] = found
    return fused or None


def _fused(question: Question, given: list[Any], *, readers: int) -> Any:  # noqa: ANN401 - JSON, or a mark
    if not given:
        return NOTHING
    if readers > 1 and not isinstance(question, OneOf | SomeOf | Number):
        return NOTHING
    if question.scope == "image":
        return _fused_by_image(question, given)
    return _vote(question, given)


def _fused_by_image(question: Question, given: list[Answers]) -> Any:  # noqa: ANN401 - JSON, or a mark
    """Fuse image by image; images on which readers tie are left out, unless the question is required."""
    images = sorted({image for one in given for image in one})
    found = {image: _vote(question, [one[image] for one in given if image in one]) for image in images}
    if question.required and TIED in found.values():
        return TIED
    return {image: one for image, one in found.items() if one is not TIED} or NOTHING


def _vote(question: Question, given: list[Any]) -> Any:  # noqa: ANN401 - JSON, or a mark
    match question:
        case OneOf(kind="ordinal"):
            return _middle([choice.value for choice in question.choices], given)
        case OneOf():
            return _or_tied(majority(given))
        case SomeOf():
            return _each([choice.value for choice in question.choices], given, is_required=question.required)
        case Number():
            return median(given)
    return given[0]


def _or_tied(value: str | None) -> str | _Mark:
    return TIED if value is None else value


def _middle(order: list[str], given: list[str]) -> str | _Mark:
    """Median of ordered choices; between neighbours the lower one, between others none."""
    places = sorted(order.index(one) for one in given)
    low, high = places[(len(places) - 1) // 2], places[len(places) // 2]
    return order[low] if high - low <= 1 else TIED


def _each(order: list[str], given: list[list[str]], *, is_required: bool) -> list[str] | _Mark:
    """Choices that more than half of the readers made, in the protocol's order."""
    counts = {value: sum(value in one for one in given) for value in order}
    chosen = [value for value, count in counts.items() if 2 * count > len(given)]
    is_tied = any(2 * count == len(given) for count in counts.values())
    return TIED if is_tied or (is_required and not chosen) else chosen


def majority(values: Sequence[str]) -> str | None:
    """Name the value given most often, or None where two tie."""
    (first, count), *rest = Counter(values).most_common(2)
    return None if rest and rest[0][1] == count else first
