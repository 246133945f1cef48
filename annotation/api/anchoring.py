"""What suggestions do to readers, for programs: the same figures as on the page."""

from dataclasses import asdict
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.queue.anchored import comparisons_for
from annotation.queue.anchoring import Row


class EstimateView(Schema):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class ReadSideView(Schema):
    """Readings of one side: agreement with the suggestion, seconds, the share that was sent as it was."""

    count: int
    agreement: EstimateView | None
    seconds: EstimateView | None
    accepted: EstimateView | None


class ComparedView(Schema):
    """Both sides of all readings, a label or a reader; effects: shown less control, null while too few.

    missing: how many controls are missing until a comparison means something.
    """

    name: str
    shown: ReadSideView
    control: ReadSideView
    agreement_effect: EstimateView | None
    seconds_effect: EstimateView | None
    missing: int


class AnchoringView(Schema):
    """One question; unseen: readings whose reader did not look at the suggestion.

    taken: numbers of the cases whose suggestion was sent as it was by readers whom suggestions lead.
    """

    question: str
    prompt: str
    measure: str
    verdict: str
    all: ComparedView
    labels: list[ComparedView]
    readers: list[ComparedView]
    unseen: int
    taken: list[int]


router = Router(tags=["learning"])


@router.get("projects/{uuid:project_id}/anchoring", response={200: list[AnchoringView], **WRITE})
def show_anchoring(request: HttpRequest, project_id: UUID) -> list[AnchoringView]:
    """Hold readings that saw a suggestion against those that started blank, by question."""
    return [
        AnchoringView(
            question=one.key,
            prompt=one.prompt,
            measure=one.measure,
            verdict=one.verdict,
            all=row_view(one.all),
            labels=[row_view(row) for row in one.labels],
            readers=[row_view(row) for row in one.readers],
            unseen=one.unseen,
            taken=one.taken,
        )
        for one in comparisons_for(person(request), project_id)
    ]


def row_view(row: Row) -> ComparedView:
    """Describe a row."""
    return ComparedView(**asdict(row), missing=row.missing)
