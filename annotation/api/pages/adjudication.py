"""The adjudication room: cases in dispute, one with its readers side by side, and an own answer to it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from annotation.api.adjudication import PAGE, beyond
from annotation.api.pages.access import Visit, denied, member
from annotation.api.pages.frame import project_page
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import protocol_in_force
from annotation.queue.disputes import adjudicated_project, counts_for, dispute_for, disputes_for
from annotation.readings.adjudication_models import Dispute

State = Dispute.State
TABS = (
    (State.OPEN, gettext_lazy("To decide")),
    (State.RETURNED, gettext_lazy("With their readers")),
    (State.DECIDED, gettext_lazy("Decided")),
    (State.AGREED, gettext_lazy("Agreed")),
)
Shown = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Row:
    """A case of the list; prompts: what its readers answer differently."""

    dispute: Dispute
    prompts: list[str]


def adjudicator(view: Shown) -> Shown:
    """Open a page to a project's adjudicators, whatever else they are in it."""

    @member()
    @wraps(view)
    def opened(request: HttpRequest, visit: Visit, **named: UUID) -> HttpResponseBase:
        try:
            adjudicated_project(visit.user, visit.project.pk)
        except ForbiddenError:
            raise denied(request, "project", str(visit.project.pk)) from None
        return view(request, visit, **named)

    return opened


@require_GET
@adjudicator
def disputes(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the cases that the person may judge, the oldest first."""
    wanted = request.GET.get("show", "")
    shown = State(wanted) if wanted in {state.value for state, _ in TABS} else State.OPEN
    rows = disputes_for(visit.user, visit.project.pk).filter(state=shown)
    found = list(beyond(rows, uuid_in(request.GET.get("after", "")))[: PAGE + 1])
    counts = counts_for(visit.user, visit.project.pk)
    protocol = protocol_in_force(visit.project.pk)
    prompts = {one["key"]: one["prompt"] for one in protocol.questions}
    return project_page(
        request,
        "adjudication/list.html",
        "adjudication",
        visit,
        rows=[Row(one, [prompts.get(key, key) for key in one.keys]) for one in found[:PAGE]],
        next=found[PAGE - 1].pk if len(found) > PAGE else None,
        tabs=[(state, words, counts[state]) for state, words in TABS],
        shown=shown,
        nothing=not any(counts.values()),
    )


@require_GET
@adjudicator
def dispute(request: HttpRequest, visit: Visit, dispute_id: UUID) -> HttpResponse:
    """Open one case; what its readers say comes from the API."""
    found = found_dispute(visit, dispute_id)
    return project_page(request, "adjudication/case.html", "adjudication", visit, dispute=found)


@require_GET
@adjudicator
def edit_dispute(request: HttpRequest, visit: Visit, dispute_id: UUID) -> HttpResponse:
    """Open the reading room on a case in dispute, to answer it anew from what one side says."""
    found = found_dispute(visit, dispute_id)
    side = request.GET.get("side", "A")[:1]
    return render(
        request, "read/room.html", {"project": visit.project, "dispute": found, "side": side or "A"}
    )


def found_dispute(visit: Visit, dispute_id: UUID) -> Dispute:
    """Find a dispute of the project.

    raises: Http404, also to who read the case.
    """
    try:
        found = dispute_for(visit.user, dispute_id)
    except Dispute.DoesNotExist:
        raise Http404("no such dispute") from None
    if found.project_id != visit.project.pk:
        raise Http404("no such dispute")
    return found


def uuid_in(text: str) -> UUID | None:
    """Read an id; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
