"""Ask for the password again where it was typed too long ago, and go back to what was wanted."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.confirming import confirm as confirmed_by
from accounts.confirming import typed_lately
from annotation.api.pages.access import View, signed_in
from annotation.api.pages.frame import page
from annotation.api.permissions import address_of, person
from audit.services import record

WRONG = _("The password is wrong. After five wrong passwords it is locked for a while.")


class ConfirmForm(forms.Form):
    """The password once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(
            attrs={"class": "input", "autocomplete": "current-password", "autofocus": True}
        ),
    )


def confirmed(back: Callable[[HttpRequest], str] | None = None) -> Callable[[View], View]:
    """Open a view only to who typed their password lately; others are asked for it first.

    back: where a form's sender goes on from; without it to the address that was asked for.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *positional: object, **named: object) -> HttpResponseBase:
            if typed_lately(request.session):
                return view(request, *positional, **named)
            onward = back(request) if back else request.get_full_path()
            return redirect(f"{resolve_url('confirm')}?{urlencode({'next': onward})}")

        return opened

    return decorate


@require_http_methods(["GET", "POST"])
@signed_in
def confirm(request: HttpRequest) -> HttpResponse:
    """Take the password, and go on."""
    onward = onward_of(request)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            is_right = confirmed_by(request, person(request), form.cleaned_data["password"])
            note(request, is_right=is_right)
        if is_right:
            return redirect(onward)
        form.add_error("password", WRONG)
    return page(request, "accounts/confirm.html", "", form=form, next=onward, by=provided(request))


def provided(request: HttpRequest) -> dict[str, object]:
    """Say by which provider the person can confirm, and whether there is a password to type."""
    me = person(request)
    is_connected = bool(settings.OIDC_ISSUER) and me.identities.exists()
    return {
        "provider_name": settings.OIDC_NAME if is_connected else "",
        "has_password": me.has_usable_password(),
    }


def onward_of(request: HttpRequest) -> str:
    """Where to go on: a page of this site only."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else resolve_url("home")


def note(request: HttpRequest, *, is_right: bool) -> None:
    """Audit that the password was asked for again."""
    me = str(person(request).pk)
    record(
        actor=me,
        action="reauthenticate",
        object_type="user",
        object_id=me,
        outcome="ok" if is_right else "denied",
        remote_address=address_of(request),
    )
