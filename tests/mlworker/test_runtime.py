"""A job that computes is kept alive, and the loss of its claim is noticed."""

import time
from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import services
from jobs.models import Job, Lane
from mlworker.runtime import kept_alive

pytestmark = pytest.mark.django_db(transaction=True)


def within_a_minute(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    deadline = time.monotonic() + 60.0
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


def test_a_job_that_computes_is_kept_alive_until_it_is_cancelled(settings: Settings) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    made = services.ask(name="embed", lane=Lane.LIGHT, arguments={})
    claim = services.claim(made.pk, worker="here:1", now=timezone.now())
    assert claim is not None
    until = Job.objects.get(pk=made.pk).lease_until
    assert until is not None
    with kept_alive(claim) as stale:
        assert within_a_minute(lambda: Job.objects.filter(pk=made.pk, lease_until__gt=until).exists())
        assert not stale.is_set()
        services.cancel(made.pk)
        assert within_a_minute(stale.is_set)
