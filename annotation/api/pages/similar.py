"""Find more like this: searches on the stored vectors, and what becomes of them: query batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.learning.models import SimilaritySearch
from annotation.learning.similar import MOST_EXAMPLES, ask_similar, examples_of, searches_for
from annotation.projects.models import Case
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import question_learned
from annotation.queue.batches import batches_for, is_free, withdraw_batch
from annotation.queue.models import QueryBatch
from annotation.queue.rereads import Batch, gather
from annotation.queue.rules import LONGEST_WHY
from annotation.readings.selectors import pool_labels_by_choice
from jobs.models import Job, State
from jobs.selectors import jobs_in

SEARCHES_SHOWN, BATCHES_SHOWN = 8, 20
LEFT_OUT = {
    "audit": "of the audit stream, which chance alone fills",
    "leased": "being read just now",
    "done": "read already",
    "read_by_all": "read by every reader of the project",
    "set_aside": "set aside by every reader",
    "in_batch": "in a query batch already",
    "held_out": "not in the queue",
}


@dataclass(frozen=True)
class ClassRow:
    """A class of the protocol, and how many cases are labelled so."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Hit:
    """A case that was found, as it stands now."""

    case: Case
    similarity: float
    free: bool


@require_GET
@member(Role.ML_STAFF, ADMIN)
def similar(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show classes to start from, searches and query batches."""
    project_id = visit.project.pk
    return project_page(
        request,
        "learning/similar.html",
        "learning",
        visit,
        classes=class_rows(visit),
        searches=searches_for(visit.user, project_id).select_related("asked_by")[:SEARCHES_SHOWN],
        batches=batches_for(visit.user, project_id)[:BATCHES_SHOWN],
    )


@require_POST
@member(Role.ML_STAFF)
def start_search(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for cases like some: named by number, or the newest labelled ones of a class."""
    label = request.POST.get("label", "")
    like = examples_of(visit.project.pk, label) if label else numbers_in(request, "like")
    chosen, unlike = numbers_in(request, "number"), numbers_in(request, "unlike")
    if request.POST.get("as") == "like":
        like = [*dict.fromkeys([*like, *chosen])][:MOST_EXAMPLES]
    elif request.POST.get("as") == "unlike":
        unlike = [*unlike, *chosen]
    try:
        search = ask_similar(
            project=visit.project, like=like, unlike=unlike, by=visit.user, now=timezone.now()
        )
    except RefusedError as error:
        messages.error(request, f"Nothing was searched: {error}.")
        return redirect("similar", project_id=visit.project.pk)
    return redirect("search", project_id=visit.project.pk, search_id=search.pk)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def search(request: HttpRequest, visit: Visit, search_id: UUID) -> HttpResponse:
    """Show what a search found; while its job runs the page asks again by itself."""
    found = searches_for(visit.user, visit.project.pk).filter(pk=search_id).first()
    if found is None:
        raise Http404("no such search")
    template = "learning/found.html" if request.headers.get("HX-Request") else "learning/search.html"
    return project_page(
        request,
        template,
        "learning",
        visit,
        search=found,
        examples=cases_by_number(visit, found.like),
        unlike=found.unlike,
        hits=hits_of(visit, found),
        job=job_of(visit, found),
        failed=State.FAILED,
        why=f"Like case {', '.join(map(str, found.like))}",
        longest_why=LONGEST_WHY,
    )


@require_POST
@member(Role.ML_STAFF)
def make(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Put the chosen cases at the front of the queue, and say what was left out."""
    gathered = batch_of_form(request, visit, why=request.POST.get("why", ""))
    return redirect("similar", project_id=visit.project.pk) if gathered else redirect(back_to(request, visit))


def batch_of_form(request: HttpRequest, visit: Visit, *, why: str, again: bool = False) -> bool:
    """Put the cases that a form names at the front of the queue; the page says what came of it.

    again: cases that one reader has read, for another. Returns False where nothing was changed.
    """
    numbers = numbers_in(request, "number")
    skills, now = request.POST.get("skills", "").strip(), timezone.now()
    wanted = Batch(numbers, why, again, skills)
    try:
        gathered = gather(project=visit.project, batch=wanted, by=visit.user, now=now)
    except RefusedError as error:
        messages.error(request, f"Nothing was changed: {error}.")
        return False
    told = left_out_words(gathered.left_out)
    if gathered.batch is None:
        messages.warning(request, f"No case could be put at the front of the queue: {told}.")
    else:
        words = f"{counted(gathered.batch.size)} at the front of the queue until read."
        messages.success(request, f"{words} Left out: {told}." if told else words)
    return True


@require_POST
@member(Role.ML_STAFF)
def withdraw(request: HttpRequest, visit: Visit, batch_id: UUID) -> HttpResponse:
    """Send a batch's unread cases back among the others."""
    try:
        count = withdraw_batch(project=visit.project, batch_id=batch_id, by=visit.user, now=timezone.now())
    except QueryBatch.DoesNotExist:
        raise Http404("no such batch") from None
    messages.success(request, f"{counted(count)} back among all others. Who is reading one goes on.")
    return redirect("similar", project_id=visit.project.pk)


def back_to(request: HttpRequest, visit: Visit) -> str:
    """Where a form came from: the search that it names, else the page of searches."""
    named = searches_for(visit.user, visit.project.pk)
    key = request.POST.get("search", "")
    known = {str(pk) for pk in named.values_list("pk", flat=True)[:SEARCHES_SHOWN]}
    if key in known:
        return reverse("search", kwargs={"project_id": visit.project.pk, "search_id": key})
    return reverse("similar", kwargs={"project_id": visit.project.pk})


def numbers_in(request: HttpRequest, name: str) -> list[int]:
    """Read case numbers of a form; what is no number is left out."""
    return [int(value) for value in request.POST.getlist(name) if value.isdecimal() and len(value) < 10]


def class_rows(visit: Visit) -> list[ClassRow]:
    """List the classes, the rarest label first."""
    question = question_learned(visit.project.pk)
    counts = pool_labels_by_choice(visit.project.pk, question)
    rows = [ClassRow(value, words, counts.get(value, 0)) for value, words in question.words.items()]
    return sorted(rows, key=lambda row: row.count)


def cases_by_number(visit: Visit, numbers: Sequence[int]) -> list[Case]:
    """List cases of the project in the order of the numbers."""
    cases = visit.project.cases.filter(number__in=numbers).select_related("entry", "series")
    found = {case.number: case for case in cases}
    return [found[number] for number in numbers if number in found]


def hits_of(visit: Visit, found: SimilaritySearch) -> list[Hit]:
    """Show each hit as it stands now: a case that was taken since cannot be chosen any more."""
    similarities: dict[int, float] = dict(found.hits or [])
    return [
        Hit(
            case,
            similarities[case.number],
            free=is_free(case.entry),
        )
        for case in cases_by_number(visit, list(similarities))
    ]


def job_of(visit: Visit, found: SimilaritySearch) -> Job | None:
    """Find the job that answers a search."""
    return jobs_in([visit.project.pk]).filter(pk=found.job_id).first() if found.job_id else None


def left_out_words(left_out: Mapping[str, int]) -> str:
    """Say how many were left out and why."""
    return "; ".join(f"{count} {LEFT_OUT.get(reason, reason)}" for reason, count in left_out.items())


def counted(count: int) -> str:
    """Begin a sentence about some cases."""
    return "1 case is" if count == 1 else f"{count} cases are"
