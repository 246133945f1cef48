"""Decisions about readings: what is a valid answer, what readings are fused into. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from annotation.projects.rules import Question, RefusedError

Answers = Mapping[str, Any]
MAX_SECONDS = 24 * 60 * 60


class AnswersInvalidError(RefusedError):
    """The answers do not fit the protocol."""

    code: ClassVar[str] = "answers_invalid"


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


def check_answers(questions: Sequence[Question], answers: Answers) -> None:
    """Hold answers against the questions asked: each answered by one of its choices, nothing else said.

    raises: AnswersInvalidError naming the question.
    """
    for question in questions:
        check_answer(question, answers)
    unknown = sorted(set(answers) - {question["key"] for question in questions})
    if unknown:
        raise AnswersInvalidError(f'question "{unknown[0]}" is not asked by the protocol: leave it out')


def check_answer(question: Question, answers: Answers) -> None:
    """Hold one answer against its question; kinds other than single will come."""
    key, allowed = question["key"], [choice["value"] for choice in question["choices"]]
    if key not in answers:
        raise AnswersInvalidError(f'question "{key}" is not answered: choose one of {", ".join(allowed)}')
    if answers[key] not in allowed:
        raise AnswersInvalidError(f'question "{key}" has no such choice: choose one of {", ".join(allowed)}')


def check_seconds(seconds: float) -> None:
    """Expert time is finite, not negative, and less than a day."""
    if not 0 <= seconds <= MAX_SECONDS:
        raise AnswersInvalidError(f"seconds is {seconds}: give 0 to {MAX_SECONDS}")


def fuse(readings: Sequence[Answers]) -> dict[str, Any] | None:
    """Fuse readings by majority, question by question; a tie on any question gives no reference standard."""
    keys = {key for answers in readings for key in answers}
    fused = {key: majority([answers[key] for answers in readings if key in answers]) for key in keys}
    return None if None in fused.values() or not fused else fused


def majority(values: Sequence[str]) -> str | None:
    """Name the value given most often, or None where two tie."""
    (first, count), *rest = Counter(values).most_common(2)
    return None if rest and rest[0][1] == count else first
