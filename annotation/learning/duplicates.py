"""Near-duplicates of a project: asked for, kept by a job, read with the labels that they carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.learning.models import Encoder
from annotation.learning.selectors import learning_project
from annotation.projects.models import Project
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.projects.services import record_act
from annotation.projects.splits import Wanted, save_split, split_of
from annotation.projects.splitting import LIKENESS, checked_likeness
from annotation.readings.models import ReferenceStandard
from jobs.models import Job, Lane


@transaction.atomic
def request_duplicates(*, project: Project, likeness: float, by: User | None) -> Job:
    """Ask the light lane for the near-duplicates among a project's images.

    raises: RefusedError where the likeness is out of bounds.
    """
    checked_likeness(likeness)
    job = ask_for_project("find_duplicates", project_id=project.pk, lane=Lane.LIGHT, by=by, likeness=likeness)
    record_act("duplicates.search", project.pk, by=by, details={"likeness": likeness})
    return job


@transaction.atomic
def request_split(*, project: Project, wanted: Wanted, by: User | None, now: datetime) -> Job:
    """Say how patients are to be divided, and ask the light lane to place those who have no place.

    raises: RefusedError naming the field.
    """
    save_split(project=project, wanted=wanted, by=by, now=now)
    return ask_placing(project.pk, by=by)


def ask_placing(project_id: UUID, *, by: User | None = None) -> Job:
    """Ask the light lane to place the patients of a project that has a split."""
    return ask_for_project("place_split", project_id=project_id, lane=Lane.LIGHT, by=by)


@dataclass(frozen=True)
class Member:
    """A case in a group of near-duplicates, and how like the member most like it it is."""

    case_id: UUID
    group: int
    likeness: float


@dataclass(frozen=True)
class Found:
    """What a search found."""

    likeness: float
    searched: int
    groups: int
    members: Sequence[Member]
    seconds: float


@transaction.atomic
def keep_duplicates(
    *, project: Project, encoder: Encoder, found: Found, job_id: UUID, now: datetime
) -> DuplicateSearch:
    """Keep what a job found in place of what older ones did; the same job again changes nothing."""
    made = DuplicateSearch.objects.filter(job_id=job_id).first()
    if made is not None:
        return made
    DuplicateSearch.objects.filter(project=project).delete()
    search = DuplicateSearch.objects.create(
        project=project,
        encoder=encoder,
        likeness=found.likeness,
        searched=found.searched,
        group_count=found.groups,
        seconds=found.seconds,
        job_id=job_id,
        created_at=now,
    )
    Duplicate.objects.bulk_create(
        Duplicate(search=search, case_id=one.case_id, group=one.group, likeness=one.likeness)
        for one in found.members
    )
    return search


def newest_search(user: User, project_id: UUID) -> DuplicateSearch | None:
    """Find what is known of a project's near-duplicates.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    searches = DuplicateSearch.objects.filter(project=learning_project(user, project_id))
    return searches.select_related("encoder").first()


def likeness_in_use(project_id: UUID) -> float:
    """Give the cosine from which a project's images count as the same: its split's, else the default."""
    split = split_of(project_id)
    return split.likeness if split else LIKENESS


@dataclass(frozen=True)
class Group:
    """Cases that the encoder takes for one image, most alike first; labels: in words, by what they say."""

    number: int
    members: list[Duplicate]
    labels: dict[UUID, str]

    @property
    def conflicts(self) -> bool:
        """Whether its labels contradict each other."""
        return len(set(self.labels.values())) > 1

    @property
    def labelled(self) -> list[tuple[Duplicate, str]]:
        """Its members, each with its label in words; "" where there is none."""
        return [(one, self.labels.get(one.case_id, "")) for one in self.members]

    @property
    def numbers(self) -> list[int]:
        """Numbers of its cases."""
        return [one.case.number for one in self.members]

    @property
    def likeness(self) -> float:
        """The largest."""
        return max(one.likeness for one in self.members)


def group_numbers(search: DuplicateSearch) -> list[int]:
    """List the groups, the most alike first."""
    return list(range(1, search.group_count + 1))


def conflicting_numbers(search: DuplicateSearch) -> list[int]:
    """List the groups whose labels contradict each other, in two queries."""
    question = question_learned(search.project_id)
    said: dict[int, set[tuple[str, ...]]] = {}
    labelled = ReferenceStandard.objects.filter(case=OuterRef("case"))
    rows = search.members.filter(Exists(labelled)).order_by()
    for group, answers in rows.values_list("group", F("case__reference__answers")):
        chosen = question.chosen(answers.get(question.key))
        if chosen is not None:
            said.setdefault(group, set()).add(chosen)
    return sorted(group for group, labels in said.items() if len(labels) > 1)


def groups_in(search: DuplicateSearch, numbers: Sequence[int]) -> list[Group]:
    """Give groups with their cases, places in the queue and labels, in the order of the numbers."""
    question = question_learned(search.project_id)
    rows = search.members.filter(group__in=numbers).select_related(
        "case__entry", "case__series", "case__reference", "case__patient"
    )
    members: dict[int, list[Duplicate]] = {}
    for one in rows.order_by("group", "-likeness", "case__number"):
        members.setdefault(one.group, []).append(one)
    known = [(number, members[number]) for number in numbers if number in members]
    return [Group(number, found, labels_of(found, question)) for number, found in known]


def labels_of(members: Sequence[Duplicate], question: LearnedQuestion) -> dict[UUID, str]:
    """Put what is labelled into words, by case."""
    found: dict[UUID, str] = {}
    for one in members:
        standard: Any = getattr(one.case, "reference", None)
        answer = standard.answers.get(question.key) if standard else None
        if question.chosen(answer) is not None:
            found[one.case_id] = question.told(answer)
    return found
