"""Reads of people: for administrators alone; and what is a person's own."""

import base64
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from accounts.models import Preferences, User


def people_for(user: User) -> QuerySet[User]:
    """Everyone who can sign in.

    raises: PermissionDenied for a person who is no administrator.
    """
    if not user.is_admin:
        raise PermissionDenied("only administrators see people")
    return User.objects.all()


def person_for(user: User, person_id: UUID) -> User:
    """One person.

    raises: PermissionDenied, User.DoesNotExist.
    """
    return people_for(user).get(pk=person_id)


def names_of(ids: set[str]) -> dict[str, str]:
    """Names by id as the audit keeps them; an id of nobody ("system") is left out."""
    sound = {one for one in ids if is_id(one)}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=sound).values_list("pk", "username")}


def is_id(text: str) -> bool:
    """Whether a text is an id."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def preferences_of(user: User) -> Preferences:
    """How a person likes to work; not stored yet where nothing was chosen."""
    return Preferences.objects.filter(pk=user.pk).first() or Preferences(user=user)


def journal_keys(user: User) -> list[str]:
    """Keys of what a person's browser keeps until it is saved: the one in force, then those of older secrets.

    returns: 32 bytes each, in base64; of SECRET_KEY and SECRET_KEY_FALLBACKS. None is stored anywhere.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [base64.b64encode(journal_key(user, secret)).decode() for secret in secrets]


def journal_key(user: User, secret: str | bytes) -> bytes:
    """Derive one person's key of one secret: HMAC-SHA256, with a salt of this use alone."""
    return salted_hmac("fovea.journal", str(user.pk), secret=secret, algorithm="sha256").digest()
