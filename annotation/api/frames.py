"""Pixels: raw frames and thumbnails, of cases that the person may see."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from accounts.middleware import clock_due
from annotation.api.again import MOST_INSTANCES, Envelope, leave_open
from annotation.api.errors import NotThereError
from annotation.api.permissions import person, record_view
from annotation.api.responses import MISSING
from annotation.projects.selectors import case_for
from annotation.studies.models import Instance
from annotation.studies.selectors import FrameBytes, Place, frame, places, thumbnail

OCTETS = "application/octet-stream"
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
    audited_until = record_view(request, case)
    leave_open(request, lambda: case_leave(request, case_id, audited_until))
    return private(found, OCTETS)


@dataclass(frozen=True)
class CaseLeave:
    """Frames of a case for a session."""

    ends: datetime
    instances: dict[str, Place]

    def is_counted(self) -> bool:
        """Say that sessions may ask as often as they like."""
        return True

    def envelope(self, sop_instance_uid: str, number: int) -> Envelope | None:
        """Describe a frame, from 1; None where there is none."""
        one = self.instances.get(sop_instance_uid)
        if one is None or number > one.frames:
            return None
        return Envelope(one.span(number), OCTETS, one.tag(number))


def case_leave(request: HttpRequest, case_id: UUID, audited_until: datetime) -> CaseLeave | None:
    """Say which frames of a case a session may have, and until when; None where they are too many."""
    listed = places(person(request), case_id, MOST_INSTANCES + 1)
    if len(listed) > MOST_INSTANCES:
        return None
    return CaseLeave(min(audited_until, clock_due(request.session)), listed)


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
