"""Drafts, readings, skips and revisions."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from annotation.api.errors import NotThereError
from annotation.api.leases import standing_view, workload_view
from annotation.api.own import past_reading
from annotation.api.permissions import person
from annotation.api.responses import ANSWERED, CONFLICT, MISSING, WRITE
from annotation.api.schemas import (
    DraftBody,
    DraftProblem,
    DraftVersionView,
    PastReadingView,
    Problem,
    ReadingBody,
    RevisionBody,
    RevisionView,
    SkipBody,
    SkippedView,
    SubmittedView,
    ToldView,
)
from annotation.projects.selectors import project_for
from annotation.queue import submissions
from annotation.queue.disputes import within_design
from annotation.queue.practice import Told
from annotation.queue.repeats import Again, revise_repeat
from annotation.queue.skips import Passed
from annotation.queue.suggestions import Shown
from annotation.readings.models import Revision
from annotation.readings.repeat_models import Repeat
from annotation.readings.selectors import last_revision
from annotation.readings.services import Answered, Entered, revise

router = Router(tags=["readings"])
DRAFTED = {200: DraftVersionView, 409: DraftProblem, 413: Problem, **WRITE}


@router.put("cases/{uuid:case_id}/draft", response=DRAFTED)
def save_draft(request: HttpRequest, case_id: UUID, body: DraftBody) -> DraftVersionView:
    """Keep what was entered; draft_stale when a newer version is kept, lease_lost when the case went on."""
    draft = submissions.save_draft(
        reader=person(request),
        lease_id=body.lease_id,
        case_id=case_id,
        entered=Entered(body.version, body.answers, body.seconds, body.protocol_version),
        now=timezone.now(),
    )
    return DraftVersionView(version=draft.version)


@router.post("cases/{uuid:case_id}/readings", response={200: SubmittedView, **ANSWERED})
def submit_reading(request: HttpRequest, case_id: UUID, body: ReadingBody) -> SubmittedView:
    """Take the answers and give the next case; the same message again changes nothing."""
    submitted = submissions.submit(
        reader=person(request),
        lease_id=body.lease_id,
        case_id=case_id,
        answered=answered_in(body),
        now=timezone.now(),
        shown=Shown(**body.suggestion.model_dump()) if body.suggestion else None,
    )
    return SubmittedView.model_construct(
        reading_id=submitted.reading_id,
        revision=submitted.revision,
        workload=workload_view(submitted.workload),
        told=told_view(submitted.told) if submitted.told else None,
    )


def told_view(told: Told) -> ToldView:
    """Show what a reader is told after a case of known answer."""
    return ToldView.model_construct(**vars(told) | {"standing": standing_view(told.standing)})


@router.post("cases/{uuid:case_id}/skips", response={200: SkippedView, **CONFLICT})
def skip_case(request: HttpRequest, case_id: UUID, body: SkipBody) -> SkippedView:
    """Pass a case on, with a reason, and give the next one."""
    workload = submissions.skip(
        reader=person(request),
        lease_id=body.lease_id,
        case_id=case_id,
        passed=Passed(body.reason, body.comment, body.idempotency_key, body.cannot_be_read),
        now=timezone.now(),
    )
    return SkippedView.model_construct(workload=workload_view(workload))


@router.get("projects/{uuid:project_id}/readings/last", response={200: PastReadingView, **MISSING})
def last_reading(request: HttpRequest, project_id: UUID) -> PastReadingView:
    """Bring back the reader's last reading in a project; 404 when there is none."""
    reader = person(request)
    project = project_for(reader, project_id)
    try:
        revision = last_revision(reader, project.pk)
    except Revision.DoesNotExist:
        raise NotThereError(_("nothing was read yet in this project")) from None
    return past_reading(revision)


@router.post("readings/{uuid:reading_id}/revisions", response={200: RevisionView, **ANSWERED})
def revise_reading(request: HttpRequest, reading_id: UUID, body: RevisionBody) -> RevisionView:
    """Change one's own reading; the older revisions stay. reading_closed where the case is adjudicated."""
    reader, now, answered = person(request), timezone.now(), answered_in(body)
    if Repeat.objects.filter(pk=reading_id, reader=reader).exists():
        again = Again(reading_id, body.base_revision)
        repeated = revise_repeat(reader=reader, again=again, answered=answered, now=now)
        return RevisionView(revision=repeated.number)
    revision = revise(
        reader=reader,
        reading_id=reading_id,
        base_revision=body.base_revision,
        answered=answered,
        now=now,
        within=lambda reading: within_design(reading, now),
    )
    return RevisionView(revision=revision.number)


def answered_in(body: ReadingBody | RevisionBody) -> Answered:
    """Read the answers out of a body."""
    return Answered(body.answers, body.seconds, body.protocol_version, body.idempotency_key)
