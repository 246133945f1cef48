"""Comments, flags and questions to colleagues."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from annotation.api.cases import case_view, protocol_view
from annotation.api.flow_schemas import (
    AskedView,
    ColleagueView,
    RemarkBody,
    RemarksView,
    RemarkView,
    ReplyBody,
    ReturnedView,
)
from annotation.api.permissions import person
from annotation.api.responses import CONFLICT, MISSING, WRITE
from annotation.projects.selectors import protocol_in_force
from annotation.queue import remarks
from annotation.queue.models import Remark
from annotation.queue.returned import returned_to

router = Router(tags=["remarks"])


@router.post("cases/{uuid:case_id}/remarks", response={200: RemarkView, **CONFLICT})
def add_remark(request: HttpRequest, case_id: UUID, body: RemarkBody) -> RemarkView:
    """Say something of a case that one reads or has read; the same message again changes nothing."""
    said = remarks.Said(body.kind, body.reason, body.text.strip(), body.to, body.idempotency_key)
    return remark_view(
        remarks.add_remark(author=person(request), case_id=case_id, said=said, now=timezone.now())
    )


@router.get("projects/{uuid:project_id}/remarks", response={200: RemarksView, **WRITE})
def list_remarks(request: HttpRequest, project_id: UUID) -> RemarksView:
    """List what the reader is asked, what was replied, what was sent back, and who can be asked."""
    reader = person(request)
    found = remarks.remarks_for(reader, project_id)
    return RemarksView.model_construct(
        asked=[remark_view(one) for one in found.asked],
        replied=[remark_view(one) for one in found.replied],
        returned=[ReturnedView(**vars(one)) for one in returned_to(reader, project_id)],
        colleagues=[ColleagueView(id=one.pk, username=one.username) for one in found.colleagues],
    )


@router.get("remarks/{uuid:remark_id}", response={200: AskedView, **MISSING})
def open_remark(request: HttpRequest, remark_id: UUID) -> AskedView:
    """Show the case of a question to those who ask and are asked."""
    remark = remarks.remark_for(person(request), remark_id)
    protocol = protocol_in_force(remark.case.project_id)
    return AskedView.model_construct(
        remark=remark_view(remark), case=case_view(remark.case), protocol=protocol_view(protocol)
    )


@router.post("remarks/{uuid:remark_id}/reply", response={200: RemarkView, **WRITE})
def reply_to_remark(request: HttpRequest, remark_id: UUID, body: ReplyBody) -> RemarkView:
    """Answer a colleague's question; a later reply takes the place of the earlier one."""
    return remark_view(
        remarks.reply(reader=person(request), remark_id=remark_id, text=body.text, now=timezone.now())
    )


def remark_view(remark: Remark) -> RemarkView:
    """Show a remark whose case and people were loaded with it."""
    return RemarkView.model_construct(
        id=remark.pk,
        case_id=remark.case_id,
        case_number=remark.case.number,
        kind=remark.kind,
        reason=remark.reason,
        text=remark.text,
        by=remark.author.username,
        to=remark.to.username if remark.to else None,
        created_at=remark.created_at,
        reply=remark.reply,
        replied_at=remark.replied_at,
    )
