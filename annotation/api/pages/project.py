"""A project's overview."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.models import Role
from annotation.api.pages.access import Visit, member
from annotation.api.pages.frame import project_page
from annotation.projects.selectors import cases_for, members_for, project_overview
from annotation.queue.remarks import notes_for
from annotation.queue.selectors import queue_overview
from annotation.readings.selectors import counts_by_reader

NEWEST = 12


@dataclass(frozen=True)
class ReaderRow:
    """How far one reader is; pace: mean expert seconds a case."""

    name: str
    readings: int
    seconds: float
    pace: float


@require_GET
@member()
def project(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show counts; to those who do not read also the readers' progress and the newest cases."""
    queue = queue_overview(visit.user, visit.project.pk)
    readable = sum(queue.values())
    return project_page(
        request,
        "project/overview.html",
        "overview",
        visit,
        overview=project_overview(visit.user, visit.project.pk),
        queue=queue,
        readable=readable,
        share_read=queue["done"] / readable if readable else 0.0,
        members=members_for(visit.user, visit.project.pk),
        **for_those_who_manage(visit),
    )


def for_those_who_manage(visit: Visit) -> dict[str, Any]:
    """Collect what readers are not shown: each other's pace, and cases that are not theirs to read now."""
    if visit.role == Role.READER:
        return {}
    cases = cases_for(visit.user).filter(project=visit.project).select_related("entry")
    return {
        "readers": reader_rows(visit),
        "notes": notes_for(visit.user, visit.project.pk),
        "newest": cases.order_by("-number")[:NEWEST],
    }


def reader_rows(visit: Visit) -> list[ReaderRow]:
    """Sum up each reader."""
    counts = counts_by_reader(visit.user, visit.project.pk)
    return [
        ReaderRow(one["username"], one["readings"], one["seconds"], one["seconds"] / one["readings"])
        for one in counts
    ]
