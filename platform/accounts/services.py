"""Writes of people: made, promoted, disabled, enabled. Callers audit in the same transaction."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from accounts.models import Preferences, User
from accounts.tokens import revoke_all
from accounts.words import drawn

GROUPS, GROUP_LENGTH = 5, 5  # 123 bits


def one_time_password() -> str:
    """Make a password that nobody chose: shown once, never stored in clear."""
    return drawn(groups=GROUPS, length=GROUP_LENGTH)


class LastAdminError(Exception):
    """Nobody who can sign in would administer any more."""


@transaction.atomic
def add_person(*, username: str, email: str, is_admin: bool) -> User:
    """Make a person who is a member of nothing and cannot sign in yet: an invitation lets them."""
    user: User = User.objects.create_user(username=username, email=email, is_admin=is_admin)
    return user


@transaction.atomic
def take_password(*, user: User) -> int:
    """Make a person's password useless; sessions, tokens and the provider's connections end with it.

    returns: how many sessions. raises: LastAdminError.
    """
    if user.is_admin and user.has_usable_password():
        leave_an_administrator(but=user)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    user.identities.all().delete()
    revoke_all(user=user)
    return end_sessions(user=user)


@transaction.atomic
def set_password(*, user: User, password: str, but: str | None = None) -> int:
    """Keep the password that a person chose; their sessions end, but for one. Gives how many."""
    user.set_password(password)
    user.save(update_fields=["password"])
    return end_sessions(user=user, but=but)


@transaction.atomic
def set_active(*, user: User, active: bool) -> int:
    """Disable or enable a person; disabling ends sessions and revokes tokens. Gives how many sessions.

    raises: LastAdminError.
    """
    if not active and user.is_admin:
        leave_an_administrator(but=user)
    user.is_active = active
    user.save(update_fields=["is_active"])
    if active:
        return 0
    revoke_all(user=user)
    return end_sessions(user=user)


@transaction.atomic
def set_admin(*, user: User, is_admin: bool) -> None:
    """Make a person an administrator, or one no more.

    raises: LastAdminError.
    """
    if not is_admin:
        leave_an_administrator(but=user)
    user.is_admin = is_admin
    user.save(update_fields=["is_admin"])


def leave_an_administrator(*, but: User) -> None:
    """Check, in the caller's transaction, that somebody else who has a password administers.

    raises: LastAdminError.
    """
    able = User.objects.select_for_update().filter(is_admin=True, is_active=True).order_by("pk")
    if not any(one.pk != but.pk and one.has_usable_password() for one in able):
        raise LastAdminError("somebody who can sign in must stay administrator")


def end_sessions(*, user: User, but: str | None = None) -> int:
    """End every session of a person, but for one where its key is named; gives how many there were."""
    alive = Session.objects.filter(expire_date__gte=timezone.now()).exclude(pk=but or "")
    mine = [one.pk for one in alive.iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=mine).delete()
    return len(mine)


def set_preferences(*, user: User, language: str, keys: dict[str, list[str]]) -> Preferences:
    """Keep how a person likes to work."""
    values = {"language": Preferences.Language(language), "keys": keys}
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=values)
    return preferences
