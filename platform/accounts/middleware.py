"""Sessions end after limits (ASVS 7.3) and begin with a second factor; pages speak the person's language."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import translation

from accounts.factors.rules import is_missing
from accounts.models import Preferences

LANGUAGE = "language"
BEFORE_A_SECOND_FACTOR = frozenset(
    {
        "account",
        "account-app",
        "account-key",
        "account-password",
        "confirm",
        "language",
        "sign-out",
        "ask-provider",
        "provider-answer",
    }
)
STARTED, SEEN = "session_started", "session_seen"
SEEN_RESOLUTION_SECONDS = 30


class SessionLimits:
    """Sign out a session that was idle or alive for too long; patient data is never cached by the browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check, answer, forbid caching."""
        if request.user.is_authenticated:
            self.check(request, time.time(), counts_as_activity="background" not in request.GET)
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def check(self, request: HttpRequest, now: float, *, counts_as_activity: bool) -> None:
        """Sign out when a limit has passed, else note that the person did something.

        What a page asks for by itself (?background) is no activity: an open page keeps no session alive.
        """
        started = request.session.setdefault(STARTED, now)
        seen = request.session.get(SEEN, now)
        idle, age = now - seen, now - started
        if idle > settings.SESSION_IDLE_SECONDS or age > settings.SESSION_ABSOLUTE_SECONDS:
            logout(request)
        elif SEEN not in request.session or (counts_as_activity and idle > SEEN_RESOLUTION_SECONDS):
            request.session[SEEN] = now


def clock_due(session: SessionBase) -> datetime:
    """Until when a signed-in session neither ends nor has its last activity noted, whatever it asks for."""
    quiet = session.get(SEEN, 0) + min(SEEN_RESOLUTION_SECONDS, settings.SESSION_IDLE_SECONDS)
    ends = session.get(STARTED, 0) + settings.SESSION_ABSOLUTE_SECONDS
    return datetime.fromtimestamp(min(quiet, ends), UTC)


class OwnLanguage:
    """Answer in the language that the person chose; to who is not signed in in the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look the language up once a session: it is kept there."""
        with translation.override(self.language_for(request)):
            return self.get_response(request)

    def language_for(self, request: HttpRequest) -> str:
        """Name the language; nobody's session is begun for it."""
        if not request.user.is_authenticated:
            return translation.get_language_from_request(request)
        if LANGUAGE not in request.session:
            chosen = Preferences.objects.filter(pk=request.user.pk).values_list("language", flat=True).first()
            request.session[LANGUAGE] = chosen or settings.LANGUAGE_CODE
        return str(request.session[LANGUAGE])


class SecondFactorFirst:
    """Let who must have a second factor and has none go nowhere but where one is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; the check needs the route, so it stands below."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Send a session on that has shown no second factor where the person's roles ask for one."""
        user, match = request.user, request.resolver_match
        if not user.is_authenticated or (match is not None and match.view_name in BEFORE_A_SECOND_FACTOR):
            return None
        if not is_missing(user, request.session):
            return None
        if request.path.startswith("/api/"):
            told = {
                "type": "about:blank",
                "title": "Forbidden",
                "status": 403,
                "code": "second_factor_missing",
                "detail": "set up a second factor on the page of your account first",
            }
            return JsonResponse(told, status=403, content_type="application/problem+json")
        return redirect("account")
