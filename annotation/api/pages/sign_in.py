"""Sign in and out: name and password, then a second factor where there is one; audited, denials too."""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_POST

from accounts.confirming import note_password
from accounts.factors.rules import note_shown
from accounts.factors.services import has_factor
from accounts.forms import SignInForm
from accounts.models import User
from annotation.api.permissions import address_of, person
from audit.services import record

PENDING = "sign_in_pending"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def provider_name() -> str:
    """Name the provider that people can sign in by; "" where there is none."""
    return settings.OIDC_NAME if settings.OIDC_ISSUER else ""


class SignIn(LoginView):
    """Ask for name and password, then go where the person wanted to go, on this site only."""

    http_method_names = ["get", "post"]
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401  Django's own signature
        """Add how long a session may be idle."""
        more = {"idle_minutes": settings.SESSION_IDLE_SECONDS // 60, "provider_name": provider_name()}
        return super().get_context_data(**more, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Start the session, or ask for the second factor first."""
        user = form.get_user()
        assert isinstance(user, User)  # noqa: S101  the form's backend knows no other
        return begin_or_ask(self.request, user, self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Audit who was tried, if there is such a person: what was typed may be a mistyped password."""
        tried = (
            User.objects.filter(username=form.data.get("username", "")).values_list("pk", flat=True).first()
        )
        note(self.request, "sign_in", "anonymous", str(tried or ""), "denied")
        return super().form_invalid(form)


def begin_or_ask(request: HttpRequest, user: User, onward: str, *, by: str = "") -> HttpResponse:
    """Start the session, or ask for the second factor first where one is set up."""
    if not has_factor(user):
        return begin(request, user, onward, by=by)
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "at": time.time(),
        "next": onward,
        "by": by,
    }
    return redirect("second-factor")


def begin(request: HttpRequest, user: User, onward: str, *, second: str = "", by: str = "") -> HttpResponse:
    """Start the session of who has shown all that is asked; where the audit fails, nobody is signed in.

    second: the second factor that was shown, "" for none; by: who vouched for the first, "" for the password.
    """
    by = by or (request.session.get(PENDING, {}).get("by", "") if second else "")
    told = {name: value for name, value in (("second", second), ("by", by)) if value}
    with transaction.atomic():
        note(request, "sign_in", str(user.pk), str(user.pk), "ok", **told)
        login(request, user, backend=BACKEND)
    request.session.pop(PENDING, None)
    if not by:
        note_password(request.session)
    if second:
        note_shown(request.session)
    return HttpResponseRedirect(onward)


def pending(request: HttpRequest) -> tuple[User, str] | None:
    """Find who typed the right password in this browser a moment ago, and where they go on."""
    kept = request.session.get(PENDING)
    if kept is None or not 0 <= time.time() - kept["at"] <= settings.SECOND_FACTOR_SECONDS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["hash"], user.get_session_auth_hash()):
        return None
    return user, kept["next"]


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.user.is_authenticated:
        me = str(person(request).pk)
        with transaction.atomic():
            note(request, "sign_out", me, me, "ok")
            logout(request)
    return redirect("sign-in")


def note(request: HttpRequest, action: str, actor: str, user_id: str, outcome: str, **details: str) -> None:
    """Append the audit event of a sign-in or sign-out."""
    record(
        actor=actor,
        action=action,
        object_type="user",
        object_id=user_id,
        outcome=outcome,
        remote_address=address_of(request),
        details=details,
    )
