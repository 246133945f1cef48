"""The frame that every page stands in: what the bar and the project's tabs need."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop

from accounts.models import Role, User
from annotation.api.pages.access import ADMIN, Visit, sees_jobs
from annotation.api.permissions import person
from annotation.projects.models import Membership
from annotation.projects.selectors import adjudicates_in
from annotation.studies.selectors import quarantine_for

ROLE_WORDS = {
    Role.READER: gettext_noop("Reader"),
    Role.ML_STAFF: gettext_noop("ML staff"),
    ADMIN: gettext_noop("Administrator"),
}


def page(
    request: HttpRequest, template: str, place: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page for the person who is signed in; `place` is the bar's current entry."""
    user = person(request)
    framed = {
        "place": place,
        "sees_jobs": sees_jobs(user),
        "role_label": role_words(user),
        **context,
    }
    return render(request, template, framed, status=status)


def project_page(
    request: HttpRequest, template: str, place: str, visit: Visit, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render a page of a project; `place` is the current tab."""
    words = ROLE_WORDS.get(visit.role, "")
    framed = {
        "project": visit.project,
        "role": visit.role,
        "adjudicates": adjudicates_in(visit.user, visit.project.pk),
        "role_label": words,
        "held_count": quarantine_for(visit.user, visit.project.pk).count() if visit.user.is_admin else 0,
    }
    return page(request, template, place, status=status, **(framed | context))


def role_words(user: User) -> str:
    """Say what a person is: an administrator, or the one role that they have everywhere."""
    if user.is_admin:
        return ROLE_WORDS[ADMIN]
    roles = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    return Role(roles.pop()).label if len(roles) == 1 else ""
