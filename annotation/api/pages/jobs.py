"""Machine work: what waits, runs, failed and why; stop it, or ask for it again."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from annotation.api.pages.access import denied, sees_jobs, signed_in
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.permissions import address_of, person
from annotation.learning.promotion import PROMOTING
from annotation.projects.selectors import projects_managed
from audit.services import record
from jobs.models import Job, State
from jobs.selectors import is_open, jobs_in
from jobs.services import ask, cancel

PAGE_LENGTH = 50
FILTERS = [
    ("", "All"),
    (State.RUNNING, "Running"),
    (State.QUEUED, "Waiting"),
    (State.FAILED, "Failed"),
    (State.DONE, "Done"),
    (State.CANCELLED, "Cancelled"),
]
LOOKS = {
    State.QUEUED: "",
    State.RUNNING: "live",
    State.DONE: "ok",
    State.FAILED: "bad",
    State.CANCELLED: "warn",
}


@dataclass(frozen=True)
class Row:
    """A job as a person reads it."""

    job: Job
    scope: str
    seconds: float | None
    open: bool
    look: str


@require_GET
@signed_in
def jobs(request: HttpRequest) -> HttpResponse:
    """List jobs, newest first; the list refreshes itself while something is open."""
    user, state = ml_person(request), request.GET.get("state", "")
    names = scope_names(user)
    found = jobs_in(None if user.is_admin else names.keys())
    chosen = found.filter(state=state) if state in State.values else found
    part = Paginator(chosen, PAGE_LENGTH).get_page(request.GET.get("page"))
    return page(
        request,
        "jobs/rows.html" if request.headers.get("HX-Request") else "jobs/list.html",
        "jobs",
        part=part,
        rows=[row_of(job, names) for job in part],
        filters=FILTERS,
        state=state,
    )


@require_GET
@signed_in
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show one job: progress, times, error in its own words."""
    template = "jobs/facts.html" if request.headers.get("HX-Request") else "jobs/job.html"
    return page(request, template, "jobs", row=row_of(*seen_job(request, job_id)))


@require_POST
@signed_in
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop a job that waits or runs."""
    found, _ = seen_job(request, job_id)
    with transaction.atomic():
        stopped = cancel(found.pk)
        note(request, "job.cancel", found, "ok" if stopped else "unchanged")
    if stopped:
        messages.success(request, "The job is cancelled.")
    else:
        messages.warning(request, "The job had ended already: there was nothing to cancel.")
    return redirect("job", job_id=found.pk)


@require_POST
@signed_in
def retry_job(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Ask again for the work of a job that failed or was cancelled, as a new job.

    One that takes an encoder into use wants the password typed lately.
    """
    found, _ = seen_job(request, job_id)
    return retry_confirmed(request, found) if found.name in PROMOTING else retry_seen(request, found)


def back_to_job(request: HttpRequest) -> str:
    """Go on, after the password, at the job."""
    match = request.resolver_match
    return resolve_url("job", **match.kwargs) if match else resolve_url("jobs")


@confirmed(back_to_job)
def retry_confirmed(request: HttpRequest, found: Job) -> HttpResponse:
    """Ask for it, where the password was typed lately."""
    return retry_seen(request, found)


def retry_seen(request: HttpRequest, found: Job) -> HttpResponse:
    """Ask for a job again that the person may ask for."""
    if found.state not in (State.FAILED, State.CANCELLED):
        messages.warning(request, "Only a job that failed or was cancelled can be tried again.")
        return redirect("job", job_id=found.pk)
    with transaction.atomic():
        again = asked_again(found, person(request))
        note(request, "job.retry", found, "ok")
    messages.success(request, "The work was asked for again. This is its new job.")
    return redirect("job", job_id=again.pk)


def asked_again(job: Job, by: User) -> Job:
    """Ask for the same work."""
    return ask(
        name=job.name,
        lane=job.lane,
        arguments=job.arguments,
        requested_by=by,
        scope_id=job.scope_id,
        singleton_key=job.singleton_key,
        max_attempts=job.max_attempts,
    )


def ml_scopes(user: User) -> frozenset[UUID] | None:
    """Projects and data sets whose jobs a person may see; None: all (administrators)."""
    return None if user.is_admin else frozenset(scope_names(user))


def ml_person(request: HttpRequest) -> User:
    """Take a person whom machine work concerns.

    raises: PermissionDenied for one who only reads.
    """
    if not sees_jobs(person(request)):
        raise denied(request, "site", "")
    return person(request)


def seen_job(request: HttpRequest, job_id: UUID) -> tuple[Job, dict[UUID, str]]:
    """Look up one job of the person's scopes, with the scopes' names.

    raises: Http404, PermissionDenied.
    """
    user = ml_person(request)
    names = scope_names(user)
    found = jobs_in(None if user.is_admin else names.keys()).filter(pk=job_id).first()
    if found is None:
        raise Http404("no such job")
    return found, names


def scope_names(user: User) -> dict[UUID, str]:
    """Projects whose machine work concerns the person, and their data sets, with the project's name."""
    pairs = projects_managed(user).values_list("pk", "dataset_id", "name")
    return {scope: name for project, dataset, name in pairs for scope in (project, dataset)}


def row_of(job: Job, names: dict[UUID, str]) -> Row:
    """Describe a job."""
    end = job.finished_at or timezone.now()
    return Row(
        job=job,
        scope=names.get(job.scope_id, "") if job.scope_id else "",
        seconds=(end - job.started_at).total_seconds() if job.started_at else None,
        open=is_open(job),
        look=LOOKS[State(job.state)],
    )


def note(request: HttpRequest, action: str, job: Job, outcome: str) -> None:
    """Append the audit event of an act on a job."""
    record(
        actor=str(person(request).pk),
        action=action,
        object_type="job",
        object_id=str(job.pk),
        outcome=outcome,
        remote_address=address_of(request),
        details={"job": job.name},
    )
