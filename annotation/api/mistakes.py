"""A model's mistakes on the audit stream for programs: listed, and read again with controls."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from annotation.api.models import NumbersBody, version_of
from annotation.api.organise import organised
from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.api.schemas import LARGEST
from annotation.learning.judged import Mistakes, judged_versions, kinds_of, mistakes_of
from annotation.queue.mistakes import reread_mistakes

PAGE, MOST_PAGE = 50, 200


class MistakeFilters(Schema):
    """Which cases are listed; after: what a page gave as next."""

    truth: str = ""
    thought: str = ""
    choice: str = ""
    site: str = ""
    scanner: str = ""
    right: bool = False
    after: int = Field(0, ge=0, le=LARGEST)
    size: int = Field(PAGE, ge=1, le=MOST_PAGE)


class MistakeView(Schema):
    """A case of the audit stream, and what the version says of it."""

    case_id: UUID
    number: int
    choice: str
    truth: str
    thought: str
    share: float
    truth_share: float
    site: str
    scanner: str


class MistakesView(Schema):
    """A page of cases, the surest first; is_judged: whether a job has gone through them. kinds: counts."""

    is_judged: bool
    count: int
    cases: list[MistakeView]
    kinds: list[dict[str, Any]]
    next: int


class RereadView(Schema):
    """How many cases go to the front of the queue, how many of them controls; left_out: how many, by why."""

    size: int
    controls: int
    left_out: dict[str, int]


router = Router(tags=["models"])


@router.get(
    "projects/{uuid:project_id}/models/{uuid:model_id}/mistakes", response={200: MistakesView, **WRITE}
)
def list_mistakes(
    request: HttpRequest, project_id: UUID, model_id: UUID, wanted: Query[MistakeFilters]
) -> MistakesView:
    """List audit cases that a version gets wrong (right: all that fit), the surest first."""
    version = version_of(request, project_id, model_id)
    named = wanted.model_dump()
    after, size = named.pop("after"), named.pop("size")
    found = mistakes_of(person(request), version, Mistakes(**named))
    rows = list(found[after : after + size + 1])
    return MistakesView(
        is_judged=version.number in judged_versions(version.project),
        count=found.count(),
        cases=[
            MistakeView(
                number=one.case.number,
                **{name: getattr(one, name) for name in MistakeView.model_fields if name != "number"},
            )
            for one in rows[:size]
        ],
        kinds=kinds_of(version),
        next=after + size if len(rows) > size else 0,
    )


@router.post(
    "projects/{uuid:project_id}/models/{uuid:model_id}/rereadings", response={200: RereadView, **WRITE}
)
def reread_cases(request: HttpRequest, project_id: UUID, model_id: UUID, body: NumbersBody) -> RereadView:
    """Have mistakes read again, with as many cases that the version got right."""
    organised(request, project_id)
    version = version_of(request, project_id, model_id)
    asked = reread_mistakes(version=version, numbers=body.numbers, by=person(request), now=timezone.now())
    batch = asked.gathered.batch
    return RereadView(
        size=batch.size if batch else 0,
        controls=asked.controls if batch else 0,
        left_out=dict(asked.gathered.left_out),
    )
