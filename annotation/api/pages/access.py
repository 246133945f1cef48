"""Who may open a page; denials are audited.

Anonymous → sign-in; not a member, or no such project → 404; a member without the role → 403.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from accounts.models import Role, User
from annotation.api.permissions import person, record_denial
from annotation.projects.models import Membership, Project
from annotation.projects.selectors import project_for, role_in

ADMIN = "admin"
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Visit:
    """A person at a project's page, and what they are there."""

    user: User
    project: Project
    role: str

    def may(self, *roles: str) -> bool:
        """Whether the person has one of the roles here; no role named: every member.

        An administrator who reads here stays as blind to the models as every reader, and still manages files.
        """
        return not roles or self.role in roles or (roles == (ADMIN,) and self.user.is_admin)


def member(*roles: str) -> Callable[[View], View]:
    """Open a project's page to its members, or to those with one of the roles; the view gets a Visit."""

    def decorate(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, project_id: UUID, **named: UUID | int) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            return view(request, visit_of(request, project_id, roles), **named)

        return opened

    return decorate


def admin_only(view: View) -> View:
    """Open a page to administrators."""

    @wraps(view)
    def opened(request: HttpRequest, **named: UUID) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        if not person(request).is_admin:
            raise denied(request, "site", "")
        return view(request, **named)

    return opened


def signed_in(view: View) -> View:
    """Open a page to everyone who is signed in; the view scopes what it shows by the person."""

    @wraps(view)
    def opened(request: HttpRequest, **named: UUID) -> HttpResponseBase:
        return view(request, **named) if request.user.is_authenticated else to_sign_in(request)

    return opened


def visit_of(request: HttpRequest, project_id: UUID, roles: tuple[str, ...]) -> Visit:
    """Look up the project and the role.

    raises: Http404 where the person is no member, PermissionDenied where the role is not enough.
    """
    user = person(request)
    try:
        project = project_for(user, project_id)
    except Project.DoesNotExist:
        raise hidden(request, project_id) from None
    visit = Visit(user=user, project=project, role=role_in(user, project_id))
    if not visit.may(*roles):
        raise denied(request, "project", str(project_id))
    return visit


def hidden(request: HttpRequest, project_id: UUID) -> Http404:
    """Answer as if the project did not exist; where it does, the attempt is audited."""
    if Project.objects.filter(pk=project_id).exists():
        denied(request, "project", str(project_id))
    return Http404("no such project")


def denied(request: HttpRequest, object_type: str, object_id: str) -> PermissionDenied:
    """Audit a denial; the caller raises what is returned."""
    record_denial(request, object_type, object_id)
    return PermissionDenied("the role does not include it")


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send an anonymous visitor to sign in, and back here where that is a page."""
    back = request.get_full_path() if request.method == "GET" else resolve_url("home")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("sign-in")})
    return redirect_to_login(back)


def sees_jobs(user: User) -> bool:
    """Whether the jobs page has anything for the person: ML staff of a project, or an administrator."""
    return user.is_admin or Membership.objects.filter(user=user, role=Role.ML_STAFF).exists()
