"""A project's data for programs: cases by filters, the split, near-duplicates, coverage."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.api.schemas import LARGEST
from annotation.learning.duplicates import (
    conflicting_numbers,
    group_numbers,
    groups_in,
    newest_search,
    request_duplicates,
    request_split,
)
from annotation.learning.selectors import learning_project
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import role_in
from annotation.projects.splits import Wanted, parts_for, split_of
from annotation.projects.splitting import LIKENESS
from annotation.queue.coverage import coverage_of
from annotation.queue.dataset import MOST_PAGE, PAGE, CaseRow, Cursor, Filters, case_page

MOST_GROUPS = 100
FORBIDDEN = "data are organised by ML staff"


class CaseFilters(Schema):
    """What cases are looked for; "none": those of which nothing is told. after: the last number of a page."""

    modality: str = ""
    body_part: str = ""
    scanner: str = Field("", description="maker and model with a bar between them")
    site: str = ""
    label: str = ""
    status: str = ""
    part: str = ""
    stream: str = ""
    after: int = Field(0, ge=0, le=LARGEST)
    size: int = Field(PAGE, ge=1, le=MOST_PAGE)


class CaseLineView(Schema):
    """A case as the list shows it."""

    id: UUID
    number: int
    study_id: UUID
    modality: str
    body_part: str
    site: str
    manufacturer: str
    manufacturer_model_name: str
    magnetic_field_strength: str
    convolution_kernel: str
    label: str
    status: str
    stream: str
    part: str


class CasesView(Schema):
    """A page of cases; next: what to give as after, 0 at the end. count: at most 10,001."""

    cases: list[CaseLineView]
    next: int
    count: int


class PartView(Schema):
    """A part of the split; "" holds who is not placed."""

    part: str
    patients: int
    cases: int


class SplitView(Schema):
    """How patients are divided; crossing: near-duplicates, by case number, that were placed apart."""

    is_made: bool
    val_share: float
    test_share: float
    seed: int
    likeness: float
    parts: list[PartView]
    crossing: list[list[int]]


class SplitBody(Schema):
    """How to divide patients who have no place yet."""

    val_share: float = 0.15
    test_share: float = 0.15
    seed: int = Field(0, ge=0, le=LARGEST)
    likeness: float = LIKENESS


class LikenessBody(Schema):
    """From which cosine on two images are near-duplicates."""

    likeness: float = LIKENESS


class JobView(Schema):
    """The job that was asked for."""

    job: UUID
    state: str


class GroupView(Schema):
    """Near-duplicates; labels: in words, by case number."""

    group: int
    cases: list[int]
    likeness: float
    labels: dict[int, str]
    conflicts: bool


class DuplicatesView(Schema):
    """What the newest search found; groups: the most alike first, a hundred at a time."""

    likeness: float
    searched: int
    groups: list[GroupView]
    group_count: int
    conflicts: list[int]


class CoverageView(Schema):
    """What a scanner at a site has given; labels: by class."""

    site: str
    manufacturer: str
    manufacturer_model_name: str
    magnetic_field_strength: str
    convolution_kernel: str
    cases: int
    read: int
    labels: dict[str, int]


router = Router(tags=["data"])


@router.get("projects/{uuid:project_id}/cases", response={200: CasesView, **WRITE})
def list_cases(request: HttpRequest, project_id: UUID, wanted: Query[CaseFilters]) -> CasesView:
    """List a project's cases by number, filtered, a page at a time."""
    told = wanted.model_dump()
    cursor = Cursor(after=told.pop("after"), size=told.pop("size"))
    found = case_page(person(request), project_id, Filters(**told), cursor)
    return CasesView(cases=[line_of(row) for row in found.rows], next=found.next, count=found.count)


@router.get("projects/{uuid:project_id}/split", response={200: SplitView, **WRITE})
def show_split(request: HttpRequest, project_id: UUID) -> SplitView:
    """Say how a project's patients are divided."""
    user = person(request)
    project = learning_project(user, project_id)
    split = split_of(project.pk)
    wanted = split or Wanted()
    return SplitView(
        is_made=split is not None,
        **{name: getattr(wanted, name) for name in ("val_share", "test_share", "seed", "likeness")},
        parts=[PartView(**vars(row)) for row in parts_for(user, project.pk)],
        crossing=split.figures.get("crossing", []) if split else [],
    )


@router.post("projects/{uuid:project_id}/split", response={202: JobView, **WRITE})
def make_split(request: HttpRequest, project_id: UUID, body: SplitBody) -> Status[JobView]:
    """Ask for patients who have no place to be placed; who has one keeps it."""
    project = organised(request, project_id)
    wanted = Wanted(**body.model_dump())
    job = request_split(project=project, wanted=wanted, by=person(request), now=timezone.now())
    return Status(202, JobView(job=job.pk, state=job.state))


@router.get("projects/{uuid:project_id}/duplicates", response={200: DuplicatesView, **WRITE})
def list_duplicates(
    request: HttpRequest, project_id: UUID, after: int = 0, *, conflicts: bool = False
) -> DuplicatesView:
    """List groups of near-duplicates after a group's number; conflicts: those with contradicting labels."""
    search = newest_search(person(request), project_id)
    if search is None:
        return DuplicatesView(likeness=LIKENESS, searched=0, groups=[], group_count=0, conflicts=[])
    contradicting = conflicting_numbers(search)
    numbers = contradicting if conflicts else group_numbers(search)
    shown = [number for number in numbers if number > after][:MOST_GROUPS]
    return DuplicatesView(
        likeness=search.likeness,
        searched=search.searched,
        groups=[
            GroupView(
                group=one.number,
                cases=one.numbers,
                likeness=one.likeness,
                labels={member.case.number: label for member, label in one.labelled if label},
                conflicts=one.conflicts,
            )
            for one in groups_in(search, shown)
        ],
        group_count=search.group_count,
        conflicts=contradicting,
    )


@router.post("projects/{uuid:project_id}/duplicates", response={202: JobView, **WRITE})
def find_duplicates(request: HttpRequest, project_id: UUID, body: LikenessBody) -> Status[JobView]:
    """Ask for the near-duplicates among a project's images."""
    project = organised(request, project_id)
    job = request_duplicates(project=project, likeness=body.likeness, by=person(request))
    return Status(202, JobView(job=job.pk, state=job.state))


@router.get("projects/{uuid:project_id}/coverage", response={200: list[CoverageView], **WRITE})
def list_coverage(request: HttpRequest, project_id: UUID) -> list[CoverageView]:
    """List what each site and scanner has given."""
    found = coverage_of(person(request), project_id)
    return [
        CoverageView(
            **row.device._asdict(),
            cases=row.cases,
            read=row.read,
            labels={value: row.labels[value] for value in found.classes},
        )
        for row in found.rows
    ]


def organised(request: HttpRequest, project_id: UUID) -> Project:
    """Find a project whose data the person may organise.

    raises: Project.DoesNotExist, ForbiddenError to who is not of its ML staff.
    """
    user = person(request)
    project = learning_project(user, project_id)
    if role_in(user, project_id) != "ml_staff":
        raise ForbiddenError(FORBIDDEN)
    return project


def line_of(row: CaseRow) -> CaseLineView:
    """Show a case of the list."""
    made: Any = row.acquisition
    names = ("modality", "site", "manufacturer", "manufacturer_model_name")
    more = ("magnetic_field_strength", "convolution_kernel")
    return CaseLineView(
        id=row.case.pk,
        number=row.case.number,
        study_id=row.case.series.study_id,
        body_part=made.body_part_examined if made else "",
        **{name: getattr(made, name) if made else "" for name in (*names, *more)},
        label=row.label,
        status=row.status,
        stream=row.case.stream,
        part=row.case.part,
    )
