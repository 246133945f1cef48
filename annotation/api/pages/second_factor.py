"""The second step of signing in: a code of the app, a security key, or a recovery code."""

from collections.abc import Callable
from functools import wraps

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.factors.keys import KeyRefusedError, Site, asked_to_sign, check_signed
from accounts.factors.services import Checked, check_code, has_app
from accounts.models import User
from annotation.api.pages.sign_in import begin, note, pending

STATE = "security_key_state"
Step = Callable[[HttpRequest, User, str], HttpResponse]


def site_of(request: HttpRequest) -> Site:
    """Name the site as the browser sees it; the host is one of ALLOWED_HOSTS."""
    host = request.get_host()
    return Site(f"{request.scheme}://{host}", host.rpartition(":")[0] if ":" in host else host)


def after_the_password(step: Step) -> Callable[[HttpRequest], HttpResponse]:
    """Open a step to who typed the right password a moment ago; others begin anew."""

    @wraps(step)
    def opened(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("home")
        found = pending(request)
        return step(request, *found) if found else redirect(resolve_url("sign-in"))

    return opened


@require_http_methods(["GET", "POST"])
@after_the_password
def second_factor(request: HttpRequest, user: User, onward: str) -> HttpResponse:
    """Ask for a code, and let in who types a right one."""
    if request.method == "GET":
        return asked(request, user)
    with transaction.atomic():
        found = check_code(user=user, code=request.POST.get("code", ""), now=timezone.now())
        if not found.is_right:
            note(request, "sign_in", "anonymous", str(user.pk), "denied", second=found.value)
    if found.is_right:
        return begin(request, user, onward, second=found.value)
    if found is Checked.LOCKED:
        words = _("There were five wrong codes. Codes are accepted again in 15 minutes.")
        return asked(request, user, status=429, problem=words)
    words = _("The code is wrong, or was used already. Wait for the next one.")
    return asked(request, user, status=422, problem=words)


@require_POST
@after_the_password
def sign_with_key(request: HttpRequest, user: User, onward: str) -> HttpResponse:
    """Let in whose security key signed what this browser was given; each challenge is good once."""
    state = request.session.pop(STATE, None) or {"challenge": "", "user_verification": None}
    answer = request.POST.get("answer", "")
    try:
        check_signed(user=user, site=site_of(request), state=state, answer=answer, now=timezone.now())
    except KeyRefusedError:
        note(request, "sign_in", "anonymous", str(user.pk), "denied", second="security key")
        return asked(request, user, status=422, problem=_("The security key was not accepted. Try again."))
    return begin(request, user, onward, second="security key")


def asked(request: HttpRequest, user: User, *, status: int = 200, problem: str = "") -> HttpResponse:
    """Show what can be shown as a second factor."""
    options = ""
    if user.security_keys.exists():
        options, request.session[STATE] = asked_to_sign(user, site_of(request))
    told = {"form": True, "has_app": has_app(user), "options": options, "problem": problem}
    return render(request, "accounts/second_factor.html", told, status=status)
