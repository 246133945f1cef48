"""Recovery codes: shown once, kept as an HMAC, each good for one sign-in."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts.models import RecoveryCode, User
from accounts.words import ALPHABET, drawn

COUNT: Final = 10
GROUPS, GROUP_LENGTH = 3, 4  # 12 of 31 letters: 59 bits


@transaction.atomic
def new_codes(*, user: User) -> list[str]:
    """Make a person's codes; those before are good no more. The caller audits."""
    user.recovery_codes.all().delete()
    codes = [drawn(groups=GROUPS, length=GROUP_LENGTH) for _ in range(COUNT)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=digest_of(user, one)) for one in codes)
    return codes


def digest_of(user: User, code: str) -> str:
    """HMAC-SHA256 of a person's code: with the database alone it cannot be guessed."""
    plain = "".join(letter for letter in code.lower() if letter in ALPHABET)
    return salted_hmac("fovea.recovery", f"{user.pk}:{plain}", algorithm="sha256").hexdigest()


def use(*, user: User, code: str, now: datetime) -> bool:
    """Use a code up; whether it was one."""
    unused = user.recovery_codes.filter(digest=digest_of(user, code), used_at=None)
    return unused.update(used_at=now) == 1
