"""Quarantine: files that were not let in, and an administrator's decision on each."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import VIEW_AUDITED_ONCE_IN_SECONDS, person, record_act
from annotation.exchange.quarantine import (
    NotClearableError,
    alike,
    bring_back,
    clear_alike,
    clear_quarantined,
    discard_quarantined,
)
from annotation.studies.door import text
from annotation.studies.door.masks import MOST_BOXES
from annotation.studies.models import QuarantinedFile
from annotation.studies.selectors import quarantine_preview, quarantined_files
from annotation.studies.services import GRACE, NotHeldError

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
        "alike": alike(chosen).count() if chosen.state == HELD else 0,
        "finds_text": settings.FIND_TEXT and text.is_there(),
        "can_return": chosen.kept_until is not None and chosen.kept_until > timezone.now(),
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
        record_act(request, "quarantine.view", "quarantined_file", quarantined_id)
    return HttpResponse(picture.content, content_type="image/png")


@require_POST
@admin_only
def clear(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Let an image in, masked where boxes are given; with all that are alike, where asked."""
    boxes = boxes_of(request.POST.get("masks", ""))
    if boxes is None:
        messages.error(request, "Nothing was changed: the boxes could not be read.")
        return onward(request, quarantined_id)
    if request.POST.get("alike"):
        return decided(request, quarantined_id, partial(clear_all_alike, masks=boxes))
    return decided(request, quarantined_id, partial(clear_one, masks=boxes))


@require_POST
@admin_only
def discard(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Keep a file out."""
    return decided(request, quarantined_id, discard_one)


@require_POST
@admin_only
def give_back(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Take a discard back."""
    return decided(request, quarantined_id, return_one)


def clear_one(*, quarantined_id: UUID, by: User, now: datetime, masks: Sequence[Sequence[int]]) -> str:
    """Let one in; says so."""
    clear_quarantined(quarantined_id=quarantined_id, by=by, now=now, masks=masks)
    if masks:
        return f"{len(masks)} box{'' if len(masks) == 1 else 'es'} masked; the image is a case now."
    return "The image is cleared and is a case now."


def clear_all_alike(*, quarantined_id: UUID, by: User, now: datetime, masks: Sequence[Sequence[int]]) -> str:
    """Let all in that are of the device and series; says how many."""
    cleared = clear_alike(quarantined_id=quarantined_id, by=by, now=now, masks=masks)
    words = [f"{cleared.done} image{'' if cleared.done == 1 else 's'} masked and let in."]
    if cleared.left:
        words.append(f"{cleared.left} more wait: do it once more.")
    if cleared.problems:
        words.append(f"{len(cleared.problems)} stayed: {cleared.problems[0]}.")
    return " ".join(words)


def discard_one(*, quarantined_id: UUID, by: User, now: datetime) -> str:
    """Keep one out; says until when it can be brought back."""
    discard_quarantined(quarantined_id=quarantined_id, by=by, now=now)
    return f"The file is discarded. It can be brought back for {GRACE.days} days, then its bytes are deleted."


def return_one(*, quarantined_id: UUID, by: User, now: datetime) -> str:
    """Take one back; says so."""
    bring_back(quarantined_id=quarantined_id, by=by, now=now)
    return "The file is back in quarantine."


def boxes_of(written: str) -> list[list[int]] | None:
    """Read boxes as a page sends them; nothing where they are none."""
    try:
        boxes = json.loads(written or "[]")
    except ValueError:
        return None
    fits = isinstance(boxes, list) and len(boxes) <= MOST_BOXES and all(map(is_box, boxes))
    return boxes if fits else None


def is_box(box: object) -> bool:
    """Whether it is four whole numbers."""
    return isinstance(box, list) and len(box) == 4 and all(type(edge) is int for edge in box)


def decided(request: HttpRequest, quarantined_id: UUID, decide: Callable[..., str]) -> HttpResponse:
    """Carry a decision out, say what came of it, and go on to the next file."""
    project_of(request, quarantined_id)
    try:
        messages.success(
            request, decide(quarantined_id=quarantined_id, by=person(request), now=timezone.now())
        )
    except (NotHeldError, NotClearableError) as error:
        messages.error(request, f"Nothing was changed: {error}.")
    return onward(request, quarantined_id)


def onward(request: HttpRequest, quarantined_id: UUID) -> HttpResponse:
    """Go to the file that the page named as the next."""
    following = request.POST.get("next", "")
    query = f"?{urlencode({'file': following})}" if following else ""
    project_id = project_of(request, quarantined_id)
    return redirect(reverse("quarantine", kwargs={"project_id": project_id}) + query)


def project_of(request: HttpRequest, quarantined_id: UUID) -> UUID:
    """Find the project whose file it is.

    raises: Http404.
    """
    file = quarantined_files(person(request)).filter(pk=quarantined_id).first()
    if file is None or file.project_id is None:
        raise Http404("no such file")
    return file.project_id
