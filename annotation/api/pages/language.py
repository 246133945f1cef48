"""The language that pages speak to a person: chosen once, the same at every desk."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.middleware import LANGUAGE
from accounts.models import Preferences
from accounts.selectors import preferences_of
from accounts.services import set_preferences
from annotation.api.permissions import person

KEPT_SECONDS = 365 * 24 * 60 * 60


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language, and return to where the person was, on this site only.

    The browser keeps it too: the page to sign in at speaks it. Who is not signed in leaves nothing else.
    """
    back = request.POST.get("next", "")
    is_here = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if is_here else resolve_url("home"))
    wanted = request.POST.get("language", "")
    if wanted not in Preferences.Language.values:
        return answer
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=KEPT_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    if request.user.is_authenticated:
        user = person(request)
        request.session[LANGUAGE] = wanted
        set_preferences(user=user, language=wanted, keys=preferences_of(user).keys)
    return answer
