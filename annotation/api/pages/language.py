"""The language that pages speak to a person: chosen once, the same at every desk."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.middleware import LANGUAGE
from accounts.models import Preferences
from accounts.selectors import preferences_of
from accounts.services import set_preferences
from annotation.api.pages.access import signed_in
from annotation.api.permissions import person


@require_POST
@signed_in
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language, and return to where the person was, on this site only."""
    user = person(request)
    wanted = request.POST.get("language", "")
    if wanted in Preferences.Language.values:
        request.session[LANGUAGE] = wanted
        set_preferences(user=user, language=wanted, keys=preferences_of(user).keys)
    back = request.POST.get("next", "")
    is_here = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_here else resolve_url("home"))
