"""How a person gets in: their link, their rights as administrator, their sessions, what keeps them out."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.factors.services import reset
from accounts.factors.services import unlock as unlock_codes
from accounts.lockout import unlock as unlocked
from accounts.models import User
from accounts.services import LastAdminError, end_sessions, set_active, set_admin, take_password
from annotation.api.pages.access import admin_only
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.invitation import send_link
from annotation.api.pages.people import found_person, to_person
from annotation.api.permissions import person, record_act

LAST = "Nothing was changed: nobody who can sign in would be an administrator any more."


@require_POST
@admin_only
@confirmed(to_person)
def activity(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Disable or enable a person; disabling ends their sessions at once."""
    subject, active = found_person(request, person_id), request.POST.get("active") == "yes"
    if subject == person(request):
        return refused(request, subject, "You cannot disable yourself. Ask another administrator.")
    try:
        with transaction.atomic():
            ended = set_active(user=subject, active=active)
            act = "person.enable" if active else "person.disable"
            record_act(request, act, "user", subject.pk, {"sessions_ended": ended})
    except LastAdminError:
        return refused(request, subject, LAST)
    words = "can sign in again." if active else f"is disabled; {ended} open sessions were ended."
    return done(request, subject, words)


@require_POST
@admin_only
@confirmed(to_person)
def administer(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Make a person an administrator, or one no more."""
    subject, is_admin = found_person(request, person_id), request.POST.get("is_admin") == "yes"
    if subject == person(request):
        return refused(request, subject, "You cannot change this of yourself. Ask another administrator.")
    try:
        with transaction.atomic():
            set_admin(user=subject, is_admin=is_admin)
            record_act(request, "person.admin", "user", subject.pk, {"is_admin": is_admin})
    except LastAdminError:
        return refused(request, subject, LAST)
    words = "is an administrator now." if is_admin else "is no administrator any more."
    return done(request, subject, f"{words} It holds from their next click on.")


@require_POST
@admin_only
@confirmed(to_person)
def link(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Make a link to choose a password; what let them in before stops working and their sessions end."""
    subject = found_person(request, person_id)
    if subject == person(request):
        return refused(request, subject, "Change your own password on the page of your account.")
    if not subject.is_active:
        return refused(request, subject, f"{subject.username} is disabled: enable them first.")
    try:
        with transaction.atomic():
            ended = take_password(user=subject)
            record_act(request, "person.password", "user", subject.pk, {"sessions_ended": ended})
    except LastAdminError:
        return refused(request, subject, LAST)
    return send_link(request, subject, is_new=False)


@require_POST
@admin_only
def sessions(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """End every session of a person; they can sign in again."""
    subject = found_person(request, person_id)
    with transaction.atomic():
        record_act(request, "person.end_sessions", "user", subject.pk)
        ended = end_sessions(user=subject)
    if subject == person(request):
        return redirect("sign-in")
    return done(request, subject, f"is signed out everywhere: {ended} open sessions were ended.")


@require_POST
@admin_only
@confirmed(to_person)
def reset_factors(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Forget a person's second factors, for who lost phone and key; their sessions end."""
    subject = found_person(request, person_id)
    if subject == person(request):
        return refused(request, subject, "Manage your own second factors on the page of your account.")
    with transaction.atomic():
        reset(user=subject)
        ended = end_sessions(user=subject)
        record_act(request, "person.reset_factors", "user", subject.pk, {"sessions_ended": ended})
    return done(request, subject, "is asked for no second factor now, until one is set up.")


@require_POST
@admin_only
def unlock(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Let a person sign in again before a lock ends by itself."""
    subject = found_person(request, person_id)
    with transaction.atomic():
        unlocked(user=subject)
        unlock_codes(user=subject)
        record_act(request, "person.unlock", "user", subject.pk)
    return done(request, subject, "can try to sign in again.")


def refused(request: HttpRequest, subject: User, words: str) -> HttpResponse:
    """Say why nothing was changed."""
    messages.error(request, words)
    return redirect("person", person_id=subject.pk)


def done(request: HttpRequest, subject: User, words: str) -> HttpResponse:
    """Say what was changed."""
    messages.success(request, f"{subject.username} {words}")
    return redirect("person", person_id=subject.pk)
