"""What administrators do with how a person gets in: one audited act each, for pages and programs alike."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from accounts.factors.services import reset
from accounts.factors.services import unlock as unlock_codes
from accounts.lockout import unlock as unlock_passwords
from accounts.models import Role, User
from accounts.services import LastAdminError, end_sessions, set_active, set_admin, take_password
from annotation.api.permissions import person, record_act
from annotation.projects.rules import RefusedError
from annotation.projects.services import ask_settling

LAST = "Nothing was changed: nobody who can sign in would be an administrator any more."


class StandingError(RefusedError):
    """A person's standing cannot be changed so; the message says why, as a sentence."""

    code: ClassVar[str] = "standing_refused"


@dataclass(frozen=True)
class Own:
    """What is said to who would change themselves."""

    words: str

    def check(self, request: HttpRequest, subject: User) -> None:
        """Refuse to act on oneself.

        raises: StandingError.
        """
        if subject == person(request):
            raise StandingError(self.words)


DISABLE = Own("You cannot disable yourself. Ask another administrator.")
ADMINISTER = Own("You cannot change this of yourself. Ask another administrator.")
PASSWORD = Own("Change your own password on the page of your account.")
FACTORS = Own("Manage your own second factors on the page of your account.")


def set_activity(request: HttpRequest, subject: User, *, active: bool) -> int:
    """Disable or enable a person; disabling ends their sessions at once: gives how many.

    raises: StandingError.
    """
    DISABLE.check(request, subject)
    try:
        with transaction.atomic():
            ended = set_active(user=subject, active=active)
            act = "person.enable" if active else "person.disable"
            record_act(request, act, "user", subject.pk, {"sessions_ended": ended})
            for project_id in [] if active else read_in(subject):
                ask_settling(project_id)
    except LastAdminError:
        raise StandingError(LAST) from None
    return ended


def read_in(subject: User) -> list[UUID]:
    """Name the projects that a person reads in: their cases wait for nobody who cannot sign in."""
    return list(subject.memberships.filter(role=Role.READER).values_list("project_id", flat=True))


def set_administration(request: HttpRequest, subject: User, *, is_admin: bool) -> None:
    """Make a person an administrator, or one no more.

    raises: StandingError.
    """
    ADMINISTER.check(request, subject)
    try:
        with transaction.atomic():
            set_admin(user=subject, is_admin=is_admin)
            record_act(request, "person.admin", "user", subject.pk, {"is_admin": is_admin})
    except LastAdminError:
        raise StandingError(LAST) from None


def end_password(request: HttpRequest, subject: User) -> None:
    """Let a person's password, sessions and tokens end, before they get a link to choose another.

    raises: StandingError.
    """
    PASSWORD.check(request, subject)
    if not subject.is_active:
        raise StandingError(f"{subject.username} is disabled: enable them first.")
    try:
        with transaction.atomic():
            ended = take_password(user=subject)
            record_act(request, "person.password", "user", subject.pk, {"sessions_ended": ended})
    except LastAdminError:
        raise StandingError(LAST) from None


@transaction.atomic
def sign_out_everywhere(request: HttpRequest, subject: User) -> int:
    """End every session of a person; gives how many there were."""
    record_act(request, "person.end_sessions", "user", subject.pk)
    return end_sessions(user=subject)


@transaction.atomic
def forget_factors(request: HttpRequest, subject: User) -> int:
    """Forget a person's second factors, for who lost phone and key; gives how many sessions ended.

    raises: StandingError.
    """
    FACTORS.check(request, subject)
    reset(user=subject)
    ended = end_sessions(user=subject)
    record_act(request, "person.reset_factors", "user", subject.pk, {"sessions_ended": ended})
    return ended


@transaction.atomic
def unlock(request: HttpRequest, subject: User) -> None:
    """Let a person sign in again before a lock ends by itself."""
    unlock_passwords(user=subject)
    unlock_codes(user=subject)
    record_act(request, "person.unlock", "user", subject.pk)
