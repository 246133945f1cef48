"""Exports of a project and where they were sent, for programs."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.exports import router as exports  # one router an address: POST is there
from annotation.api.guards import administered, confirmed
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body
from annotation.exchange.out.models import Export
from annotation.exchange.out.selectors import export_for, exports_for
from annotation.exchange.peers.selectors import peers_for
from annotation.exchange.sending.models import Sending
from annotation.exchange.sending.services import request_sending, sendings_for
from jobs.models import Job

NEWEST = ("-created_at", "-pk")


class ExportLineView(Schema):
    """An export in the list of exports; model: the version's number, null for labels."""

    id: UUID
    model: int | None
    format: str
    snapshot: str
    state: str
    file_bytes: int
    requested_by: str | None
    created_at: datetime
    expires_at: datetime | None


class ExportsView(Schema):
    """A page of exports, the newest first; next: the cursor of the next page, null at the end."""

    exports: list[ExportLineView]
    next: str | None


class SendingBody(Body):
    """To which peer, and how."""

    peer: UUID
    way: Literal["stow", "c_store"]


class SendingView(Schema):
    """An export on its way to a peer; refused: why, by object; state: of its job."""

    id: UUID
    peer: str
    way: str
    state: str
    taken: int
    refused: dict[str, str]
    error: str
    created_at: datetime
    finished_at: datetime | None


class SendingsView(Schema):
    """A page of sendings, the newest first; next: the cursor of the next page, null at the end."""

    sendings: list[SendingView]
    next: str | None


router = Router(tags=["exports"])


@exports.get("projects/{uuid:project_id}/exports", response={200: ExportsView, **WRITE})
def list_exports(request: HttpRequest, project_id: UUID, page: Query[After]) -> ExportsView:
    """List a project's exports, the newest first."""
    rows = after(exports_for(person(request), project_id), page, order=NEWEST)
    jobs = jobs_of(rows)
    return ExportsView(
        exports=[export_view(one, jobs.get(one.job_id)) for one in rows[: page.size]],
        next=next_of(rows, page, order=NEWEST),
    )


@router.get("exports/{uuid:export_id}/sendings", response={200: SendingsView, **WRITE})
def list_sendings(request: HttpRequest, export_id: UUID, page: Query[After]) -> SendingsView:
    """List where an export was sent, the newest first."""
    export = sendable(request, export_id)
    found = sendings_for(person(request), export.project_id).filter(export=export)
    rows = after(found, page, order=NEWEST)
    jobs = jobs_of(rows)
    return SendingsView(
        sendings=[sending_view(one, jobs.get(one.job_id)) for one in rows[: page.size]],
        next=next_of(rows, page, order=NEWEST),
    )


@router.post("exports/{uuid:export_id}/sendings", response={202: SendingView, **WRITE})
def send_export(request: HttpRequest, export_id: UUID, body: SendingBody) -> Status[SendingView]:
    """Ask for an export's DICOM objects to be sent to a peer. The password must have been typed lately."""
    export, me = sendable(request, export_id), person(request)
    confirmed(request)
    peer = peers_for(me).filter(pk=body.peer).first()
    if peer is None:
        raise NotThereError("peer: there is none of this id")
    made = request_sending(
        export=export, peer=peer, way=body.way, by=me, now=timezone.now(), address=address_of(request)
    )
    return Status(202, sending_view(made, jobs_of([made]).get(made.job_id)))


def sendable(request: HttpRequest, export_id: UUID) -> Export:
    """Find an export that the person may send.

    raises: Export.DoesNotExist, Project.DoesNotExist, ForbiddenError.
    """
    found = export_for(person(request), export_id)
    administered(request, found.project_id)
    return found


def jobs_of(rows: Any) -> dict[Any, Job]:  # noqa: ANN401  exports or sendings
    """Find the jobs that do what was asked for, in one query."""
    return Job.objects.in_bulk([one.job_id for one in rows if one.job_id])


def export_view(one: Export, job: Job | None) -> ExportLineView:
    """Describe an export."""
    return ExportLineView(
        id=one.pk,
        model=one.model.number if one.model else None,
        format=one.format,
        snapshot=one.snapshot.digest if one.snapshot else "",
        state=job.state if job else "",
        file_bytes=one.file_bytes,
        requested_by=one.requested_by.username if one.requested_by else None,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


def sending_view(one: Sending, job: Job | None) -> SendingView:
    """Describe a sending."""
    names = ("way", "taken", "refused", "error", "created_at", "finished_at")
    told = {name: getattr(one, name) for name in names}
    return SendingView(id=one.pk, peer=one.peer_name, state=job.state if job else "", **told)
