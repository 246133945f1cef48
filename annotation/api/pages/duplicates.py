"""The near-duplicates page: groups side by side, contradicting labels first, re-read in one click."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.similar import batch_of_form
from annotation.api.pages.splits import progress
from annotation.learning.duplicates import (
    Group,
    conflicting_numbers,
    group_numbers,
    groups_in,
    likeness_in_use,
    newest_search,
    request_duplicates,
)
from annotation.projects.rules import RefusedError
from annotation.projects.splitting import LIKENESS_LIMITS
from annotation.queue.mistakes import READ_AGAIN
from jobs.selectors import last_failed, open_jobs

JOBS = ["find_duplicates", "place_split"]
GROUPS_SHOWN = 20


@dataclass(frozen=True)
class Found:
    """What the page shows of a search."""

    page: Page[int]
    groups: list[Group]
    conflicts: list[int]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def duplicates(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the groups, or with ?show=conflicts those whose labels contradict each other."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "duplicates", JOBS)
    search = newest_search(visit.user, visit.project.pk)
    scope = [visit.project.pk]
    busy = open_jobs(scope, JOBS).first()
    show = request.GET.get("show", "")
    found = None
    if search is not None:
        conflicts = conflicting_numbers(search)
        numbers = conflicts if show == "conflicts" else group_numbers(search)
        page = Paginator(numbers, GROUPS_SHOWN).get_page(request.GET.get("page"))
        found = Found(page, groups_in(search, list(page.object_list)), conflicts)
    return project_page(
        request,
        "data/duplicates.html",
        "data",
        visit,
        tab="duplicates",
        search=search,
        found=found,
        show=show,
        likeness=search.likeness if search else likeness_in_use(visit.project.pk),
        limits=LIKENESS_LIMITS,
        busy=busy,
        failed=None if busy else last_failed(scope, JOBS[:1]),
    )


@require_POST
@member(Role.ML_STAFF)
def search_duplicates(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for the groups."""
    try:
        likeness = float(request.POST.get("likeness", ""))
        request_duplicates(project=visit.project, likeness=likeness, by=visit.user)
    except (ValueError, RefusedError) as error:
        told = str(error) if isinstance(error, RefusedError) else "the likeness is no number"
        messages.error(request, f"Nothing was searched: {told}.")
    else:
        messages.success(request, "Asked for. It takes seconds.")
    return redirect("duplicates", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def read_again(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Have cases read again by another reader than the first: a query batch."""
    batch_of_form(request, visit, why=READ_AGAIN, again=True)
    return redirect("duplicates", project_id=visit.project.pk)
