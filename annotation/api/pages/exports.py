"""Labels out: choose what is frozen and a format, follow the job, fetch the file until it expires."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.exports import sent
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import project_page
from annotation.api.pages.taking import made_by
from annotation.api.permissions import address_of
from annotation.exchange.out.catalogue import ALL_FORMATS, FORMATS, Format
from annotation.exchange.out.models import Export
from annotation.exchange.out.selectors import exports_for, snapshots_for
from annotation.exchange.out.services import ExpiredError, request_export
from annotation.learning.models import Snapshot
from annotation.projects.rules import RefusedError
from annotation.readings.selectors import label_count
from jobs.models import OPEN, Job, State

EXPORTS_SHOWN, SNAPSHOTS_SHOWN = 30, 20
NOW = "now"


class ExportForm(forms.Form):
    """Which snapshot, in which format."""

    snapshot = forms.CharField(max_length=64)
    format = forms.ChoiceField(
        choices=[(one.name, one.title) for one in FORMATS.values()],
        error_messages={"required": "Choose a format.", "invalid_choice": "Choose one of the formats."},
    )


@dataclass(frozen=True)
class Row:
    """An export as a person reads it; state: making, ready, failed, cancelled or expired."""

    export: Export
    format: Format
    job: Job | None
    state: str

    @property
    def is_open(self) -> bool:
        """Whether its job waits or runs."""
        return self.state == "making"

    @property
    def error(self) -> str:
        """Why it failed, without the name of the error's class."""
        told = self.job.error if self.job else ""
        return told.partition(": ")[2] or told


@require_GET
@member(Role.ML_STAFF, ADMIN)
def exports(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the form and the exports, or with ?part=list these alone as they go."""
    form = ExportForm(
        initial={"snapshot": request.GET.get("snapshot", NOW), "format": request.GET.get("format")}
    )
    if request.GET.get("part") != "list":
        return shown(request, visit, form)
    rows = rows_of(visit)
    if not any(row.is_open for row in rows):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return project_page(request, "exports/list.html", "exports", visit, rows=rows, live=True)


def shown(request: HttpRequest, visit: Visit, form: ExportForm, *, status: int = 200) -> HttpResponse:
    """Render the page."""
    rows = rows_of(visit)
    ready = request.GET.get("ready", "")
    return project_page(
        request,
        "exports/page.html",
        "exports",
        visit,
        status=status,
        form=form,
        chosen_format=form["format"].value() or "csv",
        chosen_snapshot=form["snapshot"].value() or NOW,
        groups=groups(),
        snapshots=snapshots_for(visit.user, visit.project.pk)[:SNAPSHOTS_SHOWN],
        labels=label_count(visit.project.pk),
        rows=rows,
        live=any(row.is_open for row in rows),
        ready=next((row for row in rows if str(row.export.pk) == ready and row.state == "ready"), None),
    )


def groups() -> list[tuple[str, list[Format]]]:
    """Sort the formats by what they are."""
    names = dict.fromkeys(one.group for one in FORMATS.values())
    return [(name, [one for one in FORMATS.values() if one.group == name]) for name in names]


def rows_of(visit: Visit) -> list[Row]:
    """List the newest exports with their jobs."""
    found = list(exports_for(visit.user, visit.project.pk)[:EXPORTS_SHOWN])
    jobs = Job.objects.in_bulk([one.job_id for one in found if one.job_id])
    return [row_of(one, jobs.get(one.job_id) if one.job_id else None) for one in found]


def row_of(export: Export, job: Job | None) -> Row:
    """Say where an export stands."""
    if export.removed_at or (export.expires_at and export.expires_at <= timezone.now()):
        state = "expired"
    elif export.ready_at:
        state = "ready"
    elif job is not None and job.state in OPEN:
        state = "making"
    else:
        state = "cancelled" if job is not None and job.state == State.CANCELLED else "failed"
    return Row(export, ALL_FORMATS[export.format], job, state)


def back_to_choice(request: HttpRequest) -> str:
    """Go on, after the password, where the choice stands as it was made."""
    match = request.resolver_match
    page = resolve_url("exports", project_id=match.kwargs["project_id"]) if match else resolve_url("home")
    chosen = {name: request.POST.get(name, "") for name in ("snapshot", "format")}
    if match and "export_id" in match.kwargs:
        chosen = {"ready": str(match.kwargs["export_id"])}
    return f"{page}?{urlencode(chosen)}"


@require_POST
@member(Role.ML_STAFF, ADMIN)
def start(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask for an export."""
    return start_confirmed(request, visit)


@confirmed(back_to_choice)
def start_confirmed(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for it, where the password was typed lately."""
    form = ExportForm(request.POST)

    def ask() -> Export:
        return request_export(
            project=visit.project,
            name=form.cleaned_data["format"],
            snapshot=chosen_snapshot(visit, form.cleaned_data["snapshot"]),
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        )

    if made_by(form, ask) is None:
        return shown(request, visit, form, status=422)
    messages.success(request, "The export is asked for. It runs beside the readers; this page follows it.")
    return redirect("exports", project_id=visit.project.pk)


def chosen_snapshot(visit: Visit, digest: str) -> Snapshot | None:
    """Find the snapshot that was chosen; None to freeze one.

    raises: RefusedError.
    """
    if digest == NOW:
        return None
    found = snapshots_for(visit.user, visit.project.pk).filter(digest=digest).first()
    if found is None:
        raise RefusedError("there is no such snapshot: choose another, or freeze one now")
    return found


@require_GET
@member(Role.ML_STAFF, ADMIN)
def fetch(request: HttpRequest, visit: Visit, export_id: UUID) -> HttpResponseBase:
    """Send an export's file."""
    return fetch_confirmed(request, visit, found_export(visit, export_id))


def found_export(visit: Visit, export_id: UUID) -> Export:
    """Find one of the project's exports.

    raises: Http404.
    """
    found = exports_for(visit.user, visit.project.pk).filter(pk=export_id).first()
    if found is None:
        raise Http404("no such export")
    return found


@confirmed(back_to_choice)
def fetch_confirmed(request: HttpRequest, visit: Visit, export: Export) -> HttpResponseBase:
    """Send it, where the password was typed lately; fetching is audited."""
    try:
        with transaction.atomic():
            return sent(export, visit.user, address_of(request))
    except ExpiredError as error:
        messages.warning(request, f"Nothing was sent: {error}.")
        return redirect("exports", project_id=visit.project.pk)
