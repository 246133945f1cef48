"""Of whom a second factor is asked, and whether a session has shown one."""

import time
from typing import Any, Final

from django.conf import settings

from accounts.models import Role, User

ADMIN: Final = "admin"
SHOWN_AT: Final = "second_factor_shown_at"


def is_required_of(user: User) -> bool:
    """Whether one of the person's roles asks for a second factor (FOVEA_SECOND_FACTOR_ROLES)."""
    roles = set(settings.SECOND_FACTOR_ROLES)
    if user.is_admin and ADMIN in roles:
        return True
    asked = roles & set(Role.values)
    return bool(asked) and user.memberships.filter(role__in=asked).exists()


def note_shown(session: Any) -> None:  # noqa: ANN401  any of Django's sessions
    """Remember that a second factor was shown."""
    session[SHOWN_AT] = time.time()


def is_missing(user: User, session: Any) -> bool:  # noqa: ANN401  any of Django's sessions
    """Whether a session must not go on before a second factor is set up."""
    return bool(settings.SECOND_FACTOR_ROLES) and SHOWN_AT not in session and is_required_of(user)
