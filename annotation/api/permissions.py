"""Who asks, and what is audited of asking in vain."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from ninja.security import SessionAuth

from accounts.models import ApiToken, User
from accounts.tokens import holder_of
from annotation.projects.models import Case
from annotation.projects.rules import RefusedError
from annotation.queue.models import Lease
from audit.models import Event
from audit.services import record

VIEW_AUDITED_ONCE_IN_SECONDS = 60 * 60
BEARER = "bearer "


class UnauthenticatedError(Exception):
    """Nobody is signed in, and no token that may be used came with the request."""


class CsrfError(RefusedError):
    """An unsafe verb came without the session's token."""

    code = "csrf_failed"


class TokenCheck(CsrfViewMiddleware):
    """Django's CSRF check, which says what is wrong and renders no page."""

    def _reject(self, _request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)


class Session(SessionAuth):
    """Signed in by the session's cookie, with a CSRF token on unsafe verbs."""

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def __call__(self, request: HttpRequest) -> User | None:
        """Name the person, or None.

        raises: CsrfError where the token is absent or wrong.
        """
        check = TokenCheck(lambda _request: HttpResponse())
        check.process_request(request)
        if check.process_view(request, lambda _request: HttpResponse(), (), {}) is not None:
            raise CsrfError("the X-CSRFToken header is absent or wrong: GET session gives one")
        return person(request) if request.user.is_authenticated else None


def person(request: HttpRequest) -> User:
    """Name the person who is signed in."""
    return cast("User", request.user)


def address_of(request: HttpRequest) -> str:
    """Where a request came from: the peer itself, never a header that it wrote."""
    return str(request.META.get("REMOTE_ADDR", ""))


def key_in(request: HttpRequest) -> str | None:
    """Read the key of the token that a request carries; None where it carries none."""
    header = request.headers.get("Authorization", "")
    return header[len(BEARER) :].strip() if header.lower().startswith(BEARER) else None


def token_of(request: HttpRequest) -> ApiToken | None:
    """Find the token that a request carries; None where it carries none.

    raises: UnauthenticatedError where it may not be used, TooManyError.
    """
    key = key_in(request)
    if key is None:
        return None
    token = holder_of(key, now=timezone.now(), address=address_of(request))
    if token is None:
        record(
            actor="anonymous",
            action="token.use",
            object_type="token",
            object_id="",
            outcome="denied",
            remote_address=address_of(request),
        )
        raise UnauthenticatedError
    return token


def record_act(
    request: HttpRequest,
    action: str,
    object_type: str,
    object_id: object,
    details: dict[str, Any] | None = None,
) -> None:
    """Audit what the person who is signed in does."""
    record(
        actor=str(person(request).pk),
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        remote_address=address_of(request),
        details=details,
    )


def record_denial(request: HttpRequest, object_type: str, object_id: str) -> None:
    """Audit that somebody asked for what is not theirs."""
    match = request.resolver_match
    record(
        actor=str(person(request).pk),
        action="access.denied",
        object_type=object_type,
        object_id=object_id,
        outcome="denied",
        remote_address=address_of(request),
        details={"route": match.view_name if match else "", "method": request.method or ""},
    )


def record_view(request: HttpRequest, case: Case) -> datetime:
    """Audit that somebody looks at pixels: by the lease, or here once an hour for who never had one.

    returns: until when nothing more is to be audited of it.
    """
    user, now = person(request), timezone.now()
    hour = timedelta(seconds=VIEW_AUDITED_ONCE_IN_SECONDS)
    if Lease.objects.filter(reader=user, case=case).exists():
        return now + hour
    seen = Event.objects.filter(
        object_id=str(case.pk), action="case.view", actor=str(user.pk), at__gt=now - hour
    )
    last = seen.order_by("-sequence").values_list("at", flat=True).first()
    if last is None:
        record_act(request, "case.view", "case", case.pk)
        return now + hour
    return last + hour
