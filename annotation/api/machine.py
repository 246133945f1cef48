"""Jobs, health and settings for programs: what the pages show and do."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.guards import administrator, confirmed
from annotation.api.pages.configured import Setting, sections
from annotation.api.pages.jobs import asked_again, ml_scopes, note
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import person
from annotation.api.responses import CONFLICT, WRITE
from annotation.learning.promotion import PROMOTING
from annotation.projects.rules import ForbiddenError, RefusedError
from jobs import health as state
from jobs.models import Job, State
from jobs.selectors import jobs_in
from jobs.services import cancel

NEWEST = ("-created_at", "-pk")


class JobLineView(Schema):
    """A job; scope_id: of the project or data set that it works for."""

    id: UUID
    name: str
    lane: str
    state: str
    scope_id: UUID | None
    attempts: int
    progress: float
    message: str
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobsView(Schema):
    """A page of jobs, the newest first; next: the cursor of the next page, null at the end."""

    jobs: list[JobLineView]
    next: str | None


class JobSearch(After):
    """Which jobs: of a state, or all."""

    state: Literal["", "queued", "running", "done", "failed", "cancelled"] = ""


class LaneView(Schema):
    """What one kind of worker has before it."""

    lane: str
    waiting: int
    running: int
    failed_today: int
    waits_seconds: float | None
    is_stuck: bool


class HealthView(Schema):
    """How the machine is; bytes and milliseconds."""

    lanes: list[LaneView]
    unsent: int
    disk_total: int
    disk_free: int
    database: str
    database_bytes: int
    database_ms: float
    unapplied_migrations: list[str]
    versions: dict[str, str]


router = Router(tags=["machine"])


@router.get("jobs", response={200: JobsView, **WRITE})
def list_jobs(request: HttpRequest, search: Query[JobSearch]) -> JobsView:
    """List the jobs of projects that the person manages, the newest first."""
    found = jobs_in(ml_scopes(seer(request)))
    rows = after(found.filter(state=search.state) if search.state else found, search, order=NEWEST)
    return JobsView(
        jobs=[JobLineView.from_orm(one) for one in rows[: search.size]],
        next=next_of(rows, search, order=NEWEST),
    )


@router.get("jobs/{uuid:job_id}", response={200: JobLineView, **WRITE})
def show_job(request: HttpRequest, job_id: UUID) -> Job:
    """Show a job."""
    return found_job(request, job_id)


@router.post("jobs/{uuid:job_id}/cancel", response={200: JobLineView, **CONFLICT})
def cancel_one_job(request: HttpRequest, job_id: UUID) -> Job:
    """Stop a job that waits or runs; one that has ended stays as it is."""
    found = found_job(request, job_id)
    with transaction.atomic():
        note(request, "job.cancel", found, "ok" if cancel(found.pk) else "unchanged")
    found.refresh_from_db()
    return found


@router.post("jobs/{uuid:job_id}/retry", response={201: JobLineView, **CONFLICT})
def retry_one_job(request: HttpRequest, job_id: UUID) -> Status[Job]:
    """Ask again for the work of a job that failed or was cancelled.

    One that takes an encoder into use wants the password typed lately.
    """
    found = found_job(request, job_id)
    if found.name in PROMOTING:
        confirmed(request)
    if found.state not in (State.FAILED, State.CANCELLED):
        raise RefusedError("only a job that failed or was cancelled can be tried again")
    with transaction.atomic():
        again = asked_again(found, person(request))
        note(request, "job.retry", found, "ok")
    return Status(201, again)


def seer(request: HttpRequest) -> Any:  # noqa: ANN401  the person, as ml_scopes takes them
    """Name who asks, where jobs concern them.

    raises: ForbiddenError.
    """
    user = person(request)
    if ml_scopes(user) == frozenset():
        raise ForbiddenError("jobs are for ML staff and administrators")
    return user


def found_job(request: HttpRequest, job_id: UUID) -> Job:
    """Find a job of the person's projects.

    raises: ForbiddenError, NotThereError.
    """
    found = jobs_in(ml_scopes(seer(request))).filter(pk=job_id).first()
    if found is None:
        raise NotThereError("there is no such job, or it is not yours to see")
    return found


@router.get("health", response={200: HealthView, **WRITE})
def show_health(request: HttpRequest) -> HealthView:
    """Say how queues, disk and database are."""
    administrator(request)
    now, room, base = timezone.now(), state.disk(), state.database()
    return HealthView(
        lanes=[LaneView(**vars(one), is_stuck=one.is_stuck) for one in state.lanes(now)],
        unsent=state.unsent(now),
        disk_total=room.total,
        disk_free=room.free,
        database=f"{base.vendor} {base.version}",
        database_bytes=base.size,
        database_ms=base.answer_ms,
        unapplied_migrations=state.unapplied(),
        versions=state.versions(),
    )


@router.get("settings", response={200: dict[str, list[Setting]], **WRITE})
def show_settings(request: HttpRequest) -> dict[str, list[Setting]]:
    """Say how this installation is configured, by section; of secrets only whether they are set."""
    administrator(request)
    return {one.title: one.settings for one in sections()}
