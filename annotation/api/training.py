"""Training runs for programs: listed, asked for, followed by their log, cancelled and resumed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.guards import confirmed
from annotation.api.organise import organised
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person, record_act
from annotation.api.responses import WRITE
from annotation.api.schemas import LARGEST_KEY, Body
from annotation.learning.judged_models import RunLine
from annotation.learning.models import TrainingRun
from annotation.learning.promotion import PROMOTING, set_sharing
from annotation.learning.selectors import learning_project, policy_of
from annotation.learning.training import (
    RUN_JOBS,
    TrainingSettings,
    request_pretraining,
    request_training,
    sharing_projects,
)
from annotation.projects.rules import RefusedError
from jobs.models import Job, State
from jobs.selectors import jobs_in
from jobs.services import ask, cancel

ORDER = ("-created_at", "id")
MOST_LINES = 500


class RunView(Schema):
    """A training: its job's state, and how far it is (0 to 1)."""

    id: UUID
    kind: str
    state: str
    progress: float
    message: str
    error: str
    settings: dict[str, Any]
    result: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


class RunDetailView(RunView):
    """A training with its loss by epoch, and what its processes took."""

    history: list[dict[str, Any]]
    samples: list[dict[str, float]]


class RunsView(Schema):
    """A page of trainings, the newest first; next: the cursor of the next page, null at the end."""

    runs: list[RunView]
    next: str | None


class LineView(Schema):
    """A line of a run's log."""

    id: int
    at: datetime
    event: str
    values: dict[str, Any]


class Lines(Schema):
    """Which lines of a log: those after one."""

    after: int = Field(0, ge=0, le=LARGEST_KEY)


class LogView(Schema):
    """Lines of a log, the oldest first; next: what to give as after for the lines that come."""

    lines: list[LineView]
    next: int


class TrainBody(Body):
    """What is trained: the encoder on the pool's labels (train), or on images (pretrain)."""

    kind: Literal["train", "pretrain"] = "train"
    mode: str = TrainingSettings.mode
    epochs: int = TrainingSettings.epochs
    minutes: float = TrainingSettings.minutes
    rate: float = TrainingSettings.rate
    batch: int = TrainingSettings.batch
    accumulate: int = TrainingSettings.accumulate
    rank: int = TrainingSettings.rank
    processes: int = TrainingSettings.processes
    flip: bool = TrainingSettings.flip
    method: str = "SimCLR"
    projects: Annotated[list[UUID], Field(max_length=100)] = []


class SharingBody(Body):
    """Whether encoders of other projects may learn from this project's images and labels."""

    share_labels: bool


class SharingView(Schema):
    """Whether encoders of other projects may learn from this project's images and labels."""

    share_labels: bool


router = Router(tags=["training"])


@router.get("projects/{uuid:project_id}/sharing", response={200: SharingView, **WRITE})
def show_sharing(request: HttpRequest, project_id: UUID) -> SharingView:
    """Say whether the project shares its images and labels."""
    return SharingView(share_labels=policy_of(person(request), project_id).share_labels)


@router.put("projects/{uuid:project_id}/sharing", response={200: SharingView, **WRITE})
def set_project_sharing(request: HttpRequest, project_id: UUID, body: SharingBody) -> SharingView:
    """Share them from the next pretraining on, or no more."""
    policy = set_sharing(
        project=organised(request, project_id),
        share_labels=body.share_labels,
        by=person(request),
        address=address_of(request),
    )
    return SharingView(share_labels=policy.share_labels)


@router.get("projects/{uuid:project_id}/runs", response={200: RunsView, **WRITE})
def list_runs(request: HttpRequest, project_id: UUID, page: Query[After]) -> RunsView:
    """List trainings of a project and its data set, the newest first."""
    rows = after(run_jobs(request, project_id), page, order=ORDER)
    known = TrainingRun.objects.in_bulk([job.pk for job in rows])
    return RunsView(
        runs=[RunView(**told(job, known.get(job.pk))) for job in rows[: page.size]],
        next=next_of(rows, page, order=ORDER),
    )


@router.post("projects/{uuid:project_id}/runs", response={202: RunView, **WRITE})
def start_run(request: HttpRequest, project_id: UUID, body: TrainBody) -> Status[RunView]:
    """Ask for a training; the labels are frozen as they are now."""
    project, user, address = organised(request, project_id), person(request), address_of(request)
    if body.kind == "train":
        names = TrainingSettings.__dataclass_fields__.keys() - {"seed"}
        settings = TrainingSettings(**{name: getattr(body, name) for name in names})
        job = request_training(
            project=project, settings=settings, by=user, now=timezone.now(), address=address
        )
    else:
        others = list(sharing_projects().filter(pk__in=body.projects))
        if len(others) < len(set(body.projects)):
            raise RefusedError("projects names one that does not share its images and labels")
        job = request_pretraining(
            project=project,
            minutes=body.minutes,
            method=body.method,
            others=others,
            by=user,
            address=address,
        )
    return Status(202, RunView(**told(job, None)))


@router.get("projects/{uuid:project_id}/runs/{uuid:run_id}", response={200: RunDetailView, **WRITE})
def show_run(request: HttpRequest, project_id: UUID, run_id: UUID) -> RunDetailView:
    """Show one training with its loss and what it took."""
    job = run_job(request, project_id, run_id)
    run = TrainingRun.objects.filter(pk=job.pk).first()
    return RunDetailView(
        **told(job, run), history=run.history if run else [], samples=run.samples if run else []
    )


@router.get("projects/{uuid:project_id}/runs/{uuid:run_id}/log", response={200: LogView, **WRITE})
def read_log(request: HttpRequest, project_id: UUID, run_id: UUID, wanted: Query[Lines]) -> LogView:
    """Give the lines of a log that came after one; ask again with next to follow it."""
    job = run_job(request, project_id, run_id)
    lines = list(RunLine.objects.filter(run_id=job.pk, pk__gt=wanted.after).order_by("pk")[:MOST_LINES])
    return LogView(
        lines=[LineView(id=one.pk, at=one.at, event=one.event, values=one.values) for one in lines],
        next=lines[-1].pk if lines else wanted.after,
    )


@router.post("projects/{uuid:project_id}/runs/{uuid:run_id}/cancellation", response={200: RunView, **WRITE})
def cancel_run(request: HttpRequest, project_id: UUID, run_id: UUID) -> RunView:
    """Stop a training that waits or runs; one that has ended stays as it is."""
    organised(request, project_id)
    job = run_job(request, project_id, run_id)
    with transaction.atomic():
        cancel(job.pk)
        record_act(request, "job.cancel", "job", job.pk, {"job": job.name})
    job.refresh_from_db()
    return RunView(**told(job, TrainingRun.objects.filter(pk=job.pk).first()))


@router.post("projects/{uuid:project_id}/runs/{uuid:run_id}/resumption", response={202: RunView, **WRITE})
def resume_run(request: HttpRequest, project_id: UUID, run_id: UUID) -> Status[RunView]:
    """Go on with a training that failed or was cancelled, where it was, as a new job.

    One that takes an encoder into use wants the password typed lately.
    """
    organised(request, project_id)
    job = run_job(request, project_id, run_id)
    if job.name in PROMOTING:
        confirmed(request)
    if job.state not in (State.FAILED, State.CANCELLED):
        raise RefusedError("only a training that failed or was cancelled can be resumed")
    with transaction.atomic():
        again = ask(
            name=job.name,
            lane=job.lane,
            arguments=job.arguments,
            requested_by=person(request),
            scope_id=job.scope_id,
            singleton_key=job.singleton_key,
            max_attempts=job.max_attempts,
        )
        record_act(request, "job.retry", "job", job.pk, {"job": job.name})
    return Status(202, RunView(**told(again, None)))


def run_jobs(request: HttpRequest, project_id: UUID) -> QuerySet[Job]:
    """List training jobs that the person may see, newest first.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    project = learning_project(person(request), project_id)
    return jobs_in([project.pk, project.dataset_id]).filter(name__in=RUN_JOBS)


def run_job(request: HttpRequest, project_id: UUID, run_id: UUID) -> Job:
    """Find one training job.

    raises: NotThereError.
    """
    job = run_jobs(request, project_id).filter(pk=run_id).first()
    if job is None:
        raise NotThereError(f"there is no run {run_id}")
    return job


def told(job: Job, run: TrainingRun | None) -> Mapping[str, Any]:
    """Describe a training."""
    return {
        "id": job.pk,
        "kind": job.name,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "error": job.error,
        "settings": run.settings if run else job.arguments.get("settings", {}),
        "result": run.result if run else {},
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
