"""Snapshots and exports for programs: with a token of the scope "export", or a session freshly confirmed."""

from datetime import datetime
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.utils import timezone
from ninja import Router, Schema, Status

from accounts.confirming import typed_lately
from accounts.models import User
from accounts.scopes import Scope
from annotation.api.errors import NotThereError
from annotation.api.guards import ConfirmFirstError
from annotation.api.permissions import address_of, person
from annotation.api.responses import MISSING, REFUSED, WRITE
from annotation.api.tokened import TokenOrSession, token_used
from annotation.exchange.out.models import Export
from annotation.exchange.out.selectors import (
    export_for,
    exportable_projects,
    exporting_project,
    snapshot_named,
    snapshots_for,
)
from annotation.exchange.out.services import (
    file_of,
    record_fetch,
    refuse_pixel_head,
    request_export,
    request_model_export,
)
from annotation.learning.models import ModelVersion, Snapshot
from annotation.projects.models import Project
from jobs.models import Job

BLOCK_BYTES = 1024 * 1024


class ExportableView(Schema):
    """A project whose labels the person may take out."""

    id: UUID
    name: str


class SnapshotView(Schema):
    """Frozen readings; card: what is in them."""

    digest: str
    created_at: datetime
    card: dict[str, object]


class ExportBody(Schema):
    """What to export; snapshot: the beginning of a digest, "latest", or "" to freeze the project now."""

    format: str
    snapshot: str = ""


class ModelExportBody(Schema):
    """As what a model version is taken out: model-safetensors, model-onnx or model-bundle."""

    format: str


class ExportView(Schema):
    """One export, and how far it is (0 to 1); model: the version's number, null for labels."""

    id: UUID
    model: int | None = None
    format: str
    snapshot: str
    state: str
    progress: float
    error: str
    file_bytes: int
    file_digest: str
    expires_at: datetime | None
    report: dict[str, object]


router = Router(tags=["exports"], auth=TokenOrSession(Scope.EXPORT))


@router.get("exports/projects", response={200: list[ExportableView], **REFUSED})
def list_exportable(request: HttpRequest) -> list[Project]:
    """List the projects whose labels the person may take out."""
    return list(exportable_projects(person(request)))


@router.get("projects/{uuid:project_id}/snapshots", response={200: list[SnapshotView], **WRITE})
def list_snapshots(request: HttpRequest, project_id: UUID) -> list[Snapshot]:
    """List a project's frozen readings, newest first."""
    return list(snapshots_for(person(request), project_id))


@router.post("projects/{uuid:project_id}/exports", response={202: ExportView, **WRITE})
def create_export(request: HttpRequest, project_id: UUID, body: ExportBody) -> Status[ExportView]:
    """Ask for a snapshot in a format."""
    user = person(request)
    project = exporting_project(user, project_id)
    check_fresh(request)
    try:
        snapshot = snapshot_named(user, project_id, body.snapshot) if body.snapshot else None
    except Snapshot.DoesNotExist:
        raise NotThereError(f"there is no snapshot {body.snapshot}: leave it out to freeze one now") from None
    export = request_export(
        project=project,
        name=body.format,
        snapshot=snapshot,
        by=user,
        now=timezone.now(),
        address=address_of(request),
    )
    return Status(202, view_of(export))


@router.post("projects/{uuid:project_id}/models/{uuid:model_id}/exports", response={202: ExportView, **WRITE})
def create_model_export(
    request: HttpRequest, project_id: UUID, model_id: UUID, body: ModelExportBody
) -> Status[ExportView]:
    """Ask for a model version as a file that runs elsewhere."""
    user = person(request)
    project = exporting_project(user, project_id)
    check_fresh(request)
    try:
        model = project.models.select_related("snapshot").get(pk=model_id)
    except ModelVersion.DoesNotExist:
        refuse_pixel_head(project, model_id)
        raise NotThereError(f"there is no model {model_id}") from None
    export = request_model_export(
        model=model, name=body.format, by=user, now=timezone.now(), address=address_of(request)
    )
    return Status(202, view_of(export))


@router.get("exports/{uuid:export_id}", response={200: ExportView, **WRITE})
def show_export(request: HttpRequest, export_id: UUID) -> ExportView:
    """Say how far an export is."""
    return view_of(export_for(person(request), export_id))


@router.get("exports/{uuid:export_id}/file", response={200: bytes, **MISSING, **WRITE})
def fetch_export(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """Send an export's file; fetching is audited."""
    user = person(request)
    export = export_for(user, export_id)
    check_fresh(request)
    return sent(export, user, address_of(request))


def check_fresh(request: HttpRequest) -> None:
    """Let tokens go on, and sessions whose password was typed lately.

    raises: ConfirmFirstError.
    """
    if not token_used(request) and not typed_lately(request.session):
        raise ConfirmFirstError("type your password again at /confirm first, or use a token")


def sent(export: Export, user: User, address: str) -> HttpResponseBase:
    """Audit a fetch, and stream the file.

    raises: ExpiredError.
    """
    name = file_of(export, timezone.now())
    record_fetch(export=export, by=user, address=address)
    response = FileResponse(
        default_storage.open(name, "rb"),
        as_attachment=True,
        filename=download_name(export),
        content_type="application/zip",
    )
    response.block_size = BLOCK_BYTES
    response["ETag"] = f'"{export.file_digest}"'
    response["Cache-Control"] = "no-store"
    return response


def download_name(export: Export) -> str:
    """Name the file for who saves it."""
    if export.model is not None:
        return f"fovea-{export.format.replace('model', f'model-{export.model.number}')}.zip"
    digest = export.snapshot.digest[:12] if export.snapshot else ""
    return f"fovea-{digest}-{export.format}.zip"


def view_of(export: Export) -> ExportView:
    """Show an export with its job's state."""
    job = Job.objects.filter(pk=export.job_id).first() if export.job_id else None
    return ExportView(
        id=export.pk,
        model=export.model.number if export.model else None,
        format=export.format,
        snapshot=export.snapshot.digest if export.snapshot else "",
        state=job.state if job else "",
        progress=job.progress if job else 0.0,
        error=job.error if job else "",
        file_bytes=export.file_bytes,
        file_digest=export.file_digest,
        expires_at=export.expires_at,
        report=export.report,
    )
