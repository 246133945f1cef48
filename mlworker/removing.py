"""The job that removes for good what was deleted and not brought back in time."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from annotation.exchange.lifecycle.forgetting import forget_deleted_rows
from annotation.exchange.lifecycle.originals import remove_originals
from annotation.exchange.lifecycle.removing import due_of, overdue, remove_files, remove_rows
from jobs.models import OPEN, Job, Lane
from jobs.services import ask
from mlworker.erasing import erase_vectors
from mlworker.runtime import Work

NAME = "remove_deleted"


def remove_deleted(work: Work) -> None:
    """Remove what is overdue, one deletion after the other."""
    waiting = list(overdue(timezone.now()))
    for place, deletion in enumerate(waiting):
        work.progress(place / len(waiting), "Removing what was deleted")
        due = due_of(deletion)
        remove_files(due)
        erase_vectors(due.vectors)
        remove_rows(deletion, now=timezone.now())
    forget_deleted_rows()


def remove_kept_originals(work: Work, dataset_id: str) -> None:
    """Remove the files as they came that a data set kept; the images stay."""
    remove_originals(UUID(dataset_id), work.progress)


def ask_removal(*, now: datetime) -> Job | None:
    """Ask for it where something is overdue and nobody is at it."""
    if not overdue(now).exists() or Job.objects.filter(name=NAME, state__in=OPEN).exists():
        return None
    return ask(name=NAME, lane=Lane.LIGHT, arguments={}, singleton_key=NAME)
