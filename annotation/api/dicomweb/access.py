"""Who may use a project's DICOMweb: a session or a token, its scope, the role; every use is audited."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.models import ApiToken, User
from accounts.scopes import Scope as TokenScope
from accounts.tokens import TooManyError
from annotation.api.dicomweb.accept import NotAcceptableError
from annotation.api.errors import on_busy, problem
from annotation.api.permissions import (
    VIEW_AUDITED_ONCE_IN_SECONDS,
    CsrfError,
    Session,
    UnauthenticatedError,
    address_of,
    person,
    record_denial,
    token_of,
)
from annotation.exchange.dicomweb_query import QueryError
from annotation.exchange.dicomweb_render import RenderingError
from annotation.exchange.dicomweb_retrieve import NotFoundError
from annotation.exchange.dicomweb_scope import Scope, scope_of
from annotation.exchange.dicomweb_store import IntakeFullError
from annotation.exchange.lifecycle.usage import QuotaError
from annotation.exchange.multipart import MalformedError, TooLargeError, UnsupportedError
from annotation.projects.models import Project
from annotation.studies.door.sandbox import DoorBrokenError
from audit.services import record

RETRY_AFTER_SECONDS = 5
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
View = Callable[..., HttpResponseBase]


class ForbiddenError(Exception):
    """The token or the role does not include it; the message says which."""


@dataclass(frozen=True)
class Visit:
    """A person at a project's DICOMweb. root: the service's address; key: the token, None with a session."""

    request: HttpRequest
    user: User
    scope: Scope
    root: str
    key: ApiToken | None

    @property
    def token(self) -> str:
        """Name the token by its id; "" with a session."""
        return str(self.key.pk) if self.key else ""

    def view_name(self, study_uid: str) -> str:
        """Name the hour in which it is known that images of a study are looked at."""
        return f"view:{self.user.pk}:{self.token}:{self.scope.project_id}:{study_uid}"

    def record_view(self, study_uid: str) -> None:
        """Audit that images of a study are looked at: once an hour, however many the frames."""
        name = self.view_name(study_uid)
        if not cache.add(name, 1, VIEW_AUDITED_ONCE_IN_SECONDS):
            return
        try:
            self.record("view", "study", study_uid)
        except BaseException:
            cache.delete(name)
            raise

    def record(self, action: str, object_type: str, object_id: str, **details: object) -> None:
        """Audit what this request does."""
        told = {"project": str(self.scope.project_id), **details}
        record(
            actor=str(self.user.pk),
            action=f"dicomweb.{action}",
            object_type=object_type,
            object_id=object_id,
            remote_address=address_of(self.request),
            details=told | ({"token": self.token} if self.token else {}),
        )


def service(**verbs: tuple[TokenScope, View]) -> View:
    """Make a view of what each verb does and which scope a token needs for it."""

    @csrf_exempt  # a session's token is checked below; a bearer's request carries no cookie to be abused
    def answered(request: HttpRequest, project_id: UUID, **named: Any) -> HttpResponseBase:  # noqa: ANN401
        verb = verbs.get((request.method or "").lower())
        try:
            if verb is None:
                raise NoSuchVerbError
            scope, view = verb
            return view(visit_of(request, project_id, scope), **named)
        except HANDLED as error:
            return answer_to(request, project_id, error, sorted(verbs))

    return answered


class NoSuchVerbError(Exception):
    """The address knows other verbs."""


def visit_of(request: HttpRequest, project_id: UUID, scope: TokenScope) -> Visit:
    """Say who asks, and check what they may.

    raises: UnauthenticatedError, ForbiddenError, Project.DoesNotExist, CsrfError, TooManyError.
    """
    token = token_of(request)
    if token is None and Session()(request) is None:
        raise UnauthenticatedError
    if token is not None:
        request.user = token.user
        if scope not in token.scopes:
            raise ForbiddenError(f"the token is not for {scope.value}")
    user = person(request)
    root = f"{origin_of(request)}/api/dicomweb/projects/{project_id}"
    return Visit(request, user, scope_of(user, project_id), root, token)


def origin_of(request: HttpRequest) -> str:
    """Say where this service is, as its clients reach it: as it is set, else as the request says.

    dicomweb-client leaves the port out of Host: on this machine's own names it is put back.
    """
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL).rstrip("/")
    host, port = request.get_host(), str(request.META.get("SERVER_PORT", ""))
    if host in LOOPBACK and port not in ("", "80", "443"):
        host = f"{host}:{port}"
    return f"{request.scheme}://{host}"


def administrators_only(visit: Visit) -> None:
    """Let only administrators go on: images are brought in by them.

    raises: ForbiddenError.
    """
    if not visit.user.is_admin:
        raise ForbiddenError("only administrators bring images in")


def answer_to(request: HttpRequest, project_id: UUID, error: Exception, verbs: list[str]) -> HttpResponse:
    """Answer with a problem document (RFC 9457); denials are audited."""
    if isinstance(error, OperationalError):
        return on_busy(request, error)
    if isinstance(error, ForbiddenError) or (
        isinstance(error, Project.DoesNotExist) and Project.objects.filter(pk=project_id).exists()
    ):
        record_denial(request, "project", str(project_id))
    status, code, detail = next(told for kind, told in PROBLEMS.items() if isinstance(error, kind))
    response = problem(status, code, detail or str(error))
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="fovea"'
    if status == 405:
        response["Allow"] = ", ".join(verb.upper() for verb in verbs)
    if status in (429, 503):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    UnauthenticatedError: (401, "unauthenticated", "sign in, or send Authorization: Bearer with a token"),
    CsrfError: (403, "csrf_failed", ""),
    ForbiddenError: (403, "forbidden", ""),
    Project.DoesNotExist: (404, "not_found", "there is no such project, or it is not yours to see"),
    NotFoundError: (404, "not_found", ""),
    NoSuchVerbError: (405, "method_not_allowed", "this address knows other methods"),
    NotAcceptableError: (406, "not_acceptable", ""),
    QueryError: (400, "bad_request", ""),
    RenderingError: (400, "bad_request", ""),
    MalformedError: (400, "bad_request", ""),
    TooLargeError: (413, "too_large", ""),
    UnsupportedError: (415, "unsupported_media_type", ""),
    TooManyError: (429, "too_many_requests", ""),
    IntakeFullError: (503, "intake_full", "as many requests as may store at once are at it: send it again"),
    QuotaError: (507, "quota", "the project's quota is used up: nothing was stored, ask an administrator"),
    DoorBrokenError: (503, "door_broken", "files cannot be taken in now: tell your administrator"),
}
HANDLED: tuple[type[Exception], ...] = (*PROBLEMS, OperationalError)
