"""Kept originals of a data set are removed when an administrator asks for it."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.projects.models import Project
from annotation.studies.models import Dataset
from annotation.studies.originals import kept_in, remove_some
from audit.services import record
from jobs.models import OPEN, Job, Lane
from jobs.services import ask

NAME = "remove_originals"


@transaction.atomic
def ask_removal(*, project: Project, by: User, address: str = "") -> Job:
    """Ask for the originals of a project's data set to be removed; the images stay. It is audited."""
    record(
        actor=str(by.pk),
        action="originals.remove",
        object_type="dataset",
        object_id=str(project.dataset_id),
        remote_address=address,
        details={"project": str(project.pk), "originals": kept_in(project.dataset)[0]},
    )
    return ask(
        name=NAME,
        lane=Lane.LIGHT,
        arguments={"dataset_id": str(project.dataset_id)},
        requested_by=by,
        scope_id=project.pk,
        singleton_key=key_of(project.dataset),
    )


def key_of(dataset: Dataset) -> str:
    """Name the removal of a data set: one at a time."""
    return f"{NAME}:{dataset.pk}"


def removal_of(dataset: Dataset) -> Job | None:
    """Find the removal that waits or runs."""
    return Job.objects.filter(singleton_key=key_of(dataset), state__in=OPEN).first()


def remove_originals(dataset_id: UUID, progress: Callable[[float, str], None]) -> int:
    """Remove them, some at a time; broken off, it goes on where it stood. Returns how many."""
    dataset = Dataset.objects.get(pk=dataset_id)
    total, done = kept_in(dataset)[0], 0
    while removed := remove_some(dataset):
        done += removed
        progress(done / max(total, done), f"{done} originals removed")
    return done
