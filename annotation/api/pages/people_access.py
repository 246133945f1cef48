"""How a person gets in: their link, their rights as administrator, their sessions, what keeps them out."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import User
from annotation.api import standing
from annotation.api.pages.access import admin_only
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.invitation import send_link
from annotation.api.pages.people import found_person, to_person
from annotation.api.permissions import person
from annotation.api.standing import StandingError


@require_POST
@admin_only
@confirmed(to_person)
def activity(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Disable or enable a person; disabling ends their sessions at once."""
    active = request.POST.get("active") == "yes"

    def act(subject: User) -> str:
        ended = standing.set_activity(request, subject, active=active)
        return "can sign in again." if active else f"is disabled; {ended} open sessions were ended."

    return told(request, person_id, act)


@require_POST
@admin_only
@confirmed(to_person)
def administer(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Make a person an administrator, or one no more."""
    is_admin = request.POST.get("is_admin") == "yes"

    def act(subject: User) -> str:
        standing.set_administration(request, subject, is_admin=is_admin)
        words = "is an administrator now." if is_admin else "is no administrator any more."
        return f"{words} It holds from their next click on."

    return told(request, person_id, act)


@require_POST
@admin_only
@confirmed(to_person)
def link(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Make a link to choose a password; what let them in before stops working and their sessions end."""
    subject = found_person(request, person_id)
    try:
        standing.end_password(request, subject)
    except StandingError as error:
        messages.error(request, str(error))
        return redirect("person", person_id=subject.pk)
    return send_link(request, subject, is_new=False)


@require_POST
@admin_only
def sessions(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """End every session of a person; they can sign in again."""
    subject = found_person(request, person_id)
    ended = standing.sign_out_everywhere(request, subject)
    if subject == person(request):
        return redirect("sign-in")
    messages.success(
        request, f"{subject.username} is signed out everywhere: {ended} open sessions were ended."
    )
    return redirect("person", person_id=subject.pk)


@require_POST
@admin_only
@confirmed(to_person)
def reset_factors(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Forget a person's second factors, for who lost phone and key; their sessions end."""

    def act(subject: User) -> str:
        standing.forget_factors(request, subject)
        return "is asked for no second factor now, until one is set up."

    return told(request, person_id, act)


@require_POST
@admin_only
def unlock(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Let a person sign in again before a lock ends by itself."""

    def act(subject: User) -> str:
        standing.unlock(request, subject)
        return "can try to sign in again."

    return told(request, person_id, act)


def told(request: HttpRequest, person_id: UUID, act: Callable[[User], str]) -> HttpResponse:
    """Act on a person, and say what was changed or why nothing was."""
    subject = found_person(request, person_id)
    try:
        messages.success(request, f"{subject.username} {act(subject)}")
    except StandingError as error:
        messages.error(request, str(error))
    return redirect("person", person_id=subject.pk)
