"""The audit log as administrators read it, and whether its chain holds."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.selectors import names_of
from annotation.api.pages.access import admin_only
from annotation.api.pages.frame import page
from audit.models import Event
from audit.services import verify

PAGE_LENGTH = 100


@dataclass(frozen=True)
class Row:
    """An event, with names where it has people's ids."""

    event: Event
    actor: str
    subject: str
    details: list[tuple[str, object]]


@require_GET
@admin_only
def audit(request: HttpRequest) -> HttpResponse:
    """Search events, newest first; `verify` walks the whole chain."""
    words = request.GET.get("q", "").strip()
    part = Paginator(found(words), PAGE_LENGTH).get_page(request.GET.get("page"))
    rows = described(list(part))
    checked = verify() if "verify" in request.GET else None
    return page(request, "audit.html", "audit", part=part, rows=rows, words=words, checked=checked)


def described(events: list[Event]) -> list[Row]:
    """Put names to the people whom events speak of."""
    ids = {one for event in events for one in (event.actor, event.object_id, str(event.details.get("user")))}
    names = names_of(ids)
    return [
        Row(
            event=event,
            actor=names.get(event.actor, event.actor),
            subject=names.get(event.object_id, event.object_id[:8]),
            details=[(key, names.get(str(value), value)) for key, value in event.details.items()],
        )
        for event in events
    ]


def found(words: str) -> QuerySet[Event]:
    """Events whose action, object, outcome or actor's name has the words."""
    events = Event.objects.order_by("-sequence")
    if not words:
        return events
    actors = [str(pk) for pk in User.objects.filter(username__icontains=words).values_list("pk", flat=True)]
    return events.filter(
        Q(action__icontains=words)
        | Q(object_id__icontains=words)
        | Q(outcome__icontains=words)
        | Q(actor__in=actors)
    )
