"""Readers: how far each is, how much each is to read, and what they are paid for."""

import csv
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, admin_only, member, signed_in
from annotation.api.pages.frame import page, project_page
from annotation.api.pages.imports import plain_cells
from annotation.api.pages.jobs import ml_person
from annotation.api.pages.readers_forms import WorkloadForm
from annotation.api.permissions import person, record_act
from annotation.projects.members import membership_of, require_skills, set_workload
from annotation.projects.models import Membership
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import projects_managed
from annotation.projects.workload import WorkloadError
from annotation.queue.limits import plan_of
from annotation.queue.staffing import (
    ReaderRow,
    SheetRow,
    months_known,
    readers_everywhere,
    readers_of,
    time_sheet,
)

SHEET_HEAD = (
    "month",
    "reader",
    "project",
    "readings",
    "second_readings",
    "revisions",
    "decisions",
    "expert_hours",
    "expert_seconds",
    "decision_seconds",
)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def readers(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how far a project's readers are."""
    rows = readers_of(visit.user, visit.project.pk, timezone.now())
    return project_page(
        request, "readers/project.html", "readers", visit, rows=rows, deciding=is_deciding(rows)
    )


def is_deciding(rows: Sequence[ReaderRow]) -> bool:
    """Whether anybody adjudicates, or has."""
    return any(row.membership.adjudicates or row.decisions for row in rows)


@require_GET
@signed_in
def everywhere(request: HttpRequest) -> HttpResponse:
    """Show the readers of all projects that the person manages."""
    user = ml_person(request)
    rows = readers_everywhere(user, timezone.now())
    return page(
        request,
        "readers/everywhere.html",
        "readers",
        rows=rows,
        deciding=is_deciding(rows),
        months=months_known(user),
        projects=projects_managed(user) if user.is_admin else [],
    )


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def workload(request: HttpRequest, visit: Visit, person_id: UUID) -> HttpResponse:
    """Show and change how much a reader is to read."""
    found = found_member(visit, person_id)
    form = WorkloadForm.of(plan_of(found), request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and kept(visit, person_id, form):
            messages.success(request, f"Kept. It holds from the next case of {found.user.username} on.")
            return redirect("readers", project_id=visit.project.pk)
    return project_page(
        request, "readers/workload.html", "readers", visit, status=status, form=form, found=found
    )


def kept(visit: Visit, person_id: UUID, form: WorkloadForm) -> bool:
    """Put a form's workload in force; where it cannot be, the form says why."""
    try:
        set_workload(
            project_id=visit.project.pk,
            person_id=person_id,
            plan=form.plan(),
            paused=form.cleaned_data["paused"],
            by=visit.user,
            now=timezone.now(),
        )
    except RefusedError as error:
        form.add_error(None, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return False
    return True


def found_member(visit: Visit, person_id: UUID) -> Membership:
    """Look up a member.

    raises: Http404.
    """
    try:
        return membership_of(visit.project.pk, person_id)
    except Membership.DoesNotExist:
        raise Http404("no such member") from None


@require_POST
@member(ADMIN)
def skills(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say which tags a project's readers must have."""
    try:
        tags = require_skills(project=visit.project, skills=request.POST.get("skills", ""), by=visit.user)
    except WorkloadError as error:
        messages.error(request, f"Nothing was changed: {error}.")
    else:
        messages.success(
            request, f"Only readers with: {', '.join(tags)}." if tags else "Open to every reader."
        )
    return redirect("readers", project_id=visit.project.pk)


@require_GET
@admin_only
def sheet(request: HttpRequest) -> HttpResponse:
    """Download a month's time sheet; it is audited."""
    try:
        year, month = map(int, request.GET.get("month", "").split("-"))
        first = date(year, month, 1)
        project = UUID(request.GET["project"]) if request.GET.get("project") else None
    except ValueError:
        raise Http404("no such month or project") from None
    last = first.replace(day=monthrange(year, month)[1])
    rows = time_sheet(person(request), first=first, last=last, project_id=project)
    record_act(
        request,
        "timesheet.export",
        "project" if project else "site",
        project or "",
        {"month": f"{first:%Y-%m}"},
    )
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="time-sheet-{first:%Y-%m}.csv"'
    csv.writer(response).writerows([SHEET_HEAD, *map(cells, rows)])
    return response


def cells(row: SheetRow) -> tuple[str, ...]:
    """Write a row; no cell can be taken for a formula."""
    return plain_cells(
        (
            f"{row.month:%Y-%m}",
            row.reader,
            row.project,
            str(row.readings),
            str(row.second_readings),
            str(row.revisions),
            str(row.decisions),
            f"{row.seconds / 3600:.2f}",
            f"{row.seconds:.0f}",
            f"{row.decision_seconds:.0f}",
        )
    )
