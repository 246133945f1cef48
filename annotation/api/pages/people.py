"""People: who can sign in, what they may do where; every change is audited."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.factors.rules import is_required_of
from accounts.factors.services import has_app
from accounts.forms import NewPersonForm
from accounts.invitations import waiting_for
from accounts.lockout import locks_of
from accounts.models import Role, SecondFactors, User
from accounts.policy import password_rules, sign_in_rules
from accounts.selectors import EVERYBODY, SHOWN, people_found, person_for
from accounts.services import add_person
from annotation.api.pages.access import admin_only
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.pages.invitation import send_link
from annotation.api.permissions import address_of, person, record_act
from annotation.projects.models import Membership, Project
from annotation.projects.selectors import project_for, projects_for
from annotation.projects.services import set_membership

PAGE_LENGTH = 50
ROLE_CHOICES = [("", "Not a member"), *Role.choices]


@dataclass(frozen=True)
class Row:
    """A person as an administrator reads them."""

    person: User
    state: str
    look: str


def row_of(subject: User, *, locked: bool) -> Row:
    """Describe a person: what keeps them out comes first."""
    if not subject.is_active:
        return Row(subject, "Disabled", "bad")
    if locked:
        return Row(subject, "Locked", "bad")
    if not subject.has_usable_password() and not subject.identities.all():
        return Row(subject, "Invited", "warn")
    return Row(subject, "Active", "ok")


@require_GET
@admin_only
def people(request: HttpRequest) -> HttpResponse:
    """List people with their roles, searched and narrowed."""
    words, shown = request.GET.get("q", "").strip(), request.GET.get("shown", EVERYBODY)
    found = people_found(person(request), words=words, shown=shown)
    part = Paginator(found.prefetch_related("memberships__project", "identities"), PAGE_LENGTH).get_page(
        request.GET.get("page")
    )
    locked = locks_of(part, now=timezone.now())
    return page(
        request,
        "people/list.html",
        "people",
        part=part,
        rows=[row_of(one, locked=one.username in locked) for one in part],
        words=words,
        shown=shown,
        kinds=[(name, told) for name, (told, _) in SHOWN.items()],
        rules=[*sign_in_rules(), *password_rules()],
    )


@require_http_methods(["GET", "POST"])
@admin_only
@confirmed()
def add(request: HttpRequest) -> HttpResponse:
    """Add a person; they get a link to choose their password."""
    form = NewPersonForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return page(request, "people/add.html", "people", form=form)
    with transaction.atomic():
        added = add_person(**form.cleaned_data)
        record_act(request, "person.add", "user", added.pk, {"is_admin": added.is_admin})
    return send_link(request, added, is_new=True)


@require_GET
@admin_only
def show(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show one person's state and their role in each project."""
    subject = found_person(request, person_id)
    now = timezone.now()
    locks = locks_of([subject], now=now).get(subject.username, [])
    roles = {one.project_id: one for one in subject.memberships.all()}
    return page(
        request,
        "people/person.html",
        "people",
        subject=subject,
        row=row_of(subject, locked=bool(locks)),
        rows=[row_in(project, roles.get(project.pk)) for project in projects_for(person(request))],
        choices=ROLE_CHOICES,
        tokens=subject.tokens.all(),
        locks=locks,
        invitation=waiting_for(subject, now=now),
        factors=factors_in_words(subject, now=now),
        now=now,
    )


def row_in(project: Project, membership: Membership | None) -> tuple[Project, str, bool]:
    """Say what a person is in a project, and whether they adjudicate there."""
    return (project, membership.role, membership.adjudicates) if membership else (project, "", False)


def factors_in_words(subject: User, *, now: datetime) -> dict[str, object]:
    """Say what a person shows besides the password, and whether codes are locked."""
    row = SecondFactors.objects.filter(user=subject).first()
    return {
        "provider": subject.identities.exists(),
        "app": has_app(subject),
        "keys": subject.security_keys.count(),
        "required": is_required_of(subject),
        "locked": row is not None and row.locked_until is not None and row.locked_until > now,
    }


def to_person(request: HttpRequest) -> str:
    """Go on, after the password, at the person's page."""
    match = request.resolver_match
    return resolve_url("person", person_id=match.kwargs["person_id"]) if match else resolve_url("people")


@require_POST
@admin_only
@confirmed(to_person)
def membership(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Give a person a role in a project, or take it away; the service audits it."""
    subject = found_person(request, person_id)
    project, role = found_project(request), request.POST.get("role", "")
    if role and role not in Role.values:
        messages.error(request, "There is no such role: nothing was changed.")
        return redirect("person", person_id=person_id)
    me, address = person(request), address_of(request)
    set_membership(
        project=project,
        user=subject,
        role=role or None,
        adjudicates="adjudicates" in request.POST,
        by=me,
        address=address,
    )
    words = f"is now {Role(role).label} in" if role else "is no longer a member of"
    messages.success(
        request, f"{subject.username} {words} {project.name}. It holds from their next click on."
    )
    return redirect("person", person_id=person_id)


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
