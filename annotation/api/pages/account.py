"""A person's own account: their password, and what they show besides it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.factors import services, totp
from accounts.factors.keys import KeyRefusedError, add_key, asked_to_make
from accounts.factors.recovery import new_codes
from accounts.factors.rules import SHOWN_AT, is_missing, is_required_of, note_shown
from accounts.forms import styled
from accounts.models import SecurityKey
from accounts.policy import password_rules
from accounts.services import end_sessions, set_password
from annotation.api.pages.access import signed_in
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.pages.second_factor import STATE, site_of
from annotation.api.pages.sign_in import provider_name
from annotation.api.permissions import person, record_act

OFFERED = "authenticator_offered"


def to_account(_request: HttpRequest) -> str:
    """Go on, after the password, at the account's page."""
    return resolve_url("account")


@require_GET
@signed_in
def account(request: HttpRequest) -> HttpResponse:
    """Show how one signs in."""
    return shown(request)


def shown(request: HttpRequest, *, status: int = 200, **more: object) -> HttpResponse:
    """Render the page."""
    me = person(request)
    told = {
        "has_app": services.has_app(me),
        "keys": me.security_keys.all(),
        "codes_left": me.recovery_codes.filter(used_at=None).count(),
        "is_required": is_required_of(me),
        "is_missing": is_missing(me, request.session),
        "provider_name": provider_name(),
        "is_connected": bool(provider_name()) and me.identities.exists(),
    }
    return page(request, "accounts/account.html", "account", status=status, **(told | more))


@require_http_methods(["GET", "POST"])
@signed_in
@confirmed()
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session of one's own ends."""
    me = person(request)
    form = styled(SetPasswordForm(me, request.POST if request.method == "POST" else None))
    if not form.is_valid():
        status = 422 if form.errors else 200
        told = {"form": form, "rules": password_rules()}
        return page(request, "accounts/password.html", "account", status=status, **told)
    with transaction.atomic():
        record_act(request, "account.password", "user", me.pk)
        set_password(user=me, password=form.cleaned_data["new_password1"], but=request.session.session_key)
        update_session_auth_hash(request, me)
    messages.success(request, _("Your password is changed. Other browsers were signed out."))
    return redirect("account")


@require_http_methods(["GET", "POST"])
@signed_in
@confirmed()
def app(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: the secret is shown until a code of it was typed."""
    me, sealed = person(request), request.session.get(OFFERED)
    if request.method == "GET" or sealed is None:
        secret = totp.new_secret()
        request.session[OFFERED] = services.SEAL.seal(secret)
        return offered(request, secret)
    secret = services.SEAL.unsealed(sealed)
    with transaction.atomic():
        is_right = services.set_up_app(
            user=me, secret=secret, code=request.POST.get("code", ""), now=timezone.now()
        )
        if is_right:
            codes = begun(request, "account.app")
    if not is_right:
        words = _("The code is wrong. Check the time of your phone, and type the next one.")
        return offered(request, secret, status=422, problem=words)
    del request.session[OFFERED]
    return after(request, codes, _("The app is set up. Its codes are asked for when you sign in."))


def offered(request: HttpRequest, secret: str, *, status: int = 200, problem: str = "") -> HttpResponse:
    """Show a secret to take into an app."""
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    told = {"picture": totp.picture_of(secret, name=person(request).username), "groups": groups}
    return page(request, "accounts/app.html", "account", status=status, problem=problem, **told)


@require_http_methods(["GET", "POST"])
@signed_in
@confirmed()
def key(request: HttpRequest) -> HttpResponse:
    """Register a security key that the browser makes."""
    me, state = person(request), request.session.pop(STATE, None)
    if request.method == "GET" or state is None:
        return made_by_browser(request)
    told = {"name": request.POST.get("name", ""), "answer": request.POST.get("answer", "")}
    try:
        with transaction.atomic():
            add_key(user=me, site=site_of(request), state=state, now=timezone.now(), **told)
            codes = begun(request, "account.key")
    except KeyRefusedError:
        words = _("The security key was not accepted. Try again.")
        return made_by_browser(request, status=422, problem=words)
    return after(request, codes, _("The security key is registered. It is asked for when you sign in."))


def made_by_browser(request: HttpRequest, *, status: int = 200, problem: str = "") -> HttpResponse:
    """Show the form that has a key made."""
    options, request.session[STATE] = asked_to_make(person(request), site_of(request))
    return page(request, "accounts/key.html", "account", status=status, problem=problem, options=options)


def begun(request: HttpRequest, action: str) -> list[str]:
    """Audit a new factor; with the first one other sessions end and there are recovery codes."""
    me = person(request)
    record_act(request, action, "user", me.pk)
    codes = services.codes_of_the_first(user=me)
    if codes:
        end_sessions(user=me, but=request.session.session_key)
    return codes


def after(request: HttpRequest, codes: list[str], words: str) -> HttpResponse:
    """Go on with a second factor that was shown just now; new recovery codes are shown this once."""
    note_shown(request.session)
    if codes:
        return page(request, "accounts/codes.html", "account", codes=codes, words=words)
    messages.success(request, words)
    return redirect("account")


@require_POST
@signed_in
@confirmed(to_account)
def codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; those before are good no more."""
    me = person(request)
    if not services.has_factor(me):
        return redirect("account")
    with transaction.atomic():
        record_act(request, "account.codes", "user", me.pk)
        made = new_codes(user=me)
    return page(request, "accounts/codes.html", "account", codes=made, words="")


@require_POST
@signed_in
@confirmed(to_account)
def remove_app(request: HttpRequest) -> HttpResponse:
    """Do without the app from now on."""
    with transaction.atomic():
        services.remove_app(user=person(request))
        record_act(request, "account.remove_app", "user", person(request).pk)
    return removed(request, _("The app is removed."))


@require_POST
@signed_in
@confirmed(to_account)
def remove_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Do without one of one's own keys from now on."""
    try:
        with transaction.atomic():
            services.remove_key(user=person(request), key_id=key_id)
            record_act(request, "account.remove_key", "user", person(request).pk)
    except SecurityKey.DoesNotExist:
        raise Http404("no such key") from None
    return removed(request, _("The security key is removed."))


def removed(request: HttpRequest, words: str) -> HttpResponse:
    """Go on; without any factor left the session counts as one that has shown none."""
    if not services.has_factor(person(request)):
        request.session.pop(SHOWN_AT, None)
    messages.success(request, words)
    return redirect("account")
