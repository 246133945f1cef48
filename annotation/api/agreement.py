"""The agreement of a project's readers for programs: the same numbers as on its page, all of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from annotation.api.organise import JobView, organised
from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.queue.agreement import agreement_for, author_names, readings_since, request_agreement


class AgreementView(Schema):
    """How readers agree, by question.

    questions: statistics; each has value, low, high (95 %), cases, and why where there is no value.
    authors:   readers by number and sources by name, by the id that the rows name.
    """

    measured_at: datetime | None
    readings: int
    readings_since: int
    seconds: float
    authors: dict[str, str]
    questions: dict[str, Any]


router = Router(tags=["agreement"])


@router.get("projects/{uuid:project_id}/agreement", response={200: AgreementView, **WRITE})
def get_agreement(request: HttpRequest, project_id: UUID) -> AgreementView:
    """Give the newest measurement; no questions where there was none yet."""
    found = agreement_for(person(request), project_id)
    if found is None:
        return AgreementView(
            measured_at=None, readings=0, readings_since=0, seconds=0.0, authors={}, questions={}
        )
    return AgreementView(
        measured_at=found.created_at,
        readings=found.readings,
        readings_since=readings_since(found),
        seconds=found.seconds,
        authors=author_names(project_id),
        questions=found.figures,
    )


@router.post("projects/{uuid:project_id}/agreement", response={202: JobView, **WRITE})
def measure_agreement(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for a new measurement; cases with several readings are fused anew by it."""
    job = request_agreement(project=organised(request, project_id), by=person(request))
    return Status(202, JobView(job=job.pk, state=job.state))
