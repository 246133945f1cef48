"""Sign in and out; both are audited, and so is a wrong password."""

from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.confirming import note_password
from accounts.forms import SignInForm
from accounts.models import User
from annotation.api.permissions import address_of, person
from audit.services import record


class SignIn(LoginView):
    """Ask for name and password, then go where the person wanted to go, on this site only."""

    http_method_names = ["get", "post"]
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401  Django's own signature
        """Add how long a session may be idle."""
        return super().get_context_data(idle_minutes=settings.SESSION_IDLE_SECONDS // 60, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Start the session; where the audit fails, nobody is signed in."""
        user = form.get_user()
        with transaction.atomic():
            note(self.request, "sign_in", str(user.pk), str(user.pk), "ok")
            response = super().form_valid(form)
        note_password(self.request.session)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Audit who was tried, if there is such a person: what was typed may be a mistyped password."""
        tried = (
            User.objects.filter(username=form.data.get("username", "")).values_list("pk", flat=True).first()
        )
        note(self.request, "sign_in", "anonymous", str(tried or ""), "denied")
        return super().form_invalid(form)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if request.user.is_authenticated:
        me = str(person(request).pk)
        with transaction.atomic():
            note(request, "sign_out", me, me, "ok")
            logout(request)
    return redirect("sign-in")


def note(request: HttpRequest, action: str, actor: str, user_id: str, outcome: str) -> None:
    """Append the audit event of a sign-in or sign-out."""
    record(
        actor=actor,
        action=action,
        object_type="user",
        object_id=user_id,
        outcome=outcome,
        remote_address=address_of(request),
    )
