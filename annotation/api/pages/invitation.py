"""One-time links: an administrator sends one, whom it is for chooses their password with it."""

import logging
import time
from dataclasses import dataclass
from smtplib import SMTPException

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import styled
from accounts.invitations import InvitationOverError, accept, invite, invited_by
from accounts.models import Invitation, User
from accounts.policy import password_rules
from annotation.api.pages.frame import page
from annotation.api.pages.purposes import INVITED, PURPOSE
from annotation.api.pages.sign_in import provider_name
from annotation.api.permissions import address_of, person, record_act
from audit.services import record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Link:
    """A person's link; url: to be handed over, empty where it was mailed."""

    invitation: Invitation
    url: str


def make_link(request: HttpRequest, subject: User) -> Link:
    """Make a person's link and mail it, where that can be done."""
    with transaction.atomic():
        invitation, key = invite(user=subject, by=person(request), now=timezone.now())
        record_act(request, "person.invite", "user", subject.pk, {"expires": invitation.expires_at})
    url = public_url(request, resolve_url("invitation", key=key))
    return Link(invitation, "" if mailed(subject, url) else url)


def send_link(request: HttpRequest, subject: User, *, is_new: bool) -> HttpResponse:
    """Make a person's link and mail it; where that cannot be done it is shown this once."""
    made = make_link(request, subject)
    return page(
        request,
        "people/link.html",
        "people",
        subject=subject,
        is_new=is_new,
        url=made.url,
        invitation=made.invitation,
        is_failed=bool(settings.EMAIL_HOST and subject.email and made.url),
    )


def public_url(request: HttpRequest, path: str) -> str:
    """Name an address of this site as others reach it."""
    return settings.PUBLIC_URL.rstrip("/") + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def mailed(subject: User, url: str) -> bool:
    """Send a link by mail; not where no server is named, the person has no address, or the server refuses."""
    if not (settings.EMAIL_HOST and subject.email):
        return False
    words = _(
        "Hello %(name)s,\n\nchoose your password for Fovea here:\n\n%(url)s\n\n"
        "The link works once, for %(hours)s hours. Nobody else knows it: do not pass it on.\n"
    )
    told = words % {"name": subject.username, "url": url, "hours": settings.INVITATION_HOURS}
    try:
        return bool(send_mail(_("Your access to Fovea"), told, None, [subject.email]))
    except (SMTPException, OSError) as error:
        log.warning("an invitation could not be mailed: %s", type(error).__name__)
        return False


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """Let whom a link is for choose a password; looking at it does not use it up."""
    try:
        subject = invited_by(key, now=timezone.now()).user
        if request.method == "POST" and provider_name() and "by_provider" in request.POST:
            return to_provider(request, key)
        form = styled(SetPasswordForm(subject, request.POST if request.method == "POST" else None))
        if request.method == "POST" and form.is_valid():
            return accepted(request, key, form.cleaned_data["new_password1"])
    except InvitationOverError:
        return render(request, "accounts/invitation_over.html", status=410)
    told = {"form": form, "subject": subject, "rules": password_rules(), "provider_name": provider_name()}
    return render(request, "accounts/invitation.html", told, status=422 if form.errors else 200)


def to_provider(request: HttpRequest, key: str) -> HttpResponse:
    """Note that the next answer of the provider is whom the link is for; the browser goes there by a link."""
    request.session[PURPOSE] = {"what": INVITED, "key": key, "at": time.time()}
    told = {"back": request.path, "provider_name": provider_name(), "form": True}
    return render(request, "accounts/invitation_provider.html", told)


def accepted(request: HttpRequest, key: str, password: str) -> HttpResponse:
    """Keep the password, and go to sign in with it."""
    with transaction.atomic():
        subject = accept(key=key, password=password, now=timezone.now())
        record(
            actor=str(subject.pk),
            action="invitation.accept",
            object_type="user",
            object_id=str(subject.pk),
            remote_address=address_of(request),
        )
    messages.success(request, _("Your password is kept. Sign in with it."))
    return redirect("sign-in")
