"""Lists of cases that are worth reading again, as the console shows them, and batches made of such lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.learning.duplicates import conflicting_numbers, groups_in, newest_search
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.queue.agreement import agreement_for
from annotation.queue.anchored import comparisons_for, to_read_again
from annotation.queue.batches import Gathered, make_batch, require_batch_skills
from annotation.queue.label_quality import check_for
from annotation.queue.rules import LARGEST_BATCH

# How figures of drawings call what is 1 where readers drew the same.
OVERLAP: Final = "Mean Dice"
Origin = Literal["disputed", "doubted", "hasty", "drift", "anchored", "conflicts"]
NOTHING: Final[Mapping[Origin, str]] = {
    "disputed": "no measurement of agreement names a case on which readers differ: measure it first",
    "doubted": "no check of the labels doubts one: check them first",
    "hasty": "no check of the labels found a hasty reading: check them first",
    "drift": "no check of the labels names cases of a reader who changed: check them first",
    "anchored": "no reader is surely led by suggestions: there is nothing to read again",
    "conflicts": "no search found near-duplicates with contradicting labels: search first",
}


@dataclass(frozen=True)
class Listed:
    """A list of the console, of at most so many cases.

    disputed and anchored may name a question, drift a reader, conflicts a group.
    """

    origin: Origin
    most: int = 50
    question: str = ""
    reader: str = ""
    group: int = 0


@dataclass(frozen=True)
class Batch:
    """What is asked of a batch: its cases, what readers are told, whether read ones are read again."""

    numbers: Sequence[int]
    why: str
    again: bool = False
    skills: str | Sequence[str] = ""


@transaction.atomic
def gather(*, project: Project, batch: Batch, by: User, now: datetime) -> Gathered:
    """Put cases at the front of the queue, for readers with the skills alone where any are named.

    raises: RefusedError where there is no case, too many, or no word of why; WorkloadError.
    """
    made = make_batch(
        project=project, numbers=batch.numbers, why=batch.why, by=by, now=now, again=batch.again
    )
    if made.batch and batch.skills:
        require_batch_skills(made.batch, batch.skills, by=by)
    return made


def numbers_of(user: User, project_id: UUID, wanted: Listed) -> list[int]:
    """Name the cases of a list, the worst first, at most as many as a batch holds.

    raises: Project.DoesNotExist, ForbiddenError, RefusedError where the list is empty.
    """
    found = list(dict.fromkeys(LISTS[wanted.origin](user, project_id, wanted)))
    if not found:
        raise RefusedError(NOTHING[wanted.origin])
    return found[: min(wanted.most, LARGEST_BATCH)]


def disputed(user: User, project_id: UUID, wanted: Listed) -> Iterator[int]:
    """Cases on which readers chose differently, the commonest confusion first; then the worst drawn ones."""
    measured = agreement_for(user, project_id)
    rows = measured.figures if measured else {}
    chosen = [row for key, row in rows.items() if wanted.question in ("", key)]
    for row in chosen:
        for pair in row.get("confusions", []):
            yield from pair["cases"]
    for row in chosen:
        yield from (int(number) for number, _ in apart(row))


def apart(row: Mapping[str, Any]) -> list[list[float]]:
    """Keep of a question's worst cases those on which readers differ: Dice below 1, else a value above 0."""
    alike = 1.0 if row.get("measure") == OVERLAP else 0.0
    return [one for one in row.get("worst", []) if one[1] != alike]


def doubted(user: User, project_id: UUID, _wanted: Listed) -> Iterator[int]:
    """Cases whose label is likely wrong."""
    found = check_for(user, project_id)
    return (row["number"] for row in (found.doubted if found else []))


def hasty(user: User, project_id: UUID, _wanted: Listed) -> Iterator[int]:
    """Cases that were read in a fifth of the reader's usual time."""
    found = check_for(user, project_id)
    return (row["number"] for row in (found.hasty if found else []))


def drifted(user: User, project_id: UUID, wanted: Listed) -> Iterator[int]:
    """Cases that a reader alone has read since they were right less often."""
    found = check_for(user, project_id)
    rows = [row for row in (found.drifts if found else []) if wanted.reader in ("", row["reader"])]
    return (number for row in rows for number in row["numbers"])


def anchored(user: User, project_id: UUID, wanted: Listed) -> Iterator[int]:
    """Cases whose suggestion was sent as it was by readers whom suggestions lead, the quickest first.

    Those that were read again since, or wait for it, make room for the next.
    """
    found = (one for one in comparisons_for(user, project_id) if wanted.question in ("", one.key))
    return (number for one in found for number in to_read_again(project_id, one.taken))


def conflicting(user: User, project_id: UUID, wanted: Listed) -> Iterator[int]:
    """Near-duplicates whose labels contradict each other, whole groups of them."""
    search = newest_search(user, project_id)
    if search is None:
        return
    groups = [one for one in conflicting_numbers(search) if wanted.group in (0, one)]
    for group in groups_in(search, groups[:LARGEST_BATCH]):
        yield from group.numbers


LISTS: Final = {
    "disputed": disputed,
    "doubted": doubted,
    "hasty": hasty,
    "drift": drifted,
    "anchored": anchored,
    "conflicts": conflicting,
}
