"""Who is locked out after wrong passwords, and unlocking them. django-axes counts, by name and address."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.db.models import Max, Sum

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
    """Name the locks that hold now, by user name; one query. A row counts for one kind of browser alone."""
    attempts = AccessAttempt.objects.filter(
        username__in=[one.username for one in users], attempt_time__gt=now - lasts()
    )
    counted = attempts.values("username", "ip_address").annotate(
        failures=Sum("failures_since_start"), last=Max("attempt_time")
    )
    locked = counted.filter(failures__gte=settings.AXES_FAILURE_LIMIT).order_by("last")
    found: defaultdict[str, list[Lock]] = defaultdict(list)
    for one in locked:
        found[one["username"]].append(Lock(one["ip_address"] or "", one["last"] + lasts()))
    return dict(found)


def unlock(*, user: User) -> int:
    """Forget a person's wrong passwords, from every address. Gives how many addresses were counted."""
    return int(reset(username=user.username))
