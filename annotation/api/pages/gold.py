"""The gold page: cases of known answer, and how far new readers are with them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.similar import numbers_in
from annotation.projects.models import Membership
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force, question_learned, settings_in
from annotation.queue.gold import (
    AGAIN,
    ASK,
    GRANT,
    LONGEST_COMMENT,
    act_on_qualification,
    gold_for,
    make_gold,
    offered_for,
    progress_for,
    retire_gold,
)

SHOWN = 100
LEFT_OUT = {"without_reference": "without a reference standard", "unknown": "not of this project"}
STATES = {
    "before": "Has read nothing yet",
    "practice": "Practising",
    "test": "In the test",
    "passed": "Passed",
    "granted": "Counts without a test",
    "failed": "Not passed",
    "not_asked": "Read before it was asked: counts",
}
DONE = {
    GRANT: "The reader's readings count.",
    AGAIN: "The reader gets test cases that they have not seen.",
    ASK: "The reader gets gold cases first, and counts once the test is passed.",
}


@require_GET
@member(Role.ML_STAFF, ADMIN)
def gold(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show gold cases, what could be one, and how far readers are."""
    project_id = visit.project.pk
    question = question_learned(project_id)
    cases = gold_for(visit.user, project_id, SHOWN)
    in_use = [one for one in cases if one.gold.retired_at is None]
    settings = settings_in(protocol_in_force(project_id))
    wanted = settings.practice_cases + settings.qualification_cases
    offered = offered_for(visit.user, project_id)
    return project_page(
        request,
        "learning/gold.html",
        "readers",
        visit,
        cases=[(one, question.told(one.gold.answers.get(question.key))) for one in cases],
        in_use=len(in_use),
        missing=max(0, wanted - len(in_use)),
        wanted=wanted,
        settings=settings,
        pass_mark=settings.qualification_pass,
        readers=[(one, STATES[one.state]) for one in progress_for(visit.user, project_id)],
        offered=[(one, question.told(one.answers.get(question.key))) for one in offered],
        longest=LONGEST_COMMENT,
    )


@require_POST
@member(Role.ML_STAFF, ADMIN)
def add_gold(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Mark the cases that a form names as gold."""
    comment = request.POST.get("comment", "")
    try:
        made = make_gold(
            project=visit.project,
            numbers=numbers_in(request, "number"),
            comment=comment,
            by=visit.user,
            now=timezone.now(),
        )
    except RefusedError as error:
        messages.error(request, f"Nothing was changed: {error}.")
        return redirect("gold", project_id=visit.project.pk)
    left_out = ", ".join(f"{count} {LEFT_OUT[why]}" for why, count in made.left_out.items())
    words = f"{made.made} case{'' if made.made == 1 else 's'} made gold."
    messages.success(request, f"{words} Left out: {left_out}." if left_out else words)
    return redirect("gold", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF, ADMIN)
def retire(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Give a gold case to no reader any more."""
    for number in numbers_in(request, "number"):
        retire_gold(project=visit.project, number=number, by=visit.user, now=timezone.now())
    messages.success(request, "No reader gets it as a gold case any more.")
    return redirect("gold", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF, ADMIN)
def qualification(request: HttpRequest, visit: Visit, person_id: UUID) -> HttpResponse:
    """Let a reader count, try once more, or be asked."""
    act = request.POST.get("act", "")
    try:
        act_on_qualification(
            project=visit.project, reader_id=person_id, act=act, by=visit.user, now=timezone.now()
        )
    except Membership.DoesNotExist:
        raise Http404("no such reader") from None
    except RefusedError as error:
        messages.error(request, f"Nothing was changed: {error}.")
    else:
        messages.success(request, DONE[act])
    return redirect("gold", project_id=visit.project.pk)
