"""One-time links with which people choose their own password: once, for a while, kept as a hash."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import Invitation, User
from accounts.services import set_password

RANDOM_BYTES = 32


class InvitationOverError(Exception):
    """A link that was used, has expired, was replaced, or never was."""


def digest_of(key: str) -> str:
    """SHA-256 of a link's key: 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def invite(*, user: User, by: User, now: datetime) -> tuple[Invitation, str]:
    """Make a person's link and end the ones before it; gives the key to show once. The caller audits."""
    User.objects.select_for_update().get(pk=user.pk)
    user.invitations.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
    key = secrets.token_urlsafe(RANDOM_BYTES)
    invitation = Invitation.objects.create(
        user=user,
        digest=digest_of(key),
        created_at=now,
        created_by=by,
        expires_at=now + timedelta(hours=settings.INVITATION_HOURS),
    )
    return invitation, key


def invited_by(key: str, *, now: datetime) -> Invitation:
    """Find the invitation of a link that may be used now.

    raises: InvitationOverError.
    """
    open_ones = Invitation.objects.select_related("user").filter(
        used_at=None, expires_at__gt=now, user__is_active=True
    )
    found = open_ones.filter(digest=digest_of(key)).first()
    if found is None:
        raise InvitationOverError
    return found


@transaction.atomic
def accept(*, key: str, password: str, now: datetime) -> User:
    """Take the password that the invited person chose; the link is over. The caller audits.

    raises: InvitationOverError.
    """
    invitation = invited_by(key, now=now)
    used = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise InvitationOverError
    set_password(user=invitation.user, password=password)
    return invitation.user


def waiting_for(user: User, *, now: datetime) -> Invitation | None:
    """Find the link that a person has and has not used yet."""
    return user.invitations.filter(used_at=None, expires_at__gt=now).first()
