"""The frame that every page stands in: what the bar and the project's tabs need."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, sees_jobs
from annotation.api.permissions import person

ROLE_WORDS = {Role.READER: "Reader", Role.ML_STAFF: "ML staff", ADMIN: "Administrator"}


def page(
    request: HttpRequest, template: str, place: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page for the person who is signed in; `place` is the bar's current entry."""
    user = person(request)
    framed = {
        "place": place,
        "sees_jobs": sees_jobs(user),
        "role_label": "Administrator" if user.is_admin else "",
        **context,
    }
    return render(request, template, framed, status=status)


def project_page(
    request: HttpRequest, template: str, place: str, visit: Visit, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page of a project; `place` is the current tab."""
    words = ROLE_WORDS.get(visit.role, "")
    framed = {"project": visit.project, "role": visit.role, "visit": visit, "role_label": words}
    return page(request, template, place, status=status, **(framed | context))
