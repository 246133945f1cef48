"""The label quality page: likely wrong labels, hasty readings, readers who changed; each to be read again."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.similar import batch_of_form
from annotation.api.pages.splits import progress
from annotation.queue.agreement import author_names
from annotation.queue.label_quality import FEWEST_READINGS, check_for, request_check
from annotation.queue.mistakes import READ_AGAIN
from jobs.selectors import jobs_now

JOBS = ["check_labels"]
SHOWN = 50


@require_GET
@member(Role.ML_STAFF, ADMIN)
def label_quality(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what the newest check found."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "label-quality", JOBS)
    found = check_for(visit.user, visit.project.pk)
    names = author_names(visit.project.pk)
    hasty = found.hasty[:SHOWN] if found else []
    return project_page(
        request,
        "learning/label_quality.html",
        "learning",
        visit,
        found=found,
        doubted=found.doubted[:SHOWN] if found else [],
        hasty=[one | {"reader": names.get(one["reader"], "")} for one in hasty],
        drifts=[drift_shown(one, names) for one in (found.drifts if found else [])[:SHOWN]],
        fewest=FEWEST_READINGS,
        **jobs_now([visit.project.pk], JOBS)._asdict(),
    )


def drift_shown(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Name the reader of a row, and read its days."""
    weeks = [one | {"week": date.fromisoformat(one["week"])} for one in row["weeks"]]
    change = row["change"] and row["change"] | {"since": date.fromisoformat(row["change"]["since"])}
    known = {"reader": names.get(row["reader"], ""), "weeks": weeks, "change": change}
    counts = {name: sum(one[name] for one in weeks) for name in ("right", "of")}
    return row | known | counts | {"share": counts["right"] / counts["of"], "newest": weeks[-1]}


@require_POST
@member(Role.ML_STAFF)
def check_labels(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a check."""
    request_check(project=visit.project, by=visit.user)
    messages.success(request, "Asked for. It takes seconds.")
    return redirect("label-quality", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def read_doubted(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Have the cases of a list read again by another reader: a query batch."""
    batch_of_form(request, visit, why=READ_AGAIN, again=True)
    page = "anchoring" if request.POST.get("list") == "anchoring" else "label-quality"
    return redirect(page, project_id=visit.project.pk)
