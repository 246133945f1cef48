"""Quarantine: files that were not let in, and an administrator's decision on each."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import person
from annotation.studies.models import QuarantinedFile

PAGE_LENGTH = 60
HELD = QuarantinedFile.State.HELD


@require_GET
@member(ADMIN)
def quarantine(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the files in one state, one of them large."""
    show = request.GET.get("show", HELD)
    show = show if show in QuarantinedFile.State.values else HELD
    files = quarantine_for(visit.user, visit.project.pk)
    part = Paginator(files.filter(state=show).order_by("-kind", "created_at", "pk"), PAGE_LENGTH).get_page(
        request.GET.get("page")
    )
    chosen = chosen_of(list(part), request.GET.get("file", ""))
    return project_page(
        request,
        "project/quarantine.html",
        "quarantine",
        visit,
        part=part,
        show=show,
        filters=filters_of(files),
        **around(list(part), chosen),
    )


def chosen_of(part: Sequence[QuarantinedFile], wanted: str) -> QuarantinedFile | None:
    """Take the file that the address names, else the first."""
    named = [file for file in part if str(file.pk) == wanted]
    return next(iter(named or part), None)


def around(part: Sequence[QuarantinedFile], chosen: QuarantinedFile | None) -> dict[str, object]:
    """Tell the chosen file, its neighbours, and the paths that it came in as."""
    if chosen is None:
        return {"chosen": None}
    keys = [file.pk for file in part]
    place = keys.index(chosen.pk)
    return {
        "chosen": chosen,
        "previous": keys[place - 1] if place else None,
        "following": keys[place + 1] if place + 1 < len(keys) else None,
        "paths": chosen.arrivals.values_list("path", flat=True)[:3],
    }


def filters_of(files: QuerySet[QuarantinedFile]) -> list[tuple[str, str, int]]:
    """Name the states, each with how many files are in it."""
    counts = dict(files.order_by().values_list("state").annotate(Count("pk")))
    return [(value, words, counts.get(value, 0)) for value, words in QuarantinedFile.State.choices]


def quarantine_for(user, project_id):  # noqa
    return QuarantinedFile.objects.filter(project_id=project_id).select_related("decided_by")


@require_GET
@admin_only
def preview(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    raise Http404


@require_POST
@admin_only
def clear(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    raise Http404


@require_POST
@admin_only
def discard(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    raise Http404
