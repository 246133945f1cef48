"""Celery's entry points: one a lane, whose message carries a job's id, and the sweep."""

import os
from typing import Any, Final

from celery import current_app
from celery.signals import worker_process_init
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from jobs import services
from jobs.parent import die_with
from mlworker import runtime

REMINDED: Final = "readers_reminded"
REMIND_SECONDS: Final = 3600  # each process that sweeps looks once an hour; rows keep what was told

TRAININGS_ASKED: Final = "trainings_asked"
TRAININGS_SECONDS: Final = 300  # a trigger counts all labels of its project


@current_app.task(name="fovea.light", time_limit=settings.JOB_LIMIT_SECONDS["light"])
def light(job_id: str) -> None:
    """Do a job of seconds."""
    runtime.run(job_id)


@current_app.task(name="fovea.transfer", time_limit=settings.JOB_LIMIT_SECONDS["transfer"])
def transfer(job_id: str) -> None:
    """Do a job that moves images in or out."""
    runtime.run(job_id)


@current_app.task(name="fovea.training", time_limit=settings.JOB_LIMIT_SECONDS["training"])
def training(job_id: str) -> None:
    """Do a job of minutes or hours."""
    runtime.run(job_id)


@current_app.task(name="fovea.sweep")
def sweep() -> None:
    """Send again what was lost, end leases of absent readers, remove what has expired, ask for upkeep."""
    from annotation.exchange.labels.services import drop_forgotten
    from annotation.exchange.out.services import remove_expired
    from annotation.learning.drifts import ask_trainings
    from annotation.queue.services import expire_leases
    from annotation.queue.settling import ask_where_gone
    from annotation.queue.telling import tell_due
    from mlworker.backing_up import ask_backup
    from mlworker.cleaning import ask_cleaning
    from mlworker.mailing import ask_mails
    from mlworker.removing import ask_removal
    from mlworker.telling import ask_webhooks

    now = timezone.now()
    services.sweep(now)
    expire_leases(now=now)
    if cache.add(REMINDED, now.isoformat(), REMIND_SECONDS):
        tell_due(now=now)
        ask_where_gone(now)
    remove_expired(now=now)
    drop_forgotten(now=now)
    ask_backup(now=now)
    ask_removal(now=now)
    ask_cleaning(now=now)
    ask_webhooks(now=now)
    if cache.add(TRAININGS_ASKED, now.isoformat(), TRAININGS_SECONDS):
        ask_trainings(now)
    ask_mails(now=now)


@worker_process_init.connect
def start_pool_process(**_: Any) -> None:  # noqa: ANN401  Celery's signal passes its sender
    """Let a pool process die with its worker, and import the jobs before the first one is asked for."""
    die_with(os.getppid())
    runtime.registered()
