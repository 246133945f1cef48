"""Writes of people: made, disabled, enabled, given a new password. Callers audit in the same transaction."""

import secrets

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from accounts.models import Preferences, User
from accounts.tokens import revoke_all

# Words are read aloud and typed without mistakes; no look-alikes. 5 groups of 5 of 31 letters: 123 bits.
ALPHABET = "abcdefghijkmnpqrstuvwxyz2345678"
GROUPS, GROUP_LENGTH = 5, 5


def one_time_password() -> str:
    """Make a password that nobody chose: shown once, never stored in clear."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


@transaction.atomic
def add_person(*, username: str, is_admin: bool) -> tuple[User, str]:
    """Make a person who is a member of nothing yet; gives the password to hand over."""
    password = one_time_password()
    user = User.objects.create_user(username=username, password=password, is_admin=is_admin)
    return user, password


@transaction.atomic
def new_password(*, user: User) -> str:
    """Replace a person's password, end their sessions and revoke their tokens; gives the password."""
    password = one_time_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user=user)
    revoke_all(user=user)
    return password


@transaction.atomic
def set_active(*, user: User, active: bool) -> int:
    """Disable or enable a person; disabling ends sessions and revokes tokens. Gives how many sessions."""
    user.is_active = active
    user.save(update_fields=["is_active"])
    if active:
        return 0
    revoke_all(user=user)
    return end_sessions(user=user)


def end_sessions(*, user: User) -> int:
    """End every session of a person; gives how many there were."""
    alive = Session.objects.filter(expire_date__gte=timezone.now())
    mine = [one.pk for one in alive.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=mine).delete()
    return len(mine)


def set_preferences(*, user: User, language: str, keys: dict[str, list[str]]) -> Preferences:
    """Keep how a person likes to work."""
    values = {"language": Preferences.Language(language), "keys": keys}
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=values)
    return preferences
