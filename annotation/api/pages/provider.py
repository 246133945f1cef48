"""Signing in, connecting and confirming by the hospital's own provider (OpenID Connect)."""

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import provider
from accounts.confirming import note_password
from accounts.invitations import InvitationOverError
from accounts.models import User
from accounts.provider import ProviderError, Shown, StrangerError
from annotation.api.pages.access import signed_in
from annotation.api.pages.confirm import confirmed, onward_of
from annotation.api.pages.frame import page
from annotation.api.pages.invitation import public_url
from annotation.api.pages.purposes import CONFIRM, CONNECT, INVITED, PURPOSE, SIGN_IN
from annotation.api.pages.sign_in import begin, begin_or_ask, note
from annotation.api.permissions import person, record_act


def there_is_one() -> None:
    """Check that a provider is configured.

    raises: Http404.
    """
    if not provider.is_configured():
        raise Http404("no provider")


@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider; what for, the session says: a link alone connects nobody."""
    there_is_one()
    kept = request.session.get(PURPOSE, {})
    if request.user.is_authenticated:
        if kept.get("what") != CONNECT or is_over(kept):
            kept = {"what": CONFIRM, "next": onward_of(request)}
    elif kept.get("what") != INVITED or is_over(kept) or "next" in request.GET:
        kept = {"what": SIGN_IN, "next": onward_of(request)}
    request.session[PURPOSE] = kept
    back = public_url(request, resolve_url("provider-answer"))
    try:
        return provider.ask(request, back, anew=kept["what"] == CONFIRM)
    except ProviderError:
        return failed(request, _("The sign-in provider cannot be reached. Try again later."), status=502)


def is_over(kept: dict[str, Any]) -> bool:
    """Whether a wish to connect was said too long ago."""
    return bool(time.time() - kept["at"] > settings.SECOND_FACTOR_SECONDS)


@require_GET
def answer(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer, and do what it was asked for."""
    there_is_one()
    kept = request.session.pop(PURPOSE, None)
    if kept is None:
        return redirect("sign-in")
    try:
        return done(request, kept, provider.answered(request))
    except ProviderError:
        note(request, "sign_in", "anonymous", "", "denied", by="provider")
        return failed(request, _("The sign-in provider did not vouch for you. Try again."))
    except StrangerError:
        note(request, "sign_in", "anonymous", "", "denied", by="provider")
        words = _("Nobody here is connected with this account. Ask your administrator for an invitation.")
        return failed(request, words)
    except InvitationOverError:
        return render(request, "accounts/invitation_over.html", status=410)


def done(request: HttpRequest, kept: dict[str, str], shown: Shown) -> HttpResponse:
    """Do what the provider was asked for."""
    if kept["what"] == SIGN_IN:
        return let_in(request, shown, kept["next"])
    if kept["what"] == INVITED:
        return accepted(request, shown, kept["key"])
    if not request.user.is_authenticated:
        return redirect("sign-in")
    return connected(request, shown) if kept["what"] == CONNECT else confirm(request, shown, kept["next"])


def let_in(request: HttpRequest, shown: Shown, onward: str) -> HttpResponse:
    """Sign in whom the provider means; a second factor set up here is asked for unless one was there."""
    user = provider.person_of(shown, now=timezone.now())
    if shown.with_second:
        return begin(request, user, onward, second="provider", by="provider")
    return begin_or_ask(request, user, onward, by="provider")


def accepted(request: HttpRequest, shown: Shown, key: str) -> HttpResponse:
    """Connect who was invited, and let them in."""
    with transaction.atomic():
        user = provider.accept_by_provider(key=key, shown=shown, now=timezone.now())
        me = str(user.pk)
        note(request, "invitation.accept", me, me, "ok", by="provider")
    return let_in(request, shown, resolve_url("home"))


def connected(request: HttpRequest, shown: Shown) -> HttpResponse:
    """Connect who is signed in."""
    with transaction.atomic():
        provider.connect(user=person(request), shown=shown, now=timezone.now())
        record_act(request, "account.connect", "user", person(request).pk)
    messages.success(request, _("Your account is connected: you can sign in by it."))
    return redirect("account")


def confirm(request: HttpRequest, shown: Shown, onward: str) -> HttpResponse:
    """Take a sign-in at the provider a moment ago for the password once more, from the same person alone."""
    me = person(request)
    is_right = provider.person_of(shown, now=timezone.now()) == me and provider.is_fresh(shown)
    outcome = "ok" if is_right else "denied"
    note(request, "reauthenticate", str(me.pk), str(me.pk), outcome, by="provider")
    if not is_right:
        return failed(request, _("The sign-in provider did not vouch for you. Try again."))
    note_password(request.session)
    return redirect(onward)


def failed(request: HttpRequest, words: str, *, status: int = 403) -> HttpResponse:
    """Say why nobody was let in."""
    return render(request, "accounts/provider.html", {"words": words, "form": True}, status=status)


def to_account(_request: HttpRequest) -> str:
    """Go on, after the password, at the account's page."""
    return resolve_url("account")


@require_POST
@signed_in
@confirmed(to_account)
def begin_to_connect(request: HttpRequest) -> HttpResponse:
    """Note that the next answer of the provider is to be connected; the browser goes there by a link."""
    there_is_one()
    request.session[PURPOSE] = {"what": CONNECT, "at": time.time()}
    return page(request, "accounts/connect.html", "account", provider_name=settings.OIDC_NAME)


@require_POST
@signed_in
@confirmed(to_account)
def disconnect(request: HttpRequest) -> HttpResponse:
    """Forget who one is at the provider; not where nothing else lets one in."""
    me: User = person(request)
    if not me.has_usable_password():
        messages.error(request, _("You have no password: nothing else would let you in."))
        return redirect("account")
    with transaction.atomic():
        record_act(request, "account.disconnect", "user", me.pk)
        me.identities.all().delete()
    messages.success(request, _("The connection is removed."))
    return redirect("account")
