"""Decisions about readings: what is a valid answer, what readings are fused into. Pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from annotation.projects.answers import problems_in
from annotation.projects.problems import Problem, told
from annotation.projects.questions import Question
from annotation.projects.rules import RefusedError

Answers = Mapping[str, Any]
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


def check_answers(questions: Sequence[Question], answers: Answers) -> None:
    """Hold answers against the questions asked.

    raises: AnswersInvalidError with every problem.
    """
    refuse_with(problems_in(questions, answers))


def refuse_with(problems: list[Problem]) -> None:
    """Refuse answers that have problems.

    raises: AnswersInvalidError with all of them.
    """
    if problems:
        raise AnswersInvalidError(told(problems), problems)


def check_size(answers: Answers) -> None:
    """Hold answers against what is kept of one reading.

    raises: AnswersTooLargeError naming the question that is the largest.
    """
    sizes = {key: len(json.dumps(answer, ensure_ascii=False).encode()) for key, answer in answers.items()}
    if sum(sizes.values()) > MAX_BYTES:
        largest = max(sizes, key=lambda key: sizes[key])
        raise AnswersTooLargeError(
            f"the answers hold {sum(sizes.values()) / 2**20:.1f} MiB, at most {MAX_BYTES // 2**20} are kept:"
            f' most of it is question "{largest}", draw it with fewer points or simpler edges'
        )


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
