"""A delivery that is sent in pieces: announced with the list of its files, then started when all is there."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from annotation.exchange import uploads
from annotation.exchange.imports import job_key, open_delivery
from annotation.exchange.lifecycle.usage import check_room
from annotation.exchange.uploads import Listed
from annotation.projects.models import Project
from annotation.studies.models import Import
from audit.services import record
from jobs.models import Job, Lane
from jobs.selectors import jobs_in
from jobs.services import ask

MOST_OPEN = 20  # a person's deliveries that are announced and not started


@dataclass(frozen=True)
class Announced:
    """What will be sent, and what the sender says of its plain pictures."""

    source_name: str
    modality: str
    pictures_cleared: bool
    files: list[Listed]


def announce(*, project: Project, told: Announced, by: User, now: datetime) -> Import:
    """Open a delivery and make room for its files; refused, it leaves neither a row nor a folder.

    raises: UploadError, UnknownModalityError, QuotaError, OSError where it cannot be stored.
    """
    uploads.check_list(told.files, settings.UPLOAD_MAX_BYTES)
    check_open(by)
    uploads.check_disk(settings.HOME.spool, told.files)
    check_room(project.pk, sum(file.size for file in told.files))
    with transaction.atomic():
        delivery = open_delivery(
            project=project,
            source_name=told.source_name,
            requested_by=by,
            now=now,
            modality=told.modality,
            pictures_cleared=told.pictures_cleared,
        )
        uploads.begin(settings.HOME.spool, delivery.pk, told.files, max_bytes=settings.UPLOAD_MAX_BYTES)
    return delivery


def check_open(by: User) -> None:
    """Check that a person has not announced too many deliveries that were never sent.

    raises: UploadError saying what to do.
    """
    waiting = Import.objects.filter(requested_by=by, state=Import.State.WAITING).values_list("pk", flat=True)
    count = sum(uploads.is_open(settings.HOME.spool, key) for key in waiting)
    if count >= MOST_OPEN:
        raise uploads.UploadError(
            f"{count} deliveries that you announced were not sent to their end. Send and start one of them, "
            "or wait: a week after it was announced, each is removed."
        )


def start(*, delivery: Import, by: User, address: str) -> Job:
    """Ask for the import of a delivery that is wholly there, audited; asked again, it changes nothing.

    raises: UploadError where something is missing.
    """
    job = job_of(delivery)
    if job is not None:
        return job
    if not uploads.is_placed(settings.HOME.spool, delivery.pk):  # else it was, and asking for the job failed
        uploads.complete(settings.HOME.spool, delivery.pk)
    return ask_import(delivery, by=by, address=address)


def job_of(delivery: Import) -> Job | None:
    """Find the newest job of a delivery."""
    return jobs_in(None).filter(singleton_key=job_key(delivery)).order_by("-created_at").first()


@transaction.atomic
def ask_import(delivery: Import, *, by: User, address: str) -> Job:
    """Ask for the job, audited."""
    record(
        actor=str(by.pk),
        action="import.start",
        object_type="import",
        object_id=str(delivery.pk),
        remote_address=address,
    )
    return ask(
        name="import_delivery",
        lane=Lane.TRANSFER,
        arguments={"import_id": str(delivery.pk)},
        requested_by=by,
        scope_id=delivery.project_id,
        singleton_key=job_key(delivery),
    )
