"""Ask for machine work, hold it, end it. Every write of a running job is conditional on its fencing token."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from jobs import broker
from jobs.claims import Claim, StaleClaim
from jobs.models import OPEN, Job, Lane, Outbox, State
from jobs.rules import ERROR_LENGTH, MESSAGE_LENGTH, retry_delay, should_send
from notices.services import administrators, notify

log = logging.getLogger(__name__)
MAILING = "mail_notices"  # that mail fails is told by no mail
TOLD_WHEN_DONE = dict.fromkeys(("train", "pretrain"), "training_finished")


@transaction.atomic
def ask(  # noqa: PLR0913  one argument a column of the row
    *,
    name: str,
    lane: str,
    arguments: dict[str, Any],
    requested_by: User | None = None,
    scope_id: uuid.UUID | None = None,
    singleton_key: str = "",
    max_attempts: int = 5,
) -> Job:
    """Write a job and its message in the caller's transaction; where one of this key waits, return that one.

    The waiting job is locked: it cannot start before the caller's other rows are there to be seen.
    """
    asked = {
        "name": name,
        "lane": Lane(lane),
        "arguments": arguments,
        "requested_by": requested_by,
        "scope_id": scope_id,
        "singleton_key": singleton_key,
        "max_attempts": max_attempts,
        "created_at": timezone.now(),
    }
    while True:
        waiting = waiting_job(singleton_key)
        if waiting is not None:
            return waiting
        try:
            with transaction.atomic():
                return written(Job(**asked))
        except IntegrityError:
            log.info("job %s is being asked for by another process too", name)


def waiting_job(singleton_key: str) -> Job | None:
    """Lock and return the job that waits under a key."""
    if not singleton_key:
        return None
    waiting = Job.objects.select_for_update().filter(singleton_key=singleton_key, state=State.QUEUED)
    return waiting.first()


def written(job: Job) -> Job:
    """Store a new job with its outbox row, to be sent when the transaction has committed."""
    job.save(force_insert=True)
    Outbox.objects.create(job=job)
    transaction.on_commit(partial(dispatch, job.pk), robust=True)
    return job


def dispatch(job_id: uuid.UUID) -> bool:
    """Send a job's message; a broker that is down costs about a second, and the sweep sends it later."""
    lane = Job.objects.filter(pk=job_id, state__in=OPEN).values_list("lane", flat=True).first()
    if lane is None or not broker.send(lane, job_id):
        return False
    return bool(Outbox.objects.filter(job_id=job_id).update(sent_at=timezone.now()))


@transaction.atomic
def claim(job_id: uuid.UUID | str, *, worker: str, now: datetime) -> Claim | None:
    """Take a job that waits or whose worker's lease ran out, unless another one of its key runs.

    returns: None when there is nothing to do: done already, held, or its attempts are used up.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or another_runs(job, now):
        return None
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lt=now)
    taken = Job.objects.filter(free, pk=job_id, attempts__lt=F("max_attempts")).update(
        state=State.RUNNING,
        fencing_token=F("fencing_token") + 1,
        attempts=F("attempts") + 1,
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
        worker=worker,
        started_at=now,
        error="",
    )
    if not taken:
        return None
    job.refresh_from_db()
    return claim_of(job)


def claim_of(job: Job) -> Claim:
    """Put a running job's row into its worker's hands."""
    return Claim(
        job.pk, job.name, job.arguments, job.fencing_token, job.attempts, job.worker, job.requested_by_id
    )


def held_claim(job_id: uuid.UUID | str, *, token: int) -> Claim | None:
    """Give the claim that a parent took to the process that does the work; None when it holds no more."""
    job = Job.objects.filter(pk=job_id, state=State.RUNNING, fencing_token=token).first()
    return claim_of(job) if job is not None else None


def another_runs(job: Job, now: datetime) -> bool:
    """Lock the open jobs of a job's key, and say whether another one of them is being worked on."""
    if not job.singleton_key:
        return False
    same = Job.objects.select_for_update().filter(singleton_key=job.singleton_key, state__in=OPEN)
    return any(
        other.pk != job.pk and other.lease_until is not None and other.lease_until >= now
        for other in same.order_by("pk")
    )


def heartbeat(claim: Claim, *, progress: float | None = None, message: str | None = None) -> None:
    """Extend a claim's lease and say how far the work is.

    raises: StaleClaim when the job was cancelled or taken over.
    """
    changes: dict[str, Any] = {"lease_until": timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)}
    if progress is not None:
        changes["progress"] = min(max(progress, 0.0), 1.0)
    if message is not None:
        changes["message"] = message[:MESSAGE_LENGTH]
    write(claim, **changes)


def write(claim: Claim, **changes: Any) -> None:  # noqa: ANN401  columns of any type
    """Change a job's row if the claim still holds.

    raises: StaleClaim.
    """
    held = Job.objects.filter(pk=claim.job_id, state=State.RUNNING, fencing_token=claim.token)
    if not held.update(**changes):
        raise StaleClaim(f"job {claim.job_id}: token {claim.token} is no longer the holder's")


@contextmanager
def fenced(claim: Claim) -> Iterator[Job]:
    """One transaction in which the job's row is locked and the claim holds: results are written inside.

    raises: StaleClaim before the body runs.
    """
    with transaction.atomic():
        held = Job.objects.select_for_update().filter(
            pk=claim.job_id, state=State.RUNNING, fencing_token=claim.token
        )
        job = held.first()
        if job is None:
            raise StaleClaim(f"job {claim.job_id}: token {claim.token} is no longer the holder's")
        yield job


def finish(claim: Claim) -> None:
    """Mark a job as done: in the transaction that writes its results, so that both are there or neither."""
    end(claim, state=State.DONE, progress=1.0)


def fail(claim: Claim, error: str) -> None:
    """End a job with an error that a person can act on; it must not quote a patient's data."""
    end(claim, state=State.FAILED, error=error[:ERROR_LENGTH])


def end(claim: Claim, **changes: Any) -> None:  # noqa: ANN401  columns of any type
    """Close a claim, and let the next job of the same key go."""
    with transaction.atomic():
        write(claim, lease_until=None, finished_at=timezone.now(), **changes)
        tell_end(Job.objects.get(pk=claim.job_id))
        send_next_of_key(claim.job_id)


def tell_end(job: Job) -> None:
    """Tell who asked for a job that it failed or a training is done; administrators where nobody asked."""
    kind = "job_failed" if job.state == State.FAILED else TOLD_WHEN_DONE.get(job.name)
    if kind is None or job.name == MAILING:
        return
    people = [job.requested_by_id] if job.requested_by_id else administrators()
    link = f"/jobs/{job.pk}"
    notify(kind, people, now=timezone.now(), link=link, key=str(job.pk), job=job.name.replace("_", " "))


def give_back(claim: Claim, error: str) -> None:
    """Let a job rest and be tried again (its surroundings failed), or end it after the last attempt."""
    job = Job.objects.get(pk=claim.job_id)
    if claim.attempt >= job.max_attempts:
        fail(claim, error)
        return
    rest_until = timezone.now() + retry_delay(claim.attempt)
    write(claim, lease_until=rest_until, error=error[:ERROR_LENGTH], message="Will be tried again")


@transaction.atomic
def cancel(job_id: uuid.UUID | str) -> bool:
    """Stop a job: a running one learns of it at its next heartbeat and can write nothing any more."""
    cancelled = Job.objects.filter(pk=job_id, state__in=OPEN).update(
        state=State.CANCELLED, finished_at=timezone.now(), lease_until=None
    )
    if cancelled:
        send_next_of_key(uuid.UUID(str(job_id)))
    return bool(cancelled)


def send_next_of_key(job_id: uuid.UUID) -> None:
    """Send the job that waited for this one to end, after the commit."""
    key = Job.objects.values_list("singleton_key", flat=True).get(pk=job_id)
    waiting = Job.objects.filter(singleton_key=key, state=State.QUEUED).exclude(singleton_key="")
    for waiting_id in waiting.values_list("pk", flat=True):
        transaction.on_commit(partial(dispatch, waiting_id), robust=True)


def sweep(now: datetime) -> int:
    """Send again what the broker lost and what dead workers held; end what used up its attempts.

    returns: how many messages were sent.
    """
    give_up_exhausted(now)
    patience = timedelta(seconds=settings.JOB_LEASE_SECONDS)
    rows = Job.objects.filter(state__in=OPEN).exclude(state=State.RUNNING, lease_until__gte=now)
    lost = [
        pk
        for pk, state, sent_at, lease_until in rows.values_list(
            "pk", "state", "outbox__sent_at", "lease_until"
        )
        if should_send(
            queued=state == State.QUEUED, sent_at=sent_at, lease_until=lease_until, now=now, patience=patience
        )
    ]
    sent = 0
    for job_id in lost:
        if not dispatch(job_id):
            break
        sent += 1
    return sent


def give_up_exhausted(now: datetime) -> int:
    """Fail the jobs whose last allowed attempt died without a word."""
    dead = Job.objects.filter(state=State.RUNNING, lease_until__lt=now, attempts__gte=F("max_attempts"))
    if not dead.exists():
        return 0
    with transaction.atomic():
        ended = [job.pk for job in dead.select_for_update().order_by("pk")]
        count = Job.objects.filter(pk__in=ended).update(
            state=State.FAILED,
            finished_at=now,
            lease_until=None,
            error="Its worker died in every attempt allowed: see its log for the cause (often memory)",
        )
        for job in Job.objects.filter(pk__in=ended):
            tell_end(job)
    return count


def release_all(now: datetime) -> int:
    """Let every running job be taken over at once: for a start after which no older worker can be alive.

    The attempt that the stop cut short does not count.
    """
    running = Job.objects.filter(state=State.RUNNING, lease_until__gte=now)
    return running.update(
        lease_until=now - timedelta(microseconds=1), attempts=Greatest(F("attempts") - 1, Value(0))
    )
