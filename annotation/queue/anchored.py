"""Reads of what was suggested and what became of it, for the comparison with blank starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef
from django.db.models.fields.json import KeyTransform

from accounts.models import User
from annotation.learning.drawn import Drawable, drawn_questions
from annotation.learning.selectors import learning_project
from annotation.projects.questions import Segmentation
from annotation.projects.rules import LearnedQuestion, first_learnable
from annotation.projects.selectors import protocol_in_force, question_learned
from annotation.queue.anchoring import (
    CONTROL,
    SHOWN,
    UNSEEN,
    Fact,
    Row,
    compared,
    rows_by,
    taken_by_led,
    told,
)
from annotation.queue.models import Entry
from annotation.queue.suggestions import predicted
from annotation.readings.models import Reading, Revision

# The newest readings that a comparison looks at.
MOST_READINGS = 5000
PARTS = ("agreement", "withheld", "shown", "taken", "accepted", "edited", "left")


@dataclass(frozen=True)
class Comparison:
    """One question's readings, those that saw the suggestion against those that started blank.

    measure: how agreement with the suggestion is told. labels: none where it is drawn. unseen: readings
    whose reader did not look. facts: what is compared, oldest first. taken: numbers of the cases whose
    suggestion was sent as it was by readers whom suggestions lead.
    """

    key: str
    prompt: str
    measure: str
    verdict: str
    all: Row
    labels: list[Row]
    readers: list[Row]
    unseen: int
    facts: Sequence[Fact]
    taken: list[int]


def comparisons_for(user: User, project_id: UUID) -> list[Comparison]:
    """Compare a project's readings, question by question.

    raises: Project.DoesNotExist, ForbiddenError for readers.
    """
    facts = facts_by_question(user, project_id)
    protocol = protocol_in_force(project_id)
    learned = first_learnable(protocol.questions)
    drawn = {one.key: one for one in drawn_questions(protocol)}
    readers = list(numbered_readers(project_id).values())
    return [comparison_of(drawn.get(key) or learned, part, readers) for key, part in facts.items()]


def to_read_again(project_id: UUID, numbers: Sequence[int]) -> list[int]:
    """Leave out of cases those that several have read, and those that an open batch waits for."""
    readings = Reading.objects.filter(case__project=project_id, case__number__in=numbers)
    several = readings.order_by().values("case__number").annotate(count=Count("pk")).filter(count__gt=1)
    asked = Entry.objects.filter(project=project_id, case__number__in=numbers, batch__isnull=False)
    asked = asked.exclude(state=Entry.State.DONE)
    done = {row["case__number"] for row in several} | set(asked.values_list("case__number", flat=True))
    return [number for number in numbers if number not in done]


def comparison_of(
    question: Drawable | LearnedQuestion, facts: Sequence[Fact], readers: Sequence[str]
) -> Comparison:
    """Compare one question's readings."""
    is_chosen = isinstance(question, LearnedQuestion)
    measure = "Agreement"
    if not is_chosen:
        measure = "Dice" if question.kind == "segmentation" else "F1 of regions"
    everything = compared("All readings", facts)
    by_reader = rows_by(facts, lambda one: one.reader, readers)
    values = dict.fromkeys(one.label for one in facts)
    return Comparison(
        key=question.key,
        prompt=question.prompt,
        measure=measure,
        verdict=told(everything),
        all=everything,
        labels=rows_by(facts, lambda one: one.label, values) if is_chosen else [],
        readers=by_reader,
        unseen=sum(one.side == UNSEEN for one in facts),
        facts=facts,
        taken=taken_by_led(everything, by_reader, facts),
    )


def facts_by_question(user: User, project_id: UUID) -> dict[str, list[Fact]]:
    """Collect first readings with a suggestion, oldest first, by the question that it was of.

    Readers go by number. raises: Project.DoesNotExist, ForbiddenError for readers.
    """
    project = learning_project(user, project_id)
    readers = numbered_readers(project.pk)
    learned = question_learned(project.pk)
    drawn = drawn_questions(protocol_in_force(project.pk))
    found: dict[str, list[Fact]] = {}
    for row in rows_of(project.pk, learned.key, drawn):
        reader = readers[row["reading__reader"]]
        fact = fact_of_answer(row, learned, reader)
        if fact is not None:
            found.setdefault(learned.key, []).append(fact)
        for question in drawn:
            if row[f"{question.key}/agreement"] is not None:
                found.setdefault(question.key, []).append(fact_of_drawing(row, question, reader))
    return found


def numbered_readers(project_id: UUID) -> dict[Any, str]:
    """Name the project's readers by number, as a case's page does; one reading of each is looked for."""
    read = Reading.objects.filter(case__project=project_id, reader=OuterRef("pk"))
    ids = User.objects.filter(Exists(read)).order_by("pk").values_list("pk", flat=True)
    return {reader: f"Reader {number}" for number, reader in enumerate(ids, start=1)}


def rows_of(project_id: UUID, learned: str, drawn: list[Drawable]) -> list[dict[str, Any]]:
    """Read what is compared, and leave the masks themselves where they are."""
    suggested = Revision.objects.filter(reading__case__project=project_id, number=1, suggestion__isnull=False)
    named: dict[str, Any] = {
        name: KeyTransform(name, "suggestion") for name in ("question", "probabilities", "withheld", "shown")
    }
    if learned:
        named["answer"] = KeyTransform(learned, "answers")
    for question in drawn:
        own = KeyTransform(question.key, KeyTransform("drawn", "suggestion"))
        named |= {f"{question.key}/{part}": KeyTransform(part, own) for part in PARTS}
    rows = suggested.order_by("-created_at", "-pk").values(
        "reading__reader", "reading__case__number", spent=F("seconds"), **named
    )
    return [dict(row) for row in rows[:MOST_READINGS]][::-1]


def side_of(withheld: str, shown: str) -> str:
    """Name the side of the comparison; nothing where the reading is on neither."""
    if withheld == CONTROL:
        return CONTROL
    return "" if withheld else (SHOWN if shown else UNSEEN)


def fact_of_answer(row: Mapping[str, Any], question: LearnedQuestion, reader: str) -> Fact | None:
    """Read a class suggestion; None where there was none, or the reading judges the model."""
    probabilities, side = row["probabilities"], side_of(row["withheld"] or "", row["shown"] or "")
    if not probabilities or not side or row["question"] != question.key:
        return None
    suggested = predicted(probabilities, question)
    agrees = float(question.chosen(row.get("answer")) == suggested)
    label = question.told(list(suggested))
    accepted = agrees if side == SHOWN else None
    return Fact(reader, label, side, agrees, row["spent"], accepted, row["reading__case__number"])


def fact_of_drawing(row: Mapping[str, Any], question: Drawable, reader: str) -> Fact:
    """Read a proposed mask or proposed regions."""
    own = {part: row[f"{question.key}/{part}"] for part in PARTS}
    side = side_of(own["withheld"] or "", own["shown"] or "")
    accepted = accepted_of(own, is_mask=isinstance(question, Segmentation)) if side == SHOWN else None
    number = row["reading__case__number"]
    return Fact(reader, question.prompt, side, float(own["agreement"]), row["spent"], accepted, number)


def accepted_of(own: Mapping[str, Any], *, is_mask: bool) -> float | None:
    """Share of what was proposed that was sent as it was; None where nothing was proposed."""
    if is_mask:
        return float(bool(own["taken"]))
    proposed = (own["accepted"] or 0) + (own["edited"] or 0) + (own["left"] or 0)
    return own["accepted"] / proposed if proposed else None
