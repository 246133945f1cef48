"""Leases: the current case and those ahead, held until a time."""

from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from annotation.api.cases import case_view, protocol_view
from annotation.api.permissions import person
from annotation.api.responses import CONFLICT, WRITE
from annotation.api.schemas import (
    DraftView,
    DrawnSuggestionView,
    HaltView,
    LeasedCaseView,
    PracticeView,
    ProgressView,
    RenewalView,
    SuggestionView,
    WhyView,
    WorkloadView,
)
from annotation.projects.selectors import project_for
from annotation.queue import services
from annotation.queue.practice import Standing
from annotation.queue.selectors import LeasedCase, Workload
from annotation.readings.models import Draft

router = Router(tags=["leases"])


@router.post("projects/{uuid:project_id}/leases", response={200: WorkloadView, **WRITE})
def lease_cases(request: HttpRequest, project_id: UUID) -> WorkloadView:
    """Give the reader the current case and two ahead; asking again gives the same."""
    reader = person(request)
    project = project_for(reader, project_id)
    return workload_view(services.lease_next(reader=reader, project_id=project.pk, now=timezone.now()))


@router.post("leases/{uuid:lease_id}/renewal", response={200: RenewalView, **CONFLICT})
def renew_lease(request: HttpRequest, lease_id: UUID) -> RenewalView:
    """Hold a case, and those ahead, for longer; lease_lost when it was given back."""
    until = services.renew(reader=person(request), lease_id=lease_id, now=timezone.now())
    return RenewalView(expires_at=until)


@router.delete("leases/{uuid:lease_id}", response={204: None, **WRITE})
def give_back_lease(request: HttpRequest, lease_id: UUID) -> Status[None]:
    """Let a case wait again for anyone."""
    services.give_back(reader=person(request), lease_id=lease_id, now=timezone.now())
    return Status(204, None)


def workload_view(workload: Workload) -> WorkloadView:
    """Show what a reader has before them."""
    progress = ProgressView.model_construct(**vars(workload.progress))
    return WorkloadView.model_construct(
        cases=[leased_view(one) for one in workload.cases],
        progress=progress,
        halt=HaltView.model_validate(vars(workload.halt)) if workload.halt else None,
        practice=standing_view(workload.practice),
    )


def standing_view(standing: Standing | None) -> PracticeView | None:
    """Show how far a new reader is."""
    return PracticeView.model_construct(**vars(standing)) if standing else None


def leased_view(leased: LeasedCase) -> LeasedCaseView:
    """Show a case that the reader holds."""
    return LeasedCaseView.model_construct(
        lease_id=leased.lease.pk,
        expires_at=leased.lease.expires_at,
        case=case_view(leased.case),
        protocol=protocol_view(leased.protocol),
        draft=draft_view(leased.draft),
        why=WhyView.model_construct(**vars(leased.why)),
        suggestion=SuggestionView.model_construct(
            **vars(leased.suggestion),
            drawn=[DrawnSuggestionView.model_construct(**vars(one)) for one in leased.drawn],
        ),
    )


def draft_view(draft: Draft | None) -> DraftView | None:
    """Show a draft, if there is one."""
    if draft is None:
        return None
    return DraftView(
        version=draft.version,
        protocol_version=draft.protocol_version,
        answers=draft.answers,
        seconds=draft.seconds,
    )
