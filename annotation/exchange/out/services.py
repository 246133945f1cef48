"""Writes of exports: asked for, finished by their job, fetched, removed when they expire."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from annotation.exchange.out.catalogue import FORMATS, MODEL_FORMATS
from annotation.exchange.out.models import Export
from annotation.learning.files import StoredFile
from annotation.learning.models import ModelVersion, Snapshot
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import organises
from annotation.projects.services import record_act
from annotation.studies import files
from jobs.models import Job, Lane
from jobs.services import ask


class ExpiredError(RefusedError):
    """The file is not there: not made yet, or gone."""

    code = "gone"


@dataclass(frozen=True)
class Made:
    """A finished export's file, and what is in it."""

    snapshot: Snapshot
    stored: StoredFile
    size: int
    report: Mapping[str, Any]


@transaction.atomic
def request_export(
    *, project: Project, name: str, snapshot: Snapshot | None, by: User, now: datetime, address: str = ""
) -> Export:
    """Ask for a snapshot in a format; without one the project is frozen first. Audited here, once.

    raises: RefusedError for a format or a snapshot that is not there.
    """
    if name not in FORMATS:
        raise RefusedError(f'format is "{name}": choose one of {", ".join(FORMATS)}')
    if snapshot is not None and not is_exportable(snapshot, project):
        raise RefusedError("this snapshot holds no readings of the project: choose another, or freeze one")
    if snapshot is not None and snapshot.erased_members:
        raise RefusedError("cases in this snapshot were erased, and its file with them: freeze one now")
    export = Export(project=project, snapshot=snapshot, format=name, requested_by=by, created_at=now)
    return asked_for(export, by=by, address=address)


class NotPortableError(RefusedError):
    """What was learned is no network that the formats of models hold; the message says what can be had."""

    code: ClassVar[str] = "not_portable"


def refuse_pixel_head(project: Project, model_id: UUID) -> None:
    """Say of a pixel head that it is not taken out as a model, why, and what can be.

    raises: NotPortableError where it is one of the project.
    """
    head = project.pixel_heads.filter(pk=model_id).first()
    if head is not None:
        raise NotPortableError(
            f"pixel head {head.number} of “{head.question}” is a filter bank and trees, no network that "
            "safetensors, ONNX or a MONAI bundle could run: take out what readers drew with the labels "
            "(DICOM SEG, NIfTI, COCO), and the models of answers as files"
        )


@transaction.atomic
def request_model_export(
    *, model: ModelVersion, name: str, by: User, now: datetime, address: str = ""
) -> Export:
    """Ask for a model version as a file that runs elsewhere. Audited here, once.

    raises: RefusedError for a format that is not there.
    """
    if name not in MODEL_FORMATS:
        raise RefusedError(f'format is "{name}": choose one of {", ".join(MODEL_FORMATS)}')
    export = Export(
        project=model.project,
        model=model,
        snapshot=model.snapshot,
        format=name,
        requested_by=by,
        created_at=now,
    )
    return asked_for(export, by=by, address=address)


def asked_for(export: Export, *, by: User, address: str) -> Export:
    """Write an export with its job, and audit it."""
    export.save(force_insert=True)
    export.job_id = ask_job(export, by).pk
    export.save(update_fields=["job_id"])
    note(export, "export.create", by=by, address=address)
    return export


def is_exportable(snapshot: Snapshot, project: Project) -> bool:
    """Whether a snapshot holds all readings of this project."""
    return snapshot.project_id == project.pk and snapshot.kind == Snapshot.Kind.PROJECT


def ask_job(export: Export, by: User) -> Job:
    """Ask the light lane to make the file."""
    return ask(
        name="export",
        lane=Lane.TRANSFER,
        arguments={"export_id": str(export.pk)},
        requested_by=by,
        scope_id=export.project_id,
    )


def check_requester(export: Export) -> None:
    """Check once more, when the work begins, that who asked may have it.

    raises: ForbiddenError.
    """
    by = export.requested_by
    if by is None or not by.is_active or not organises(by, export.project_id):
        raise ForbiddenError("who asked for this export is no ML staff of the project any more")


def finish_export(*, export_id: UUID, made: Made, now: datetime) -> None:
    """Name the file, in the transaction that ends its job; it is there until it expires.

    raises: OSError where the sweep removed the same file of an older export just now: make it again.
    """
    Snapshot.objects.select_for_update().get(pk=made.snapshot.pk)
    if not default_storage.exists(made.stored.name):
        raise OSError("the export's file was removed while it was made")
    Export.objects.filter(pk=export_id).update(
        snapshot=made.snapshot,
        file_name=made.stored.name,
        file_digest=made.stored.digest,
        file_bytes=made.size,
        report=dict(made.report),
        ready_at=now,
        expires_at=now + timedelta(days=settings.EXPORT_DAYS),
    )


def file_of(export: Export, now: datetime) -> str:
    """Name an export's file in the store.

    raises: ExpiredError.
    """
    if export.expires_at is None:
        raise ExpiredError("the export is not made yet: wait for its job")
    if export.removed_at is not None or export.expires_at <= now:
        raise ExpiredError("the export has expired: ask for it again, the same snapshot gives the same file")
    return export.file_name


def record_fetch(*, export: Export, by: User, address: str = "") -> None:
    """Audit that somebody took an export out."""
    note(export, "export.fetch", by=by, address=address)


def note(export: Export, action: str, *, by: User | None, address: str = "") -> None:
    """Audit an act on an export, in the caller's transaction."""
    details: dict[str, Any] = {
        "export": str(export.pk),
        "format": export.format,
        "snapshot": export.snapshot.digest[:12] if export.snapshot else "now",
    }
    if export.model is not None:
        details |= {"model": export.model.number, "artefact": export.model.artefact_digest[:12]}
    record_act(action, export.project_id, by=by, details=details, address=address)


@transaction.atomic
def remove_expired(*, now: datetime) -> int:
    """Delete the files of exports that have expired; a file that a living export names too stays.

    returns: how many exports lost their file.
    """
    expired = Export.objects.filter(removed_at=None, expires_at__isnull=False, expires_at__lte=now)
    rows = list(expired.values_list("pk", "file_name", "snapshot"))
    if not rows:
        return 0
    snapshots = {snapshot for _, _, snapshot in rows}
    list(Snapshot.objects.select_for_update().filter(pk__in=snapshots).order_by("pk"))
    count = Export.objects.filter(pk__in=[pk for pk, _, _ in rows]).update(removed_at=now)
    names = {name for _, name, _ in rows}
    living = Export.objects.filter(file_name__in=names, removed_at=None)
    alive = set(living.values_list("file_name", flat=True))
    for name in sorted(names - alive):
        files.remove(name)
    return count
