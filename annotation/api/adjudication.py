"""Adjudication: cases whose readers differ, for those who judge between them; readers go by letters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from annotation.api.cases import case_view, protocol_view
from annotation.api.permissions import person, record_view
from annotation.api.responses import ANSWERED, CONFLICT, WRITE
from annotation.api.schemas import Answers, Body, CaseView, Key, ProtocolView, Seconds, Version
from annotation.queue import adjudication
from annotation.queue.adjudication import Return, Verdict
from annotation.queue.disputes import counts_for, dispute_for, disputes_for
from annotation.queue.sides import Sides, answered_parts
from annotation.readings.adjudication_models import Decision, Dispute

PAGE, MOST = 50, 200
State = Literal["open", "returned", "decided", "agreed"]
Letter = Annotated[str, Field(pattern="^[A-Z]$")]


class DisputeLineView(Schema):
    """A case in dispute as the list shows it; keys: the questions on which readers differ."""

    id: UUID
    case_id: UUID
    number: int
    modality: str
    state: State
    keys: list[str]
    opened_at: datetime
    changed_at: datetime


class DisputesView(Schema):
    """A page of disputes, the oldest first; counts: of all, by state; next: what to give as after, if any."""

    disputes: list[DisputeLineView]
    counts: dict[str, int]
    next: UUID | None


class SideView(Schema):
    """What one reader says of what is in dispute; of regions, only those that are."""

    letter: str
    answers: Answers
    measurements: dict[str, Any]


class DecisionView(Schema):
    """One act; taken: the letter of whose answer was taken, by question."""

    number: int
    act: Literal["taken", "edited", "returned"]
    taken: dict[str, str]
    answers: Answers
    comment: str
    at: datetime
    is_mine: bool


class DisputeView(Schema):
    """One case in dispute: the case, what is asked, what each reader says of it, what was decided so far."""

    id: UUID
    state: State
    version: int
    case: CaseView
    protocol: ProtocolView
    keys: list[str]
    sides: list[SideView]
    decisions: list[DecisionView]
    next: UUID | None


class SideAnswersView(Schema):
    """The whole answers of one reader, or of what was decided, to go on from."""

    case: CaseView
    protocol: ProtocolView
    version: int
    answers: Answers


class DecisionBody(Body):
    """What is decided: whose answer stands, by question and letter, or own answers to all that is asked."""

    idempotency_key: UUID
    base_version: Version
    take: Annotated[dict[Key, Letter], Field(max_length=100)] = {}
    answers: Answers | None = None
    seconds: Seconds = 0.0


class ReturnBody(Body):
    """What readers are told when the case comes back to them."""

    idempotency_key: UUID
    base_version: Version
    comment: Annotated[str, Field(min_length=1, max_length=adjudication.LONGEST_COMMENT)]


class StandingView(Schema):
    """Where a dispute stands after an act."""

    state: State
    version: int
    next: UUID | None


class ModelAnswerView(Schema):
    """What the model says of the disputed questions; probabilities: by choice of the one that it learns."""

    question: str
    probabilities: dict[str, float] | None
    drawn: dict[str, Any]


router = Router(tags=["adjudication"])


@router.get("projects/{uuid:project_id}/disputes", response={200: DisputesView, **WRITE})
def list_disputes(
    request: HttpRequest, project_id: UUID, state: State = "open", after: UUID | None = None, size: int = PAGE
) -> DisputesView:
    """List the cases that the person may judge, the oldest first; never one that they read."""
    user = person(request)
    rows = disputes_for(user, project_id).filter(state=state)
    found = list(beyond(rows, after)[: min(max(size, 1), MOST) + 1])
    listed = found[: min(max(size, 1), MOST)]
    return DisputesView(
        disputes=[line_of(one) for one in listed],
        counts=counts_for(user, project_id),
        next=listed[-1].pk if len(found) > len(listed) else None,
    )


@router.get("disputes/{uuid:dispute_id}", response={200: DisputeView, **WRITE})
def get_dispute(request: HttpRequest, dispute_id: UUID) -> DisputeView:
    """Open one case: what is in dispute and no more, its readers by letter; looking is audited."""
    user = person(request)
    dispute = dispute_for(user, dispute_id)
    record_view(request, dispute.case)
    sides = Sides(dispute.case_id, dispute.pk)
    return DisputeView.model_construct(
        id=dispute.pk,
        state=dispute.state,
        version=dispute.version,
        case=case_view(dispute.case),
        protocol=protocol_view(sides.protocol),
        keys=dispute.keys,
        sides=sides_view(dispute, sides),
        decisions=decisions_view(dispute, sides, user.pk),
        next=next_after(request, dispute),
    )


@router.get("disputes/{uuid:dispute_id}/answers", response={200: SideAnswersView, **WRITE})
def get_side_answers(request: HttpRequest, dispute_id: UUID, side: Letter = "A") -> SideAnswersView:
    """Give one reader's whole answers, to edit them into the adjudicator's own."""
    dispute = dispute_for(person(request), dispute_id)
    record_view(request, dispute.case)
    sides = Sides(dispute.case_id, dispute.pk)
    return SideAnswersView.model_construct(
        case=case_view(dispute.case),
        protocol=protocol_view(sides.protocol),
        version=dispute.version,
        answers=sides.side(side).revision.answers,
    )


@router.post("disputes/{uuid:dispute_id}/decisions", response={200: StandingView, **ANSWERED})
def decide_dispute(request: HttpRequest, dispute_id: UUID, body: DecisionBody) -> StandingView:
    """Decide; the same message again changes nothing, dispute_stale where somebody acted since."""
    verdict = Verdict(**body.model_dump())
    user = person(request)
    decision = adjudication.decide(user=user, dispute_id=dispute_id, verdict=verdict, now=timezone.now())
    return standing(request, decision)


@router.post("disputes/{uuid:dispute_id}/returns", response={200: StandingView, **CONFLICT})
def return_dispute(request: HttpRequest, dispute_id: UUID, body: ReturnBody) -> StandingView:
    """Give the case to its readers again, with words; they may revise then, and only then."""
    asked = Return(**body.model_dump())
    user = person(request)
    decision = adjudication.send_back(user=user, dispute_id=dispute_id, asked=asked, now=timezone.now())
    return standing(request, decision)


@router.post("disputes/{uuid:dispute_id}/suggestion", response={200: ModelAnswerView, **WRITE})
def show_model_answer(request: HttpRequest, dispute_id: UUID) -> ModelAnswerView:
    """Show what the model says, and keep with the decision that it was shown."""
    found = adjudication.show_suggestion(user=person(request), dispute_id=dispute_id, now=timezone.now())
    drawn = {key: one["answer"] for key, one in found["drawn"].items()}
    return ModelAnswerView(question=found["question"], probabilities=found["probabilities"], drawn=drawn)


def line_of(dispute: Dispute) -> DisputeLineView:
    """Show a dispute of the list."""
    case = dispute.case
    return DisputeLineView.model_construct(
        id=dispute.pk,
        case_id=case.pk,
        number=case.number,
        modality=case.series.modality,
        state=dispute.state,
        keys=dispute.keys,
        opened_at=dispute.opened_at,
        changed_at=dispute.changed_at,
    )


def sides_view(dispute: Dispute, sides: Sides) -> list[SideView]:
    """Show what each reader says of what is in dispute."""
    regions = sides.regions(dispute.keys)
    shown = []
    for side in sides.listed:
        answers = answered_parts(side, dispute.keys, regions)
        ids = {one for found in regions.values() for one in found}
        measured = {key: one for key, one in side.given.measurements.items() if key in ids or key in answers}
        shown.append(SideView.model_construct(letter=side.letter, answers=answers, measurements=measured))
    return shown


def decisions_view(dispute: Dispute, sides: Sides, user_id: UUID) -> list[DecisionView]:
    """Show what was done so far, the oldest first; who did it is in the audit alone."""
    letters = {str(side.revision.reading_id): side.letter for side in sides.listed}
    return [
        DecisionView.model_construct(
            number=one.number,
            act=one.act,
            taken={key: letters.get(reading, "") for key, reading in one.taken.items()},
            answers={key: one.answers[key] for key in dispute.keys if key in one.answers},
            comment=one.comment,
            at=one.created_at,
            is_mine=one.by_id == user_id,
        )
        for one in dispute.decisions.order_by("number")
    ]


def standing(request: HttpRequest, decision: Decision) -> StandingView:
    """Say where the dispute stands, and which one is next."""
    dispute = Dispute.objects.get(pk=decision.dispute_id)
    return StandingView.model_construct(
        state=dispute.state, version=dispute.version, next=next_after(request, dispute)
    )


def next_after(request: HttpRequest, dispute: Dispute) -> UUID | None:
    """Name the oldest open dispute after this one, else the oldest of all others."""
    rows = disputes_for(person(request), dispute.project_id).filter(state=Dispute.State.OPEN)
    others = rows.exclude(pk=dispute.pk)
    found = beyond(others, dispute.pk).first() or others.first()
    return found.pk if found else None


def beyond(rows: QuerySet[Dispute], after: UUID | None) -> QuerySet[Dispute]:
    """Go on after a dispute of the list."""
    last = Dispute.objects.filter(pk=after).values("opened_at", "case__number").first() if after else None
    if last is None:
        return rows
    return rows.filter(opened_at__gt=last["opened_at"]) | rows.filter(
        opened_at=last["opened_at"], case__number__gt=last["case__number"]
    )
