"""Reads of what several readers, and the model, said of the same cases; for machine work, so not scoped."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import combinations, groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import JSONObject

from annotation.learning.duplicate_models import Duplicate
from annotation.learning.scanners import scanner_name
from annotation.projects.conditions import leaves
from annotation.projects.models import Case, Protocol
from annotation.projects.questions import Question, Regions, Segmentation, SomeOf, questions_of
from annotation.projects.rules import LearnedQuestion
from annotation.queue.models import Lease, Pick
from annotation.queue.suggestions import predicted
from annotation.readings.agreement.choices import MISSING
from annotation.readings.agreement.measured import Floats, Integers
from annotation.readings.agreement.report import Choices, Compared
from annotation.readings.models import Reading, Revision
from annotation.readings.repeat_models import RepeatRevision
from annotation.readings.rules import stated
from annotation.readings.selectors import revisions_in_force

CHUNK, DRAWN_CHUNK = 5000, 20
DRAWN = (Regions, Segmentation)
Questions = Sequence[Question]


@dataclass(frozen=True, slots=True)
class Said:
    """One author's answers to one case, by question key; None where nothing was said."""

    case: int
    author: str
    is_reader: bool
    site: str
    when: datetime
    answers: Mapping[str, Any]


def said_in(project_id: UUID, keys: Sequence[str], *, together: bool = False) -> Iterator[Said]:
    """Give readings in force in the order of their cases, with the answers to some questions.

    A reader who was asked and chose none of several says that none is there.
    together: only of cases that have several.
    """
    forms = {one.pk: several_of(one, keys) for one in Protocol.objects.filter(project=project_id)}
    known = [question for form in forms.values() for question in form]
    wanted = dict.fromkeys([*keys, *(one.key for one in known)])
    rows = revisions_in_force().filter(reading__case__project=project_id)
    if together:
        rows = rows.filter(reading__case__in=read_by_several(project_id))
    # An object keeps a choice called "1" apart from the number 1, which SQLite's plain extraction does not.
    answered = JSONObject(**{key: KeyTransform(key, "answers") for key in wanted})
    columns = (
        "reading__case__number",
        "reading__case__series__site",
        "reading__case__series__manufacturer",
        "reading__case__series__manufacturer_model_name",
        "created_at",
    )
    ordered = rows.order_by("reading__case__number", "pk").values(
        *columns, "reader_id", "source_id", "protocol_id", answered=answered
    )
    has_drawn = any(isinstance(one, DRAWN) for one in known)
    for row in ordered.iterator(chunk_size=DRAWN_CHUNK if has_drawn else CHUNK):
        number, site, maker, model, when = (row[column] for column in columns)
        author = row["reader_id"] or row["source_id"]
        place = site or scanner_name(maker, model)
        form = forms[row["protocol_id"]]
        answers = parsed(form, row["answered"])
        if row["reader_id"]:
            answers |= stated(form, answers)
        kept = {key: answers[key] for key in keys}
        yield Said(number, str(author), bool(row["reader_id"]), place, when, kept)


def several_of(protocol: Protocol, keys: Sequence[str]) -> Questions:
    """List questions of some keys where several may be chosen, and those that decide if they are asked."""
    found: list[Question] = []
    deciding: set[str] = set()
    for one in reversed(questions_of(protocol.questions)):  # conditions name what stands before
        if one.key in deciding or (one.key in keys and isinstance(one, SomeOf)):
            found.insert(0, one)
            deciding |= {leaf["question"] for leaf in leaves(one.when)} if one.when else set()
    return found


def parsed(form: Questions, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Read lists and objects back that SQLite gives as text where they lie inside an object."""
    nested = {one.key for one in form if isinstance(one, (SomeOf, *DRAWN)) or one.scope == "image"}
    return {
        key: json.loads(answer) if key in nested and isinstance(answer, str) else answer
        for key, answer in answers.items()
    }


def said_again_in(project_id: UUID, keys: Sequence[str]) -> Iterator[Said]:
    """Give what readers said of cases that they read again without knowing, as said_in does."""
    forms = {one.pk: several_of(one, keys) for one in Protocol.objects.filter(project=project_id)}
    wanted = dict.fromkeys([*keys, *(question.key for form in forms.values() for question in form)])
    newest = RepeatRevision.objects.filter(repeat=OuterRef("repeat")).order_by("-number").values("number")[:1]
    rows = RepeatRevision.objects.filter(number=Subquery(newest), repeat__project=project_id)
    answered = JSONObject(**{key: KeyTransform(key, "answers") for key in wanted})
    columns = ("repeat__case__number", "reader_id", "protocol_id", "created_at")
    for row in rows.order_by("pk").values(*columns, answered=answered).iterator(chunk_size=CHUNK):
        form = forms[row["protocol_id"]]
        answers = parsed(form, row["answered"])
        answers |= stated(form, answers)
        kept = {key: answers[key] for key in keys}
        yield Said(
            case=row["repeat__case__number"],
            author=str(row["reader_id"]),
            is_reader=True,
            site="",
            when=row["created_at"],
            answers=kept,
        )


def read_by_several(project_id: UUID) -> QuerySet[Reading, UUID]:
    """Name the cases that have several readings."""
    readings = Reading.objects.filter(case__project=project_id).order_by().values("case")
    return readings.annotate(count=Count("pk")).filter(count__gt=1).values_list("case", flat=True)


def revisions_of(project_id: UUID) -> Iterator[list[Revision]]:
    """Give the revisions in force of each case that has several, one case after another, with its images."""
    several = revisions_in_force().filter(reading__case__in=read_by_several(project_id))
    rows = several.select_related("reading__case__series", "protocol").order_by("reading__case__number", "pk")
    fetched = rows.prefetch_related("reading__case__series__instances").iterator(chunk_size=20)
    for _, found in groupby(fetched, key=attrgetter("reading.case_id")):
        yield list(found)


@dataclass
class Table:
    """Readings as a table of cases and authors."""

    rows: Sequence[Said]
    codes: dict[tuple[str, ...], int] = field(default_factory=dict)

    @cached_property
    def authors(self) -> list[str]:
        """Name who read, readers before sources."""
        known = {one.author: one.is_reader for one in self.rows}
        return sorted(known, key=lambda author: (not known[author], author))

    @cached_property
    def numbers(self) -> list[int]:
        """Name the cases."""
        return sorted({one.case for one in self.rows})

    @cached_property
    def places(self) -> dict[int, int]:
        """Say where each case stands."""
        return {number: place for place, number in enumerate(self.numbers)}

    @cached_property
    def columns(self) -> dict[str, int]:
        """Say where each author stands."""
        return {author: place for place, author in enumerate(self.authors)}

    def compared(self) -> Compared:
        """Give the cases with site and month; the month of a case is that of its newest reading."""
        sites, months = ([""] * len(self.numbers) for _ in range(2))
        for one in self.rows:
            at = self.places[one.case]
            sites[at], months[at] = one.site, max(months[at], f"{one.when:%Y-%m}")
        return Compared(np.array(self.numbers, dtype=np.int64), sites, months, self.authors)

    def numbers_of(self, key: str) -> Floats:
        """Give numbers, (case, author), NaN where there is none."""
        values = np.full((len(self.numbers), len(self.authors)), np.nan)
        for one in self.rows:
            answer = one.answers[key]
            if isinstance(answer, int | float) and not isinstance(answer, bool):
                values[self.places[one.case], self.columns[one.author]] = answer
        return values

    def codes_of(self, question: LearnedQuestion) -> Integers:
        """Give codes of choices, (case, author), -1 where there is none.

        Grades and single choices are numbered as the protocol orders them, several choices as they come.
        """
        words = () if question.takes_several else question.words
        self.codes = {(value,): place for place, value in enumerate(words)}
        found = np.full((len(self.numbers), len(self.authors)), MISSING, dtype=np.int64)
        for one in self.rows:
            code = self.coded(question.chosen(one.answers[question.key]))
            found[self.places[one.case], self.columns[one.author]] = code
        return found

    def coded(self, chosen: tuple[str, ...] | None) -> int:
        """Give the code of choices that are made together."""
        return MISSING if chosen is None else self.codes.setdefault(chosen, len(self.codes))


def choices_in(project_id: UUID, table: Table, question: LearnedQuestion) -> Choices:
    """Give what was chosen, with what the model would have chosen and what was read twice."""
    codes = table.codes_of(question)
    model = predicted_in(project_id, table, question)
    repeats = joined(repeats_in(project_id, table, codes), repeated_in(project_id, table, question, codes))
    return Choices(
        codes=codes,
        labels=[question.told(list(chosen)) for chosen in table.codes],
        members=[frozenset(chosen) for chosen in table.codes],
        classes=question.words,
        is_ordered=question.is_ordered,
        predicted=model,
        repeats=repeats,
    )


def predicted_in(project_id: UUID, table: Table, question: LearnedQuestion) -> Integers:
    """Give codes of what the model thought of the audit stream's cases as readers got them, unseen."""
    found = np.full((len(table.numbers), len(table.authors)), MISSING, dtype=np.int64)
    given = Pick.objects.filter(
        lease__project=project_id,
        lease__slot=0,
        lease__ending=Lease.Ending.SUBMITTED,
        stream=Case.Stream.AUDIT,
        probabilities__isnull=False,
    )
    for number, reader, probabilities in given.values_list(
        "lease__case__number", "lease__reader", "probabilities"
    ):
        row, column = table.places.get(number), table.columns.get(str(reader))
        likely: dict[str, float] = probabilities or {}
        if row is not None and column is not None and likely and likely.keys() <= question.words.keys():
            found[row, column] = table.coded(predicted(likely, question))
    return found


def repeated_in(
    project_id: UUID, table: Table, question: LearnedQuestion, codes: Integers
) -> dict[str, Integers]:
    """Give what one reader said of one case twice, as planned repeats ask; by author."""
    found: dict[str, list[list[int]]] = {}
    for one in said_again_in(project_id, [question.key]):
        row, column = table.places.get(one.case), table.columns.get(one.author)
        code = table.coded(question.chosen(one.answers[question.key]))
        if row is not None and column is not None and MISSING not in (codes[row, column], code):
            found.setdefault(one.author, []).append([int(codes[row, column]), code])
    return {author: np.array(pairs, dtype=np.int64) for author, pairs in found.items()}


def repeated_numbers(project_id: UUID, table: Table, key: str) -> dict[str, Floats]:
    """Give the numbers that one reader gave of one case twice, (repeat, 2); by author."""
    values, found = table.numbers_of(key), dict[str, list[list[float]]]()
    for one in said_again_in(project_id, [key]):
        row, column, answer = table.places.get(one.case), table.columns.get(one.author), one.answers[key]
        is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
        if row is not None and column is not None and is_number and np.isfinite(values[row, column]):
            found.setdefault(one.author, []).append([float(values[row, column]), float(answer)])
    return {author: np.array(pairs) for author, pairs in found.items()}


def joined(one: Mapping[str, Integers], other: Mapping[str, Integers]) -> dict[str, Integers]:
    """Put pairs of the same author together."""
    authors = dict.fromkeys([*one, *other])
    empty = np.zeros((0, 2), dtype=np.int64)
    return {author: np.vstack([one.get(author, empty), other.get(author, empty)]) for author in authors}


def repeats_in(project_id: UUID, table: Table, codes: Integers) -> dict[str, Integers]:
    """Give what one reader said of two images that are the same, as near-duplicates are known; by author."""
    rows = Duplicate.objects.filter(search__project=project_id).order_by("group", "case__number")
    found: dict[str, list[list[int]]] = {}
    for _, members in groupby(rows.values_list("group", "case__number"), key=lambda row: row[0]):
        known = [table.places[number] for _, number in members if number in table.places]
        for first, second in combinations(known, 2):
            for author, column in table.columns.items():
                pair = [int(codes[first, column]), int(codes[second, column])]
                if MISSING not in pair:
                    found.setdefault(author, []).append(pair)
    return {author: np.array(pairs, dtype=np.int64) for author, pairs in found.items()}
