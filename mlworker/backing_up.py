"""The job that writes a backup, and when the sweep asks for it."""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotation.exchange.lifecycle.backup.making import make_backup
from jobs.models import OPEN, Job, Lane
from jobs.services import ask
from mlworker.runtime import Work
from mlworker.upkeep import forget_done

NAME = "backup"


def backup(work: Work) -> None:
    """Write one."""
    make_backup(Path(settings.BACKUP_FOLDER), now=timezone.now(), progress=work.progress)


def ask_backup(*, now: datetime) -> Job | None:
    """Ask for a backup where the settings name a folder and the last one was asked for long enough ago."""
    jobs = Job.objects.filter(name=NAME)
    due = now - timedelta(seconds=settings.BACKUP_SECONDS)
    if not settings.BACKUP_FOLDER or jobs.filter(state__in=OPEN).exists():
        return None
    if jobs.filter(created_at__gt=due).exists():
        return None
    forget_done(NAME, now)
    return ask(name=NAME, lane=Lane.LIGHT, arguments={}, singleton_key=NAME)
