"""Who may use an operation for administrators, and what asks for the password first."""

from typing import ClassVar, Final
from uuid import UUID

from django.http import HttpRequest

from accounts.confirming import typed_lately
from accounts.models import User
from annotation.api.permissions import person
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import project_for

CONFIRMED: Final = "fovea.confirmed"
SHOWN_ONCE: Final = "fovea.shown_once"


class ConfirmFirstError(ForbiddenError):
    """The password was typed too long ago for an act of such weight."""

    code: ClassVar[str] = "confirm_first"


def administrator(request: HttpRequest) -> User:
    """Name the administrator who asks.

    raises: ForbiddenError to others.
    """
    user = person(request)
    if not user.is_admin:
        raise ForbiddenError("this is for administrators")
    return user


def administered(request: HttpRequest, project_id: UUID) -> Project:
    """Find a project that the person administers.

    raises: Project.DoesNotExist, ForbiddenError.
    """
    found = project_for(person(request), project_id)
    administrator(request)
    return found


def confirmed(request: HttpRequest) -> None:
    """Check that the password was typed lately, as the pages do.

    raises: ConfirmFirstError.
    """
    if not typed_lately(request.session):
        raise ConfirmFirstError("type your password at /confirm first: it was typed too long ago")
    request.META[CONFIRMED] = "yes"


def was_confirmed(request: HttpRequest) -> bool:
    """Whether answering a request took a password typed lately."""
    return CONFIRMED in request.META


def show_once(request: HttpRequest) -> None:
    """Say that the answer holds a secret that is never shown again: it is kept nowhere."""
    request.META[SHOWN_ONCE] = "yes"


def shows_secret(request: HttpRequest) -> bool:
    """Whether the answer to a request holds a secret."""
    return SHOWN_ONCE in request.META


def confirmed_administrator(request: HttpRequest) -> User:
    """Name the administrator who asks and typed their password lately.

    raises: ForbiddenError, ConfirmFirstError.
    """
    user = administrator(request)
    confirmed(request)
    return user
