"""Reads of people: for administrators alone; and what is a person's own."""

import base64
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from accounts.models import Preferences, Role, User

EVERYBODY, NUL = "everybody", "\0"
NO_PASSWORD = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
SHOWN = {
    EVERYBODY: ("Everybody", Q()),
    "admins": ("Administrators", Q(is_admin=True)),
    Role.READER.value: ("Readers", Q(memberships__role=Role.READER)),
    Role.ML_STAFF.value: ("ML staff", Q(memberships__role=Role.ML_STAFF)),
    "nowhere": ("Members of nothing", Q(memberships=None, is_admin=False)),
    "invited": ("Invited", NO_PASSWORD & Q(is_active=True, identities=None)),
    "disabled": ("Disabled", Q(is_active=False)),
}


def people_for(user: User) -> QuerySet[User]:
    """Everyone who can sign in.

    raises: PermissionDenied for a person who is no administrator.
    """
    if not user.is_admin:
        raise PermissionDenied("only administrators see people")
    return User.objects.all()


def people_found(user: User, *, words: str, shown: str) -> QuerySet[User]:
    """People whose name or address, or the name of whose project, has the words; of one kind of SHOWN.

    raises: PermissionDenied.
    """
    people = people_for(user).filter(SHOWN.get(shown, SHOWN[EVERYBODY])[1])
    if NUL in words:  # PostgreSQL has no such text
        return people.none()
    if words:
        people = people.filter(
            Q(username__icontains=words)
            | Q(email__icontains=words)
            | Q(memberships__project__name__icontains=words)
        )
    return people.distinct()


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
