"""Sessions end after idle and absolute limits (ASVS 7.3); pages speak the person's language."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.models import Preferences

LANGUAGE = "language"
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
