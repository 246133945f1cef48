"""Second factors of a person: set up, checked, locked after wrong codes, removed. Callers audit."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.factors import recovery, totp
from accounts.models import RecoveryCode, SecondFactors, SecurityKey, User
from accounts.sealing import Seal

SEAL: Final = Seal(b"authenticator apps")
MOST_WRONG: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)


class Checked(StrEnum):
    """What a code turned out to be."""

    APP = "app"
    RECOVERY = "recovery code"
    WRONG = "wrong"
    LOCKED = "locked"

    @property
    def is_right(self) -> bool:
        """Whether it lets in."""
        return self in (Checked.APP, Checked.RECOVERY)


def has_app(user: User) -> bool:
    """Whether an authenticator app is set up."""
    return SecondFactors.objects.filter(user=user).exclude(totp_sealed="").exists()


def has_factor(user: User) -> bool:
    """Whether anything besides the password is asked of a person."""
    return has_app(user) or user.security_keys.exists()


@transaction.atomic
def check_code(*, user: User, code: str, now: datetime) -> Checked:
    """Check an app's code or a recovery code. A right one is used up; five wrong ones lock for 15 minutes."""
    factors = SecondFactors.objects.select_for_update().get_or_create(user=user)[0]
    if factors.locked_until is not None and factors.locked_until > now:
        return Checked.LOCKED
    found = matched(factors, code.strip(), now)
    factors.wrong_codes = 0 if found.is_right else factors.wrong_codes + 1
    factors.locked_until = None
    if factors.wrong_codes >= MOST_WRONG:
        factors.wrong_codes, factors.locked_until = 0, now + LOCKED_FOR
    factors.save()
    return found


def matched(factors: SecondFactors, code: str, now: datetime) -> Checked:
    """Say what a code is; notes the step of an app's code, so that none is good twice."""
    if code.replace(" ", "").isdecimal():
        secret = SEAL.unsealed(factors.totp_sealed)
        plain = code.replace(" ", "")
        step = totp.step_of(secret, plain, now=now, after=factors.totp_step) if secret else None
        if step is None:
            return Checked.WRONG
        factors.totp_step = step
        return Checked.APP
    return Checked.RECOVERY if recovery.use(user=factors.user, code=code, now=now) else Checked.WRONG


@transaction.atomic
def set_up_app(*, user: User, secret: str, code: str, now: datetime) -> bool:
    """Keep an app's secret once a code of it was typed; whether the code was right."""
    step = totp.step_of(secret, code.replace(" ", ""), now=now, after=0)
    if step is None:
        return False
    kept = {"totp_sealed": SEAL.seal(secret), "totp_step": step, "wrong_codes": 0}
    SecondFactors.objects.update_or_create(user=user, defaults=kept)
    return True


@transaction.atomic
def codes_of_the_first(*, user: User) -> list[str]:
    """Make recovery codes where a person has none: with their first factor."""
    return [] if user.recovery_codes.exists() else recovery.new_codes(user=user)


@transaction.atomic
def remove_app(*, user: User) -> None:
    """Forget a person's app."""
    SecondFactors.objects.filter(user=user).update(totp_sealed="")
    drop_codes_without_factor(user)


@transaction.atomic
def remove_key(*, user: User, key_id: UUID) -> SecurityKey:
    """Forget one of a person's keys.

    raises: SecurityKey.DoesNotExist.
    """
    key = user.security_keys.get(pk=key_id)
    key.delete()
    drop_codes_without_factor(user)
    return key


def drop_codes_without_factor(user: User) -> None:
    """Recovery codes alone are no second factor."""
    if not has_factor(user):
        user.recovery_codes.all().delete()


@transaction.atomic
def reset(*, user: User) -> None:
    """Forget everything besides a person's password, and what they typed wrong."""
    SecondFactors.objects.filter(user=user).delete()
    SecurityKey.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


def unlock(*, user: User) -> None:
    """Let a person type codes again."""
    SecondFactors.objects.filter(user=user).update(wrong_codes=0, locked_until=None)
