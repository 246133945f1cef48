"""Who is locked out after wrong passwords, and unlocking them. django-axes counts, by name and address."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings

from accounts.models import User


@dataclass(frozen=True)
class Lock:
    """Sign-in of one person from one address, closed until a time."""

    address: str
    until: datetime


def lasts() -> timedelta:
    """How long a lock holds."""
    return timedelta(hours=settings.AXES_COOLOFF_TIME)


def locks_of(users: Iterable[User], *, now: datetime) -> dict[str, list[Lock]]:
    """Name the locks that hold now, by user name; one query."""
    attempts = AccessAttempt.objects.filter(
        username__in=[one.username for one in users],
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        attempt_time__gt=now - lasts(),
    )
    found: defaultdict[str, list[Lock]] = defaultdict(list)
    for one in attempts.order_by("attempt_time"):
        found[one.username].append(Lock(one.ip_address or "", one.attempt_time + lasts()))
    return dict(found)


def unlock(*, user: User) -> int:
    """Forget a person's wrong passwords, from every address. Gives how many addresses were counted."""
    return int(reset(username=user.username))
