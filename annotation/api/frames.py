"""Pixels: raw frames and thumbnails, of cases that the person may see."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from annotation.api.errors import NotThereError
from annotation.api.permissions import person, record_view
from annotation.api.responses import MISSING
from annotation.projects.selectors import case_for
from annotation.studies.models import Instance
from annotation.studies.selectors import FrameBytes, frame, thumbnail

router = Router(tags=["frames"])


@router.get(
    "cases/{uuid:case_id}/instances/{sop_uid}/frames/{int:n}",
    response={200: bytes, **MISSING},
)
def get_frame(request: HttpRequest, case_id: UUID, sop_uid: str, n: int) -> HttpResponse:
    """Send frame n (from 1) as stored: uncompressed, little endian."""
    user = person(request)
    case = case_for(user, case_id)
    try:
        found = frame(user, case_id, sop_uid, n)
    except Instance.DoesNotExist:
        raise NotThereError(_("the case has no frame %d of such an instance") % n) from None
    record_view(request, case)
    return private(found, "application/octet-stream")


@router.get("cases/{uuid:case_id}/thumbnail", response={200: bytes, **MISSING})
def get_thumbnail(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Send a small picture of the case, as PNG."""
    user = person(request)
    case = case_for(user, case_id)
    try:
        found = thumbnail(user, case_id)
    except (Instance.DoesNotExist, FileNotFoundError):
        raise NotThereError(_("the case has no thumbnail yet")) from None
    record_view(request, case)
    return private(found, "image/png")


def private(found: FrameBytes, content_type: str) -> HttpResponse:
    """Send bytes by the name of their content, and forbid keeping them."""
    response = HttpResponse(found.content, content_type=content_type)
    response["ETag"] = f'"{found.tag}"'
    response["Cache-Control"] = "no-store"
    return response
