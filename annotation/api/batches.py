"""Query batches for programs: searches by likeness, lists worth a second look, cases to the front."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.errors import NotThereError
from annotation.api.organise import organised
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body, Number
from annotation.learning.models import SimilaritySearch
from annotation.learning.selectors import learning_project
from annotation.learning.similar import ask_similar, examples_of, searches_for
from annotation.projects.rules import RefusedError
from annotation.queue.batches import Gathered, batches_for, is_free, withdraw_batch
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.models import Entry, QueryBatch
from annotation.queue.rereads import Batch, Listed, Origin, gather, numbers_of
from annotation.queue.rules import LARGEST_BATCH, LONGEST_WHY
from jobs.models import Job

NEWEST = ("-created_at", "-pk")
Numbers = Annotated[list[Number], Field(max_length=LARGEST_BATCH)]
PLAIN = r"^[^\x00]*$"


class BatchView(Schema):
    """A query batch, and where its cases stand; why: what readers are told."""

    id: UUID
    why: str
    size: int
    asked_by: str
    required_skills: list[str]
    created_at: datetime
    withdrawn_at: datetime | None
    read: int
    being_read: int
    waiting: int


class BatchesView(Schema):
    """A page of batches, the newest first; next: the cursor of the next page, null at the end."""

    batches: list[BatchView]
    next: str | None


class BatchBody(Body):
    """Cases for the front of the queue; again: those that are read go to another reader.

    Cases by number, or a list of the console by its name. skills: tags that their readers must have.
    """

    numbers: Numbers = []
    origin: Origin | None = None
    question: str = Field("", max_length=64, description="disputed, anchored: of this question alone")
    reader: UUID | None = Field(None, description="drift: of this reader alone")
    group: int = Field(0, ge=0, le=2**31 - 1, description="conflicts: of this group alone")
    most: int = Field(50, ge=1, le=LARGEST_BATCH, description="of a list, the worst first")
    why: str | None = Field(
        None,
        max_length=LONGEST_WHY,
        pattern=PLAIN,
        description="what readers are told; needed for numbers that are not to be read again",
    )
    again: bool = False
    skills: Annotated[list[Annotated[str, Field(max_length=64, pattern=PLAIN)]], Field(max_length=20)] = []


class GatheredView(Schema):
    """The batch that was made, null where no case could be in it; left_out: how many, by why."""

    batch: UUID | None
    size: int
    left_out: dict[str, int]


class WithdrawnView(Schema):
    """How many unread cases went back among all others."""

    went_back: int


class SearchBody(Body):
    """Examples by number, or the newest labelled cases of a class; unlike: what is not meant."""

    like: Numbers = []
    unlike: Numbers = []
    label: str = Field("", max_length=64)


class HitView(Schema):
    """A case that was found; is_free: whether a batch can hold it as it stands now."""

    number: int
    similarity: float
    is_free: bool


class SearchView(Schema):
    """A search; state: of its job; searched: unread cases that it went through."""

    id: UUID
    like: list[int]
    unlike: list[int]
    state: str
    searched: int
    found: int
    created_at: datetime


class SearchesView(Schema):
    """A page of searches, the newest first; next: the cursor of the next page, null at the end."""

    searches: list[SearchView]
    next: str | None


class FoundView(SearchView):
    """A search with what it found, the most alike first; hits: null until its job is done."""

    hits: list[HitView] | None


router = Router(tags=["batches"])


@router.get("projects/{uuid:project_id}/batches", response={200: BatchesView, **WRITE})
def list_batches(request: HttpRequest, project_id: UUID, page: Query[After]) -> BatchesView:
    """List query batches, the newest first."""
    learning_project(person(request), project_id)
    rows = after(batches_for(person(request), project_id), page, order=NEWEST)
    return BatchesView(
        batches=[batch_view(one) for one in rows[: page.size]], next=next_of(rows, page, order=NEWEST)
    )


@router.post("projects/{uuid:project_id}/batches", response={201: GatheredView, **WRITE})
def make_query_batch(request: HttpRequest, project_id: UUID, body: BatchBody) -> Status[GatheredView]:
    """Put cases before every ranked one until they are read; those of a list are read again."""
    project, me = organised(request, project_id), person(request)
    if bool(body.numbers) == bool(body.origin):
        raise RefusedError("numbers: give numbers of cases or an origin, one of both")
    if body.why is None and not (body.again or body.origin):
        raise RefusedError("why: say what readers are told of these cases")
    why = READ_AGAIN if body.why is None else body.why
    if body.origin:
        reader = str(body.reader or "")
        wanted = Listed(body.origin, body.most, body.question, reader, body.group)
        asked = Batch(numbers_of(me, project.pk, wanted), why, again=True, skills=body.skills)
    else:
        asked = Batch(body.numbers, why, body.again, body.skills)
    made = gather(project=project, batch=asked, by=me, now=timezone.now())
    return Status(201, gathered_view(made))


@router.post(
    "projects/{uuid:project_id}/batches/{uuid:batch_id}/withdrawal", response={200: WithdrawnView, **WRITE}
)
def withdraw_query_batch(request: HttpRequest, project_id: UUID, batch_id: UUID) -> WithdrawnView:
    """Send a batch's unread cases back among all others; again, it changes nothing."""
    project = organised(request, project_id)
    try:
        count = withdraw_batch(project=project, batch_id=batch_id, by=person(request), now=timezone.now())
    except QueryBatch.DoesNotExist:
        raise NotThereError(f"there is no batch {batch_id}") from None
    return WithdrawnView(went_back=count)


@router.get("projects/{uuid:project_id}/searches", response={200: SearchesView, **WRITE})
def list_searches(request: HttpRequest, project_id: UUID, page: Query[After]) -> SearchesView:
    """List searches by likeness, the newest first."""
    rows = after(searches_for(person(request), project_id), page, order=NEWEST)
    jobs = Job.objects.in_bulk([one.job_id for one in rows if one.job_id])
    return SearchesView(
        searches=[SearchView(**told(one, jobs.get(one.job_id))) for one in rows[: page.size]],
        next=next_of(rows, page, order=NEWEST),
    )


@router.post("projects/{uuid:project_id}/searches", response={202: SearchView, **WRITE})
def start_similarity_search(request: HttpRequest, project_id: UUID, body: SearchBody) -> Status[SearchView]:
    """Ask for the unread cases that are most like some examples."""
    project = organised(request, project_id)
    like = examples_of(project.pk, body.label) if body.label else body.like
    made = ask_similar(project=project, like=like, unlike=body.unlike, by=person(request), now=timezone.now())
    return Status(202, SearchView(**told(made, job_of(made))))


@router.get("projects/{uuid:project_id}/searches/{uuid:search_id}", response={200: FoundView, **WRITE})
def show_search(request: HttpRequest, project_id: UUID, search_id: UUID) -> FoundView:
    """Show a search with what it found."""
    one = searches_for(person(request), project_id).filter(pk=search_id).first()
    if one is None:
        raise NotThereError(f"there is no search {search_id}")
    return FoundView(**told(one, job_of(one)), hits=hits_of(one))


def hits_of(one: SimilaritySearch) -> list[HitView] | None:
    """List what was found as it stands now; cases that are gone are left out."""
    if one.hits is None:
        return None
    numbers = [int(number) for number, _ in one.hits]
    entries = Entry.objects.filter(project=one.project_id, case__number__in=numbers)
    free = {entry.case.number: is_free(entry) for entry in entries.select_related("case")}
    return [
        HitView(number=number, similarity=similarity, is_free=free[number])
        for number, similarity in one.hits
        if number in free
    ]


def job_of(one: SimilaritySearch) -> Job | None:
    """Find the job that answers a search."""
    return Job.objects.filter(pk=one.job_id).first() if one.job_id else None


def told(one: SimilaritySearch, job: Job | None) -> dict[str, Any]:
    """Describe a search."""
    return {
        "id": one.pk,
        "like": one.like,
        "unlike": one.unlike,
        "state": job.state if job else "",
        "searched": one.searched,
        "found": len(one.hits or []),
        "created_at": one.created_at,
    }


def batch_view(one: Any) -> BatchView:  # noqa: ANN401  a batch with its counts
    """Describe a batch."""
    return BatchView(
        required_skills=one.required_skills.split("|") if one.required_skills else [],
        asked_by=one.asked_by.username,
        read=one.now_done,
        being_read=one.now_leased,
        waiting=one.now_waiting,
        **{name: getattr(one, name) for name in ("id", "why", "size", "created_at", "withdrawn_at")},
    )


def gathered_view(made: Gathered) -> GatheredView:
    """Say what came of asking."""
    batch = made.batch
    return GatheredView(
        batch=batch.pk if batch else None, size=batch.size if batch else 0, left_out=dict(made.left_out)
    )
