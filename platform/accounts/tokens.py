"""API tokens: shown once, kept as a hash; refused when expired, revoked or their owner is disabled."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from accounts.factors.rules import is_required_of
from accounts.factors.services import has_factor
from accounts.models import ApiToken, User
from accounts.scopes import Scope

PREFIX: Final = "fovea_"
RANDOM_BYTES: Final = 32
LONGEST_DAYS: Final = 365
MOST_ALIVE: Final = 20
USE_RESOLUTION: Final = timedelta(minutes=1)
WINDOW_SECONDS: Final = 60
FAILURES_A_WINDOW: Final = 20
REQUESTS_A_WINDOW: Final = 60_000


class TokenRefusedError(Exception):
    """A token cannot be made so; the message says what to change."""


class TooManyError(Exception):
    """Too many requests of one token, or too many wrong tokens from one address."""


@dataclass(frozen=True)
class Wish:
    """What a new token is to be."""

    name: str
    scopes: Sequence[str]
    days: int


def digest_of(key: str) -> str:
    """SHA-256 of a key: 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def make_token(*, user: User, wish: Wish, now: datetime) -> tuple[ApiToken, str]:
    """Make a token; gives the key to show once. The caller audits in the same transaction.

    raises: TokenRefusedError naming what is wrong.
    """
    User.objects.select_for_update().get(pk=user.pk)
    check(user, wish, now)
    key = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    token = ApiToken.objects.create(
        user=user,
        name=wish.name.strip(),
        digest=digest_of(key),
        scopes=sorted(set(wish.scopes)),
        created_at=now,
        expires_at=now + timedelta(days=wish.days),
    )
    return token, key


def check(user: User, wish: Wish, now: datetime) -> None:
    """Check a wish.

    raises: TokenRefusedError.
    """
    if lacks_second_factor(user):
        raise TokenRefusedError(gettext("Set up a second factor on the page of your account first."))
    if not 0 < len(wish.name.strip()) <= 64:
        raise TokenRefusedError(gettext("Give it a name of at most 64 characters."))
    if not wish.scopes or set(wish.scopes) - set(Scope.values):
        raise TokenRefusedError(gettext("Choose what it is for."))
    if not 1 <= wish.days <= LONGEST_DAYS:
        words = gettext("It can live for 1 to %(days)s days.")
        raise TokenRefusedError(words % {"days": LONGEST_DAYS})
    if alive(user.tokens.all(), now).count() >= MOST_ALIVE:
        words = gettext("You have %(count)s tokens: revoke one that is not used any more.")
        raise TokenRefusedError(words % {"count": MOST_ALIVE})


def alive(tokens: QuerySet[ApiToken], now: datetime) -> QuerySet[ApiToken]:
    """Tokens that are neither revoked nor expired."""
    return tokens.filter(revoked_at=None, expires_at__gt=now)


@transaction.atomic
def revoke_token(*, token_id: UUID, by: User, now: datetime) -> ApiToken:
    """Revoke one's own token; an administrator anyone's. What is revoked stays so.

    raises: ApiToken.DoesNotExist where it is another person's.
    """
    tokens = ApiToken.objects.select_for_update()
    token = tokens.get(pk=token_id) if by.is_admin else tokens.get(pk=token_id, user=by)
    if token.revoked_at is None:
        token.revoked_at, token.revoked_by = now, by
        token.save(update_fields=["revoked_at", "revoked_by"])
    return token


def revoke_all(*, user: User) -> int:
    """Revoke every token of a person, in the caller's transaction; gives how many there were."""
    now = timezone.now()
    return alive(user.tokens.all(), now).update(revoked_at=now)


def holder_of(key: str, *, now: datetime, address: str) -> ApiToken | None:
    """Find the token of a key that may be used now, with its owner; its last use is noted to the minute.

    raises: TooManyError.
    """
    token = usable(key, now=now)
    if token is None:
        if counted(f"token-failures:{address}") > FAILURES_A_WINDOW:
            raise TooManyError("too many wrong tokens came from this address: wait a minute")
        return None
    count_request(token.pk)
    if token.last_used_at is None or now - token.last_used_at > USE_RESOLUTION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def count_request(token_id: UUID) -> None:
    """Count one request of a token.

    raises: TooManyError.
    """
    if counted(f"token-requests:{token_id}") > REQUESTS_A_WINDOW:
        raise TooManyError(f"more than {REQUESTS_A_WINDOW} requests a minute: slow down")


def lacks_second_factor(user: User) -> bool:
    """Whether a person's programs must wait until the person has set up the second factor asked of them."""
    return bool(settings.SECOND_FACTOR_ROLES) and is_required_of(user) and not has_factor(user)


def usable(key: str, *, now: datetime) -> ApiToken | None:
    """Find the token of a key that may be used now, with its owner; nothing is counted or noted."""
    known = ApiToken.objects.select_related("user").filter(digest=digest_of(key), user__is_active=True)
    token = alive(known, now).first()
    return None if token is None or lacks_second_factor(token.user) else token


def counted(name: str) -> int:
    """Count one more in the present window; gives how many there are."""
    cache.add(name, 0, WINDOW_SECONDS)
    try:
        return cache.incr(name)
    except ValueError:  # the window ended in between
        cache.set(name, 1, WINDOW_SECONDS)
        return 1
