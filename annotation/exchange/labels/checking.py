"""A file of labels, taken from its bytes to readings: read, matched, composed, held against what is there.

The same walk serves the preview and the writing; the preview writes nothing.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from annotation.exchange.archives import DeliveryError
from annotation.exchange.deliveries import open_source
from annotation.exchange.labels.composing import About, composed
from annotation.exchange.labels.door import LabelDoor
from annotation.exchange.labels.matching import Cases, UnmatchedError
from annotation.exchange.labels.members import label_files, name_files
from annotation.exchange.labels.naming import ROLES, Names
from annotation.exchange.labels.statements import LabelFileError, Order, Statement
from annotation.projects.models import Case, Project, Protocol
from annotation.projects.questions import questions_of
from annotation.projects.selectors import protocol_in_force
from annotation.readings.measuring import Stack, stack_of
from annotation.readings.rules import AnswersInvalidError, AnswersTooLargeError
from annotation.readings.services import Answered, Examined, examine
from annotation.readings.sourced import sourced_answers
from annotation.studies.intake import UnreadableFileError

Progress = Callable[[float, str], None]
LINES: Final = 20_000
READING_SHARE: Final = 0.5
NEW, CHANGED, SAME, INVALID, UNMATCHED = "new", "changed", "same", "invalid", "unmatched"


@dataclass(frozen=True)
class Asked:
    """What is asked of a file: the project, the source's name, the format, the mapping."""

    project: Project
    source_name: str
    format: str
    mapping: Mapping[str, str]


@dataclass
class Found:
    """What a file says, counted, with a line for everything that needs a look."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[str, int | None, str, str]] = field(default_factory=list)
    known_sources: set[str] = field(default_factory=set)

    def note(self, where: str, case: int | None, outcome: str, words: str) -> None:
        """Add a line, while there is room; half of it is for what needs a look."""
        if len(self.lines) < (LINES if outcome in (INVALID, UNMATCHED) else LINES // 2):
            self.lines.append((where[:300], case, outcome, words[:500]))

    def sorted_lines(self) -> list[tuple[str, int | None, str, str]]:
        """Give the lines, those first that need a look."""
        return sorted(self.lines, key=lambda one: one[2] not in (INVALID, UNMATCHED))


@dataclass(frozen=True)
class Proposed:
    """A reading that would be written: whose, of which case, what it says."""

    source_name: str
    case: Case
    outcome: str
    answers: dict[str, Any]
    examined: Examined


def proposals(asked: Asked, source: Path, found: Found, progress: Progress) -> Iterator[Proposed]:
    """Give every reading that a file makes, one case after the other.

    raises: LabelFileError, MappingError, DoorBrokenError.
    """
    protocol = protocol_in_force(asked.project.pk)
    names = Names(questions_of(protocol.questions), asked.mapping)
    cases = Cases(asked.project)
    groups = grouped(read(asked, source, names, found, progress), cases, found)
    for place, ((case_id, reader), statements) in enumerate(groups.items()):
        progress(READING_SHARE + (1 - READING_SHARE) * place / len(groups), f"Case {cases.numbers[case_id]}")
        title = f"{asked.source_name} · {reader}" if reader else asked.source_name
        proposed = proposal(
            Case.objects.select_related("series").get(pk=case_id),
            statements,
            Walk(asked.project, title[:128], protocol, names, cases, found),
        )
        if proposed is not None:
            yield proposed


def read(asked: Asked, source: Path, names: Names, found: Found, progress: Progress) -> Iterator[Statement]:
    """Read every file of what was given; the bytes are opened in the sandbox alone.

    raises: LabelFileError where there is no such file, DoorBrokenError.
    """
    try:
        given = open_source(source)
    except DeliveryError as error:
        raise LabelFileError(str(error)) from None
    everything = [*given.files, *([given.table] if given.table else [])]
    chosen = label_files(everything, asked.format)
    order = Order(asked.format, "", columns_of(asked.mapping), names.wanted)
    with LabelDoor() as door:
        for one in name_files(everything, asked.format):
            with one.open() as stream:
                order = replace(order, names=order.names | door.names(replace(order, path=one.path), stream))
        for place, one in enumerate(chosen):
            progress(READING_SHARE * place / len(chosen), f"File {place + 1} of {len(chosen)}")
            found.counts["files"] += 1
            try:
                with one.open() as stream:
                    yield from door.statements(replace(order, path=one.path), stream)
            except (LabelFileError, UnreadableFileError) as error:
                found.counts["unread"] += 1
                found.note(one.path, None, INVALID, str(error))


def columns_of(mapping: Mapping[str, str]) -> dict[str, str]:
    """Give what a table's columns are mapped to; a value's mapping is no column's."""
    return {name: meaning for name, meaning in mapping.items() if ":" not in name or meaning in ROLES}


Groups = dict[tuple[UUID, str], list[About]]


def grouped(statements: Iterator[Statement], cases: Cases, found: Found) -> Groups:
    """Sort statements by the case that they are about, and by reader."""
    groups: Groups = {}
    for one in statements:
        found.counts["statements"] += 1
        if one.kind == "problem" and not (one.target.image or one.target.paths or one.target.series):
            found.counts["unread"] += 1
            found.note(one.where, None, INVALID, str(one.value.get("text", "")))
            continue
        try:
            case_id, image = cases.found(one.target)
        except UnmatchedError as error:
            found.counts[UNMATCHED] += 1
            found.note(one.where, None, UNMATCHED, told(one, error))
            continue
        groups.setdefault((case_id, one.reader), []).append(About(one, image))
    return groups


def told(one: Statement, error: UnmatchedError) -> str:
    """Say which file was looked for; original UIDs and patients' identifiers are not repeated."""
    path = one.target.paths[0] if one.target.paths and not one.target.image else ""
    return f"{path[:120]}: {error}" if path else str(error)


@dataclass(frozen=True)
class Walk:
    """What stays the same from case to case, but for the source's name."""

    project: Project
    source_name: str
    protocol: Protocol
    names: Names
    cases: Cases
    found: Found


def proposal(case: Case, statements: list[About], walk: Walk) -> Proposed | None:
    """Compose one reading and hold it against the protocol, the images and what the source said before."""
    found, loaded = walk.found, Loaded(case)
    made = composed(statements, names=walk.names, stack=loaded, uid=walk.cases.uid)
    found.counts["unused"] += made.unused
    problems = made.problems
    if not problems and not made.answers:
        return None
    before = sourced_answers(walk.project.pk, walk.source_name, [case.pk]).get(case.pk)
    answers = {**(before or {}), **made.answers}
    examined = None
    if not problems:
        if answers == before:
            found.counts[SAME] += 1
            found.known_sources.add(walk.source_name)
            return None
        examined, problems = examined_by(case, answers, walk.protocol, loaded, statements[0].statement.where)
    if problems or examined is None:
        found.counts[INVALID] += 1
        for where, words in problems:
            found.note(where, case.number, INVALID, words)
        return None
    outcome = CHANGED if before is not None else NEW
    found.counts[outcome] += 1
    return Proposed(walk.source_name, case, outcome, answers, examined)


class Loaded:
    """A case's frames, loaded once, when they are first asked for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.stack: Stack | None = None

    def __call__(self) -> Stack:
        """Give the frames."""
        self.stack = self.stack or stack_of(self._case.series)
        return self.stack


def examined_by(
    case: Case, answers: dict[str, Any], protocol: Protocol, loaded: Loaded, where: str
) -> tuple[Examined | None, list[tuple[str, str]]]:
    """Hold answers against what was asked, and measure what was drawn."""
    answered = Answered(answers, 0.0, protocol.version, uuid.UUID(int=0))
    try:
        examined = examine(
            case=case, protocol=protocol, answered=answered, stack=loaded.stack, is_whole=False
        )
    except (AnswersInvalidError, AnswersTooLargeError) as error:
        return None, [(where, str(error))]
    return examined, [(where, one.message) for one in examined.problems]
