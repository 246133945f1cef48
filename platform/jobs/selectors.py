"""Jobs as people see them. This layer knows no projects: callers pass the scopes that a user may see."""

import uuid
from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import User
from jobs.models import OPEN, Job, State


def jobs_in(scope_ids: Collection[uuid.UUID] | None) -> QuerySet[Job]:
    """Jobs that work for these projects or data sets, newest first; None means every job (administrators)."""
    jobs = Job.objects.select_related("requested_by")
    return jobs if scope_ids is None else jobs.filter(scope_id__in=scope_ids)


def visible_jobs(user: User, *, scope_ids: Collection[uuid.UUID] = ()) -> QuerySet[Job]:
    """Jobs that a user asked for or whose scope the user belongs to; every job for an administrator."""
    if user.is_admin:
        return jobs_in(None)
    return jobs_in(None).filter(Q(requested_by=user) | Q(scope_id__in=scope_ids))


def job_for(user: User, job_id: uuid.UUID, *, scope_ids: Collection[uuid.UUID] = ()) -> Job | None:
    """One job, if the user may see it."""
    return visible_jobs(user, scope_ids=scope_ids).filter(pk=job_id).first()


def is_open(job: Job) -> bool:
    """Whether a job waits or runs."""
    return job.state in OPEN


def open_jobs(scope_ids: Collection[uuid.UUID], names: Collection[str] = ()) -> QuerySet[Job]:
    """Jobs of these scopes that wait or run, newest first; only those of some names, where any are given."""
    return named(jobs_in(scope_ids), names).filter(state__in=OPEN)


def last_failed(scope_ids: Collection[uuid.UUID], names: Collection[str] = ()) -> Job | None:
    """Find the job of these scopes and names that came to its end last, if it failed."""
    ended = named(jobs_in(scope_ids), names).filter(state__in=[State.DONE, State.FAILED])
    last = ended.order_by("-finished_at").first()
    return last if last is not None and last.state == State.FAILED else None


class JobsNow(NamedTuple):
    """What a page says of its jobs: the newest that waits or runs, else the last if it failed."""

    busy: Job | None
    failed: Job | None


def jobs_now(scope_ids: Collection[uuid.UUID], names: Collection[str]) -> JobsNow:
    """Find what a page says of the jobs of these scopes and names."""
    busy = open_jobs(scope_ids, names).first()
    return JobsNow(busy, None if busy else last_failed(scope_ids, names))


def named(jobs: QuerySet[Job], names: Collection[str]) -> QuerySet[Job]:
    """Keep the jobs of some names; all of them where none is given."""
    return jobs.filter(name__in=names) if names else jobs
