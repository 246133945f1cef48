"""What the model would answer: what is shown of it, to whom, and what is kept of that with the reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.models import User
from annotation.projects.models import Protocol
from annotation.projects.rules import LearnedQuestion, first_learnable
from annotation.projects.selectors import settings_in
from annotation.queue.models import Pick
from annotation.queue.rules import drawn_for_control, withheld

LIKELIER = 0.5


@dataclass(frozen=True)
class Suggestion:
    """The model's mean prediction for the question that it learns; no probabilities: nothing is shown."""

    mode: str
    question: str
    probabilities: dict[str, float] | None


@dataclass(frozen=True)
class Shown:
    """When a reader saw the suggestion, and what was answered before; when: empty where it was not seen.

    drawn: when masks and regions were seen, by question. taken: questions whose proposed mask was taken.
    """

    when: str
    first: dict[str, Any]
    drawn: Mapping[str, str] = field(default_factory=dict)
    taken: Sequence[str] = ()


def suggestion_for(pick: Pick, protocol: Protocol, case_id: UUID, reader: User) -> Suggestion:
    """Say what of the model's prediction the reader may see."""
    is_hidden = bool(why_withheld(pick, protocol, case_id, reader))
    mode = settings_in(protocol).suggestions
    return Suggestion(mode, question_of(protocol).key, None if is_hidden else pick.probabilities)


def why_withheld(pick: Pick, protocol: Protocol, case_id: UUID, reader: User) -> str:
    """Say why the reader is shown no suggestion; nothing where one is shown."""
    return why_hidden(pick, protocol, case_id, reader, is_predicted=bool(pick.probabilities))


def why_hidden(pick: Pick, protocol: Protocol, case_id: UUID, reader: User, *, is_predicted: bool) -> str:
    """Say why a reader of a case is shown nothing of what was predicted; nothing where it is shown."""
    settings = settings_in(protocol)
    return withheld(
        settings.suggestions,
        pick.stream,
        pick.reason,
        is_predicted=is_predicted,
        # What a reader said before may have been learned: a repeat starts blank, as controls do.
        is_control=pick.lease.slot > 0 or drawn_for_control(case_id, reader.pk, settings.control_share),
    )


def kept_suggestion(
    *,
    pick: Pick,
    protocol: Protocol,
    case_id: UUID,
    reader: User,
    shown: Shown | None,
    answers: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Write what is kept with a reading: what was predicted, whether it was seen, and what became of it.

    returns: None where the project never shows suggestions or the model had none.
    """
    why_not = why_withheld(pick, protocol, case_id, reader)
    if why_not in {"never", "no_model"} or pick.probabilities is None:
        return None
    question = question_of(protocol)
    key = question.key
    facts = {
        "mode": settings_in(protocol).suggestions,
        "question": key,
        "probabilities": pick.probabilities,
        "ranking": str(pick.ranking_id) if pick.ranking_id else None,
        "withheld": why_not,
        "shown": "",
    }
    if shown is None or not shown.when or why_not:
        return facts
    answer, first = answers.get(key), shown.first.get(key)
    agrees = question.chosen(answer) == predicted(pick.probabilities, question)
    changed = shown.when == "after_answer" and question.chosen(first) != question.chosen(answer)
    return facts | {"shown": shown.when, "first": first, "accepted": agrees, "changed": changed}


def question_of(protocol: Protocol) -> LearnedQuestion:
    """Find the question that models learn; one without a key where there is none."""
    return first_learnable(protocol.questions)


def predicted(probabilities: Mapping[str, float], question: LearnedQuestion) -> tuple[str, ...]:
    """Name what the model would answer: the likeliest; of several choices all that are likelier than not."""
    if question.takes_several:
        return tuple(value for value in question.classes if probabilities.get(value, 0.0) >= LIKELIER)
    return (max(probabilities, key=lambda value: probabilities[value]),)
