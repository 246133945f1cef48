"""Imports, quarantine and storage for programs: what came in, what is held, how much there is."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts.scopes import Scope
from annotation.api.errors import NotThereError
from annotation.api.guards import administered, administrator
from annotation.api.paging import After, after, next_of
from annotation.api.responses import CONFLICT, WRITE
from annotation.api.tokened import TokenOrSession
from annotation.exchange.lifecycle.usage import set_quota, usage_of
from annotation.exchange.quarantine import (
    NotClearableError,
    bring_back,
    clear_quarantined,
    discard_quarantined,
)
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.studies.models import Import, QuarantinedFile
from annotation.studies.selectors import import_for, imported_files, imports_for, quarantined_files
from annotation.studies.services import NotHeldError

NEWEST, OLDEST, BY_PATH = ("-created_at", "-pk"), ("created_at", "pk"), ("path", "pk")


class ImportView(Schema):
    """A delivery and what became of its files."""

    id: UUID
    source_name: str
    state: str
    total: int
    stored: int
    duplicate: int
    quarantined: int
    error: str
    created_at: datetime
    finished_at: datetime | None


class ImportsView(Schema):
    """A page of deliveries, the newest first."""

    imports: list[ImportView]
    next: str | None


class ArrivedView(Schema):
    """What became of one file."""

    path: str
    outcome: str
    reason: str


class ArrivedFilesView(Schema):
    """A page of a delivery's files, by path."""

    files: list[ArrivedView]
    next: str | None


class HeldView(Schema):
    """A file that was not let in."""

    id: UUID
    kind: str
    state: str
    reason: str
    size: int
    has_preview: bool
    created_at: datetime
    decided_at: datetime | None


class HeldFilesView(Schema):
    """A page of held files, the oldest first."""

    files: list[HeldView]
    next: str | None


class HeldSearch(After):
    """Which files: held, cleared or discarded."""

    state: Literal["held", "cleared", "discarded"] = "held"


class ClearBody(Schema):
    """Boxes that are masked: left, top, right and bottom, in pixels."""

    masks: list[list[int]] = Field(default_factory=list, max_length=200)


class StorageView(Schema):
    """Bytes of a project by what they are; quotas: null for none."""

    images: int
    originals: int
    held: int
    embeddings: int
    models: int
    snapshots: int
    exports: int
    cases: int
    quota_bytes: int | None
    quota_cases: int | None


class QuotaBody(Schema):
    """How much a project may take in; null: as much as the disk holds."""

    quota_bytes: int | None = Field(None, ge=1, le=2**60)
    quota_cases: int | None = Field(None, ge=1, le=2**31 - 1)


BY_TOKEN = TokenOrSession(Scope.IMPORT)
router = Router(tags=["arrivals"])


@router.get("projects/{uuid:project_id}/imports", response={200: ImportsView, **WRITE})
def list_imports(request: HttpRequest, project_id: UUID, page: Query[After]) -> ImportsView:
    """List a project's deliveries, the newest first."""
    project = administered(request, project_id)
    rows = after(imports_for(administrator(request), project.pk), page, order=NEWEST)
    return ImportsView(
        imports=[ImportView.from_orm(one) for one in rows[: page.size]],
        next=next_of(rows, page, order=NEWEST),
    )


@router.get("imports/{uuid:import_id}", response={200: ImportView, **WRITE}, auth=BY_TOKEN)
def show_import(request: HttpRequest, import_id: UUID) -> Import:
    """Show a delivery."""
    return import_for(administrator(request), import_id)


@router.get("imports/{uuid:import_id}/files", response={200: ArrivedFilesView, **WRITE}, auth=BY_TOKEN)
def list_import_files(request: HttpRequest, import_id: UUID, page: Query[After]) -> ArrivedFilesView:
    """List what became of a delivery's files."""
    rows = after(imported_files(administrator(request), import_id), page, order=BY_PATH)
    return ArrivedFilesView(
        files=[ArrivedView.from_orm(one) for one in rows[: page.size]],
        next=next_of(rows, page, order=BY_PATH),
    )


@router.get("projects/{uuid:project_id}/quarantine", response={200: HeldFilesView, **WRITE})
def list_held_files(request: HttpRequest, project_id: UUID, search: Query[HeldSearch]) -> HeldFilesView:
    """List a project's files in quarantine, the oldest first."""
    project = administered(request, project_id)
    found = quarantined_files(administrator(request), project.pk).filter(state=search.state)
    rows = after(found, search, order=OLDEST)
    return HeldFilesView(
        files=[HeldView.from_orm(one) for one in rows[: search.size]],
        next=next_of(rows, search, order=OLDEST),
    )


@router.post("quarantine/{uuid:quarantined_id}/clear", response={200: HeldView, **CONFLICT})
def clear_held_file(request: HttpRequest, quarantined_id: UUID, body: ClearBody) -> QuarantinedFile:
    """Let a file in, masked where boxes are given: somebody has looked at its pixels."""
    return decided(request, quarantined_id, clear_quarantined, masks=body.masks)


@router.post("quarantine/{uuid:quarantined_id}/discard", response={200: HeldView, **CONFLICT})
def discard_held_file(request: HttpRequest, quarantined_id: UUID) -> QuarantinedFile:
    """Keep a file out; it can be brought back for a while."""
    return decided(request, quarantined_id, discard_quarantined)


@router.post("quarantine/{uuid:quarantined_id}/return", response={200: HeldView, **CONFLICT})
def return_held_file(request: HttpRequest, quarantined_id: UUID) -> QuarantinedFile:
    """Take a discard back."""
    return decided(request, quarantined_id, bring_back)


def decided(request: HttpRequest, quarantined_id: UUID, decide: Any, **more: object) -> QuarantinedFile:  # noqa: ANN401  one of the services
    """Carry a decision out, and show what became of the file.

    raises: ForbiddenError, NotThereError, RefusedError where it cannot be.
    """
    me = administrator(request)
    found = quarantined_files(me).filter(pk=quarantined_id).first()
    if found is None:
        raise NotThereError("there is no such file")
    try:
        decide(quarantined_id=quarantined_id, by=me, now=timezone.now(), **more)
    except (NotHeldError, NotClearableError) as error:
        raise RefusedError(str(error)) from None
    found.refresh_from_db()
    return found


@router.get("projects/{uuid:project_id}/storage", response={200: StorageView, **WRITE})
def show_storage(request: HttpRequest, project_id: UUID) -> StorageView:
    """Say what a project stores, and how much it may."""
    project = administered(request, project_id)
    return storage_view(project, project.quota_bytes, project.quota_cases)


@router.put("projects/{uuid:project_id}/storage", response={200: StorageView, **WRITE})
def set_storage_quota(request: HttpRequest, project_id: UUID, body: QuotaBody) -> StorageView:
    """Limit what a project takes in from now on; what is there stays."""
    project = administered(request, project_id)
    me = administrator(request)
    set_quota(project=project, bytes_=body.quota_bytes, cases=body.quota_cases, by=me)
    return storage_view(project, body.quota_bytes, body.quota_cases)


def storage_view(project: Project, quota_bytes: int | None, quota_cases: int | None) -> StorageView:
    """Show what a project stores."""
    return StorageView(**vars(usage_of(project)), quota_bytes=quota_bytes, quota_cases=quota_cases)
