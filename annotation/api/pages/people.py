"""People: who can sign in, what they may do where; every change is audited."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms import NewPersonForm
from accounts.models import Role, User
from accounts.selectors import people_for, person_for
from accounts.services import add_person, new_password, set_active
from annotation.api.pages.access import admin_only
from annotation.api.pages.frame import page
from annotation.api.permissions import person, record_act
from annotation.projects.models import Project
from annotation.projects.selectors import project_for, projects_for
from annotation.projects.services import set_membership

ROLE_CHOICES = [("", "Not a member"), *Role.choices]


@require_GET
@admin_only
def people(request: HttpRequest) -> HttpResponse:
    """List everyone with their roles."""
    found = people_for(person(request)).prefetch_related("memberships__project")
    return page(request, "people/list.html", "people", people=found)


@require_http_methods(["GET", "POST"])
@admin_only
def add(request: HttpRequest) -> HttpResponse:
    """Add a person; the password is made here and shown this once."""
    form = NewPersonForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return page(request, "people/add.html", "people", form=form)
    with transaction.atomic():
        added, password = add_person(**form.cleaned_data)
        record_act(request, "person.add", "user", added.pk, {"is_admin": added.is_admin})
    return page(request, "people/password.html", "people", subject=added, password=password, added=True)


@require_GET
@admin_only
def show(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show one person's state and their role in each project."""
    subject = found_person(request, person_id)
    roles = dict(subject.memberships.values_list("project_id", "role"))
    rows = [(project, roles.get(project.pk, "")) for project in projects_for(person(request))]
    return page(
        request,
        "people/person.html",
        "people",
        subject=subject,
        rows=rows,
        choices=ROLE_CHOICES,
        tokens=subject.tokens.all(),
        now=timezone.now(),
    )


@require_POST
@admin_only
def membership(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Give a person a role in a project, or take it away; the service audits it."""
    subject = found_person(request, person_id)
    project, role = found_project(request), request.POST.get("role", "")
    if role and role not in Role.values:
        messages.error(request, "There is no such role: nothing was changed.")
        return redirect("person", person_id=person_id)
    set_membership(project=project, user=subject, role=role or None, by=person(request))
    words = f"is now {Role(role).label} in" if role else "is no longer a member of"
    messages.success(
        request, f"{subject.username} {words} {project.name}. It holds from their next click on."
    )
    return redirect("person", person_id=person_id)


@require_POST
@admin_only
def activity(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Disable or enable a person; disabling ends their sessions at once."""
    subject, active = found_person(request, person_id), request.POST.get("active") == "yes"
    if subject == person(request):
        messages.error(request, "You cannot disable yourself. Ask another administrator.")
        return redirect("person", person_id=person_id)
    with transaction.atomic():
        ended = set_active(user=subject, active=active)
        record_act(
            request,
            "person.enable" if active else "person.disable",
            "user",
            subject.pk,
            {"sessions_ended": ended},
        )
    words = "can sign in again." if active else f"is disabled; {ended} open sessions were ended."
    messages.success(request, f"{subject.username} {words}")
    return redirect("person", person_id=person_id)


@require_POST
@admin_only
def password(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Make a new password, shown this once; the person's sessions end."""
    subject = found_person(request, person_id)
    with transaction.atomic():
        made = new_password(user=subject)
        record_act(request, "person.password", "user", subject.pk)
    return page(request, "people/password.html", "people", subject=subject, password=made)


def found_person(request: HttpRequest, person_id: UUID) -> User:
    """Look up a person.

    raises: Http404.
    """
    try:
        return person_for(person(request), person_id)
    except User.DoesNotExist:
        raise Http404("no such person") from None


def found_project(request: HttpRequest) -> Project:
    """Look up the project that a form names.

    raises: Http404.
    """
    try:
        return project_for(person(request), UUID(request.POST.get("project", "")))
    except (Project.DoesNotExist, ValueError):
        raise Http404("no such project") from None
