"""A reader's own work: the day's readings, and one of them opened again."""

from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from annotation.api.cases import case_view, protocol_view
from annotation.api.errors import NotThereError
from annotation.api.flow_schemas import TodayView
from annotation.api.permissions import person
from annotation.api.responses import MISSING
from annotation.api.schemas import PastReadingView
from annotation.queue.returned import comment_for
from annotation.readings import own
from annotation.readings.models import Revision
from annotation.readings.repeat_models import RepeatRevision

router = Router(tags=["own readings"])


@router.get("projects/{uuid:project_id}/readings/mine", response={200: TodayView, **MISSING})
def own_readings(request: HttpRequest, project_id: UUID, since: datetime | None = None) -> own.Today:
    """List what the reader read or revised since a moment, by default a day ago, with pace and goal."""
    return own.today(person(request), project_id, since or timezone.now() - timedelta(days=1))


@router.get("readings/{uuid:reading_id}", response={200: PastReadingView, **MISSING})
def open_reading(request: HttpRequest, reading_id: UUID) -> PastReadingView:
    """Open one of the reader's own readings as it stands."""
    try:
        revision = own.own_revision(person(request), reading_id)
    except Revision.DoesNotExist:
        raise NotThereError(_("there is no such reading of yours")) from None
    return past_reading(revision)


def past_reading(revision: Revision | RepeatRevision) -> PastReadingView:
    """Show a reader's answers to be looked at again."""
    return PastReadingView.model_construct(
        reading_id=revision.reading_id,
        revision=revision.number,
        case=case_view(revision.reading.case),
        protocol=protocol_view(revision.protocol),
        answers=revision.answers,
        measurements=revision.measurements,
        submitted_at=revision.created_at,
        comment=comment_for(revision) if isinstance(revision, Revision) else None,
    )
