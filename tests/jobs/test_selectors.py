"""What is open, and what failed last, in a project or data set."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Job, Lane, State
from jobs.selectors import last_failed, open_jobs

pytestmark = pytest.mark.django_db
SCOPE, OTHER = uuid.uuid4(), uuid.uuid4()


def a_job(name: str, state: State, *, scope: uuid.UUID = SCOPE, minute: int = 0) -> Job:
    at = timezone.now() + timedelta(minutes=minute)
    return Job.objects.create(
        name=name, lane=Lane.LIGHT, scope_id=scope, state=state, created_at=at, finished_at=at
    )


def test_what_waits_or_runs_is_open_and_names_narrow_it() -> None:
    refit, replay = a_job("refit", State.QUEUED), a_job("replay", State.RUNNING, minute=1)
    for state in (State.DONE, State.FAILED, State.CANCELLED):
        a_job("refit", state)
    a_job("refit", State.QUEUED, scope=OTHER)
    assert list(open_jobs([SCOPE])) == [replay, refit]
    assert list(open_jobs([SCOPE], ["refit"])) == [refit]


def test_a_failure_is_told_until_a_later_job_is_done() -> None:
    failed = a_job("replay", State.FAILED)
    a_job("replay", State.RUNNING, minute=1)
    a_job("refit", State.DONE, minute=2)
    assert last_failed([SCOPE], ["replay"]) == failed
    assert last_failed([SCOPE]) is None
    a_job("replay", State.DONE, minute=3)
    assert last_failed([SCOPE], ["replay"]) is None
