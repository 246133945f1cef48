"""Deletion and return, erasure of a patient with its certificate: for programs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.guards import administered, administrator, confirmed, show_once
from annotation.api.paging import After, after, next_of
from annotation.api.patients import looked_at
from annotation.api.permissions import address_of, person, record_act
from annotation.api.responses import WRITE
from annotation.api.schemas import Body, Problem
from annotation.exchange.lifecycle.belongings import find
from annotation.exchange.lifecycle.deleting import Asked, delete_project, delete_study
from annotation.exchange.lifecycle.erasing import certificate_of, request_erasure
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.lifecycle.returning import bring_back
from annotation.projects.models import Case
from annotation.projects.rules import RefusedError
from annotation.studies.models import Deletion

NEWEST = ("-created_at", "-pk")
PLAIN = r"^[^\x00]*$"
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]
Named = Annotated[str, Field(max_length=64, pattern=PLAIN)]


class DeletionView(Schema):
    """What was deleted, and until when it can be brought back."""

    id: UUID
    kind: str
    project: UUID
    what: str
    reason: str
    images: int
    requested_by: str | None
    created_at: datetime
    kept_until: datetime
    returned_at: datetime | None
    removed_at: datetime | None


class DeletionsView(Schema):
    """A page of deletions, the newest first; next: the cursor of the next page, null at the end."""

    deletions: list[DeletionView]
    next: str | None


class DeletionsWanted(After):
    """Which deletions: of a project, or all."""

    project: UUID | None = None


class ReasonBody(Body):
    """Why it is deleted."""

    reason: Reason


class ProjectGoneBody(ReasonBody):
    """Why it is deleted; name: the project's, as it is written."""

    name: Annotated[str, Field(max_length=128)]


class PatientBody(Body):
    """Whom to look for: by pseudonym, or by the original Patient ID, which is kept nowhere."""

    pseudonym: Named = ""
    patient_id: Named = ""


class ErasureBody(Body):
    """Whom to erase, by pseudonym, and why."""

    pseudonym: Named
    reason: Annotated[str, Field(max_length=200, pattern=PLAIN)] = ""


class ErasurePreviewView(Schema):
    """What an erasure would remove; snapshots, exports and models at most."""

    pseudonym: str
    studies: int
    series: int
    images: int
    image_bytes: int
    originals: int
    cases: int
    readings: int
    held: int
    unknown_held: int
    snapshots: int
    exports: int
    models: int
    unfinished_uploads: int
    imports_under_way: int


class ErasureView(Schema):
    """An erasure; done_at: null until it is certified. subject: a keyed digest of whom it was about."""

    id: UUID
    subject: str
    reason: str
    requested_by: str | None
    created_at: datetime
    done_at: datetime | None


class ErasuresView(Schema):
    """A page of erasures, the newest first; next: the cursor of the next page, null at the end."""

    erasures: list[ErasureView]
    next: str | None


router = Router(tags=["life cycle"])


@router.get("deletions", response={200: DeletionsView, **WRITE})
def list_deletions(request: HttpRequest, wanted: Query[DeletionsWanted]) -> DeletionsView:
    """List what was deleted, the newest first."""
    administrator(request)
    found = Deletion.objects.select_related("requested_by")
    found = found.filter(project_id=wanted.project) if wanted.project else found
    rows = after(found, wanted, order=NEWEST)
    return DeletionsView(
        deletions=[deletion_view(one) for one in rows[: wanted.size]],
        next=next_of(rows, wanted, order=NEWEST),
    )


@router.post("projects/{uuid:project_id}/deletion", response={201: DeletionView, **WRITE})
def delete_whole_project(
    request: HttpRequest, project_id: UUID, body: ProjectGoneBody
) -> Status[DeletionView]:
    """Set a project aside, and its images where no other reads them. The password: typed lately."""
    project = administered(request, project_id)
    confirmed(request)
    if body.name != project.name:
        raise RefusedError("name: it is not the project's, as it is written")
    return Status(201, deletion_view(delete_project(project=project, asked=asked(request, body.reason))))


@router.post("projects/{uuid:project_id}/cases/{int:number}/deletion", response={201: DeletionView, **WRITE})
def delete_case_study(
    request: HttpRequest, project_id: UUID, number: int, body: ReasonBody
) -> Status[DeletionView]:
    """Set a case's study aside, for every project that reads it."""
    project = administered(request, project_id)
    try:
        gone = delete_study(project=project, number=number, asked=asked(request, body.reason))
    except Case.DoesNotExist:
        raise NotThereError(f"there is no case {number}") from None
    return Status(201, deletion_view(gone))


@router.post("deletions/{uuid:deletion_id}/return", response={200: DeletionView, **WRITE})
def return_deleted(request: HttpRequest, deletion_id: UUID) -> DeletionView:
    """Bring back what was deleted: everything is where it was."""
    me = administrator(request)
    try:
        back = bring_back(deletion_id=deletion_id, by=me, now=timezone.now(), address=address_of(request))
    except Deletion.DoesNotExist:
        raise NotThereError("there is no such deletion") from None
    return deletion_view(back)


@router.get("projects/{uuid:project_id}/erasures", response={200: ErasuresView, **WRITE})
def list_erasures(request: HttpRequest, project_id: UUID, page: Query[After]) -> ErasuresView:
    """List the erasures that were asked for in a project, the newest first."""
    project = administered(request, project_id)
    found = Erasure.objects.filter(project_id=project.pk).select_related("requested_by")
    rows = after(found, page, order=NEWEST)
    return ErasuresView(
        erasures=[erasure_view(one) for one in rows[: page.size]], next=next_of(rows, page, order=NEWEST)
    )


@router.post(
    "projects/{uuid:project_id}/erasures/preview", response={200: ErasurePreviewView, 429: Problem, **WRITE}
)
def preview_erasure(request: HttpRequest, project_id: UUID, body: PatientBody) -> ErasurePreviewView:
    """Say what the erasure of a patient would remove; the look is audited. The password: typed lately."""
    project = administered(request, project_id)
    confirmed(request)
    show_once(request)
    seen = looked_at(request, project, **body.model_dump())
    names = ErasurePreviewView.model_fields.keys() - {"pseudonym"}
    told = {name: getattr(seen, name) for name in names}
    return ErasurePreviewView(pseudonym=seen.belongings.pseudonym, **told)


@router.post("projects/{uuid:project_id}/erasures", response={202: ErasureView, **WRITE})
def erase_patient(request: HttpRequest, project_id: UUID, body: ErasureBody) -> Status[ErasureView]:
    """Ask for a patient to be removed from everywhere. The password must have been typed lately."""
    project = administered(request, project_id)
    confirmed(request)
    made = request_erasure(
        project=project,
        found=find(project.dataset, pseudonym=body.pseudonym, patient_id=""),
        reason=body.reason.strip(),
        by=person(request),
        now=timezone.now(),
        address=address_of(request),
    )
    return Status(202, erasure_view(made))


@router.get("erasures/{uuid:erasure_id}/certificate", response={200: dict[str, Any], **WRITE})
def get_erasure_certificate(request: HttpRequest, erasure_id: UUID) -> dict[str, Any]:
    """Give an erasure's certificate; fetching is audited."""
    administrator(request)
    found = Erasure.objects.select_related("dataset").filter(pk=erasure_id, done_at__isnull=False).first()
    if found is None:
        raise NotThereError("there is no such certificate: it is not done, or was never asked for")
    record_act(request, "erasure.certificate", "erasure", found.pk)
    return certificate_of(found)


def asked(request: HttpRequest, reason: str) -> Asked:
    """Say who deletes, and why."""
    return Asked(person(request), reason, timezone.now(), address_of(request))


def deletion_view(one: Deletion) -> DeletionView:
    """Describe a deletion."""
    by = one.requested_by.username if one.requested_by else None
    names = DeletionView.model_fields.keys() - {"id", "project", "requested_by"}
    told = {name: getattr(one, name) for name in names}
    return DeletionView(id=one.pk, project=one.project_id, requested_by=by, **told)


def erasure_view(one: Erasure) -> ErasureView:
    """Describe an erasure; who it was about is not told."""
    by = one.requested_by.username if one.requested_by else None
    names = ErasureView.model_fields.keys() - {"id", "requested_by"}
    return ErasureView(id=one.pk, requested_by=by, **{name: getattr(one, name) for name in names})
