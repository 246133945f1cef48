"""Quarantine: files that were not let in, and an administrator's decision on each."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import VIEW_AUDITED_ONCE_IN_SECONDS, address_of, person
from annotation.exchange.quarantine import NotClearableError, clear_quarantined, discard_quarantined
from annotation.studies.models import QuarantinedFile
from annotation.studies.selectors import quarantine_preview, quarantined_files
from annotation.studies.services import NotHeldError
from audit.services import record

PAGE_LENGTH = 60
HELD = QuarantinedFile.State.HELD


@require_GET
@member(ADMIN)
def quarantine(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the files in one state, one of them large."""
    show = request.GET.get("show", HELD)
    show = show if show in QuarantinedFile.State.values else HELD
    files = quarantined_files(visit.user, visit.project.pk)
    part = Paginator(files.filter(state=show).order_by("kind", "created_at", "pk"), PAGE_LENGTH).get_page(
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


def around(part: Sequence[QuarantinedFile], chosen: QuarantinedFile | None) -> dict[str, Any]:
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


@require_GET
@admin_only
def preview(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Send the picture in which an administrator looks for burned-in text; looking is audited."""
    user = person(request)
    try:
        picture = quarantine_preview(user, quarantined_id)
    except QuarantinedFile.DoesNotExist:
        raise Http404("no such preview") from None
    if cache.add(f"preview:{user.pk}:{quarantined_id}", 1, VIEW_AUDITED_ONCE_IN_SECONDS):
        record(
            actor=str(user.pk),
            action="quarantine.view",
            object_type="quarantined_file",
            object_id=str(quarantined_id),
            remote_address=address_of(request),
        )
    return HttpResponse(picture.content, content_type="image/png")


@require_POST
@admin_only
def clear(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Let an image in; it becomes a case."""
    return decided(request, quarantined_id, clear_quarantined, "The image is cleared and is a case now.")


@require_POST
@admin_only
def discard(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Keep a file out for good."""
    words = "The file is discarded: its bytes are deleted."
    return decided(request, quarantined_id, discard_quarantined, words)


def decided(
    request: HttpRequest, quarantined_id: UUID, decide: Callable[..., object], words: str
) -> HttpResponse:
    """Carry a decision out, say what came of it, and go on to the next file."""
    project_id = project_of(request, quarantined_id)
    try:
        decide(quarantined_id=quarantined_id, by=person(request), now=timezone.now())
        messages.success(request, words)
    except (NotHeldError, NotClearableError) as error:
        messages.error(request, f"Nothing was changed: {error}.")
    following = request.POST.get("next", "")
    query = f"?{urlencode({'file': following})}" if following else ""
    return redirect(reverse("quarantine", kwargs={"project_id": project_id}) + query)


def project_of(request: HttpRequest, quarantined_id: UUID) -> UUID:
    """Find the project whose file it is.

    raises: Http404.
    """
    file = quarantined_files(person(request)).filter(pk=quarantined_id).first()
    if file is None or file.project_id is None:
        raise Http404("no such file")
    return file.project_id
