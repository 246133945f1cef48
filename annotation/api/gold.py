"""Gold cases and qualifications for programs: what new readers practise on, and how far readers are."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body, Number
from annotation.learning.selectors import learning_project
from annotation.projects.models import Membership
from annotation.queue.gold import (
    LONGEST_COMMENT,
    MOST_AT_ONCE,
    State,
    act_on_qualification,
    gold_for,
    make_gold,
    progress_for,
    retire_gold,
)


class GoldCaseView(Schema):
    """A case of known answer; right: how many of its readings were."""

    number: int
    comment: str
    created_at: datetime
    is_retired: bool
    readings: int
    right: int


class QualifiedView(Schema):
    """How far a reader is; tested, right: of the attempt that counts."""

    person_id: UUID
    username: str
    state: State
    attempt: int
    practised: int
    tested: int
    right: int


class GoldView(Schema):
    """Gold cases of a project, the newest first, and its readers by name."""

    cases: list[GoldCaseView]
    readers: list[QualifiedView]


class GoldBody(Body):
    """Cases by number, and what is shown beside their answer in practice."""

    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST_AT_ONCE)]
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] = ""


class GoldMadeView(Schema):
    """How many cases are gold now, and how many were left out, by why."""

    made: int
    left_out: dict[str, int]


class QualificationBody(Body):
    """What is done: count without a test, one more attempt, or ask who read before."""

    act: Literal["grant", "again", "ask"]


router = Router(tags=["gold"])


@router.get("projects/{uuid:project_id}/gold", response={200: GoldView, **WRITE})
def get_gold(request: HttpRequest, project_id: UUID) -> GoldView:
    """List gold cases, and how far readers are."""
    user = person(request)
    cases = [
        GoldCaseView(
            number=one.gold.case.number,
            comment=one.gold.comment,
            created_at=one.gold.created_at,
            is_retired=one.gold.retired_at is not None,
            readings=one.read,
            right=one.right,
        )
        for one in gold_for(user, project_id)
    ]
    readers = [
        QualifiedView(
            person_id=one.reader.pk,
            username=one.reader.username,
            state=one.state,
            attempt=one.attempt,
            practised=one.practised,
            tested=one.tested,
            right=one.right,
        )
        for one in progress_for(user, project_id)
    ]
    return GoldView(cases=cases, readers=readers)


@router.post("projects/{uuid:project_id}/gold", response={200: GoldMadeView, **WRITE})
def add_gold(request: HttpRequest, project_id: UUID, body: GoldBody) -> GoldMadeView:
    """Mark cases with a reference standard as gold."""
    user = person(request)
    project = learning_project(user, project_id)
    made = make_gold(project=project, numbers=body.numbers, comment=body.comment, by=user, now=timezone.now())
    return GoldMadeView(made=made.made, left_out=dict(made.left_out))


@router.delete("projects/{uuid:project_id}/gold/{int:number}", response={204: None, **WRITE})
def remove_gold(request: HttpRequest, project_id: UUID, number: int) -> Status[None]:
    """Give a gold case to no reader any more; for one that is none, nothing changes."""
    user = person(request)
    retire_gold(project=learning_project(user, project_id), number=number, by=user, now=timezone.now())
    return Status(204, None)


@router.post(
    "projects/{uuid:project_id}/qualifications/{uuid:person_id}", response={200: QualifiedView, **WRITE}
)
def act_on_reader(
    request: HttpRequest, project_id: UUID, person_id: UUID, body: QualificationBody
) -> QualifiedView:
    """Let a reader count, try once more, or be asked to practise."""
    user = person(request)
    project = learning_project(user, project_id)
    try:
        act_on_qualification(project=project, reader_id=person_id, act=body.act, by=user, now=timezone.now())
    except Membership.DoesNotExist:
        raise NotThereError(_("this person does not read in the project")) from None
    return next(one for one in get_gold(request, project_id).readers if one.person_id == person_id)
