"""Readers for programs: how far they are, their workload, time sheets."""

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema

from accounts.models import Role
from annotation.api.guards import administered
from annotation.api.permissions import person, record_act
from annotation.api.responses import WRITE
from annotation.api.schemas import HaltView
from annotation.projects.members import require_skills, set_workload
from annotation.projects.workload import Plan
from annotation.queue.limits import plan_of
from annotation.queue.staffing import SUMS, ReaderRow, readers_of, time_sheet


class WorkloadBody(Schema):
    """How much a reader is to read; null: no limit, no date. away_until is the last day away."""

    target_cases: int | None = Field(None, ge=1, le=1_000_000)
    due_on: date | None = None
    open_cases: int | None = Field(None, ge=1, le=1_000)
    weekly_cases: int | None = Field(None, ge=1, le=1_000_000)
    weekly_hours: float | None = Field(None, gt=0, le=168)
    paused: bool = False
    away_from: date | None = None
    away_until: date | None = None
    skills: list[str] = Field(default_factory=list, max_length=8)


class ReaderView(Schema):
    """A reader's or adjudicator's work in a project.

    Paces and median: of the last 28 days, that of cases without the time of decisions; gap: cases ahead on
    the due day. decisions: on cases in dispute; decision_seconds: of seconds, those spent on them.
    """

    person_id: UUID
    username: str
    role: Role
    adjudicates: bool
    readings: int
    second_readings: int
    revisions: int
    decisions: int
    seconds: float
    decision_seconds: float
    cases_an_hour: float | None
    decisions_an_hour: float | None
    median_seconds: float | None
    agreement: float | None
    last_at: datetime | None
    gap: int | None
    halt: HaltView | None
    workload: WorkloadBody


class SkillsBody(Schema):
    """Tags that a project's readers must have."""

    skills: list[str] = Field(default_factory=list, max_length=8)


class SheetRowView(Schema):
    """What one person did for one project in one month; seconds: expert time, idle time left out.

    decisions: on cases in dispute; decision_seconds: of seconds, those spent on them.
    """

    month: date
    reader: str
    project: str
    readings: int
    second_readings: int
    revisions: int
    decisions: int
    seconds: float
    decision_seconds: float


router = Router(tags=["readers"])


@router.get("projects/{uuid:project_id}/readers", response={200: list[ReaderView], **WRITE})
def list_readers(request: HttpRequest, project_id: UUID) -> list[ReaderView]:
    """List a project's readers and adjudicators with their work and workload."""
    return [reader_view(row) for row in readers_of(person(request), project_id, timezone.now())]


@router.put("projects/{uuid:project_id}/readers/{uuid:person_id}", response={200: WorkloadBody, **WRITE})
def set_reader_workload(
    request: HttpRequest, project_id: UUID, person_id: UUID, body: WorkloadBody
) -> WorkloadBody:
    """Say how much a reader is to read; it holds from the next case on."""
    administered(request, project_id)
    told = body.model_dump()
    paused = told.pop("paused")
    found = set_workload(
        project_id=project_id,
        person_id=person_id,
        plan=Plan(**told | {"skills": tuple(body.skills)}),
        paused=paused,
        by=person(request),
        now=timezone.now(),
    )
    return workload_view(plan_of(found))


@router.put("projects/{uuid:project_id}/skills", response={200: SkillsBody, **WRITE})
def set_required_skills(request: HttpRequest, project_id: UUID, body: SkillsBody) -> SkillsBody:
    """Say which tags a project's readers must have."""
    project = administered(request, project_id)
    return SkillsBody(skills=list(require_skills(project=project, skills=body.skills, by=person(request))))


@router.get("timesheet", response={200: list[SheetRowView], **WRITE})
def get_timesheet(
    request: HttpRequest, first: date | None = None, last: date | None = None, project_id: UUID | None = None
) -> list[SheetRowView]:
    """Sum up expert time by month, reader and project between two days; by default of this month."""
    today = timezone.now().date()
    rows = time_sheet(
        person(request), first=first or today.replace(day=1), last=last or today, project_id=project_id
    )
    kind, key = ("project", project_id) if project_id else ("site", "")
    days = {"first": str(first or today.replace(day=1)), "last": str(last or today)}
    record_act(request, "timesheet.export", kind, key, days)
    return [SheetRowView(**vars(row)) for row in rows]


def reader_view(row: ReaderRow) -> ReaderView:
    """Show a reader."""
    same = ("cases_an_hour", "decisions_an_hour", "agreement", "last_at", "gap")
    return ReaderView(
        person_id=row.membership.user_id,
        username=row.membership.user.username,
        role=Role(row.membership.role),
        adjudicates=row.membership.adjudicates,
        **{name: getattr(row, name) for name in (*SUMS, *same)},
        median_seconds=row.recent.median_seconds,
        halt=HaltView(**vars(row.halt)) if row.halt else None,
        workload=workload_view(row.plan),
    )


def workload_view(plan: Plan) -> WorkloadBody:
    """Show a workload."""
    told = {name: value for name, value in vars(plan).items() if name != "paused_at"}
    return WorkloadBody(**told | {"paused": plan.paused_at is not None, "skills": list(plan.skills)})
