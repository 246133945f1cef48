"""Re-authentication (ASVS 7.5.3): what leaves the house or cannot be undone wants a password typed lately."""

import time
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest

from accounts.models import User

TYPED_AT: Final = "password_typed_at"


def note_password(session: Any) -> None:  # noqa: ANN401  any of Django's sessions
    """Remember when the password was typed last."""
    session[TYPED_AT] = time.time()


def typed_lately(session: Any) -> bool:  # noqa: ANN401  any of Django's sessions
    """Whether the password was typed so lately that it need not be asked for again."""
    typed: float = session.get(TYPED_AT, 0.0)
    return 0 <= time.time() - typed <= settings.REAUTHENTICATION_SECONDS


def confirm(request: HttpRequest, user: User, password: str) -> bool:
    """Check a password that was asked for again; wrong ones count towards the lock-out of sign-in."""
    found = authenticate(request, username=user.get_username(), password=password)
    if found is None or found.pk != user.pk:
        return False
    note_password(request.session)
    return True
