"""The anchoring page of ML staff: what suggestions do to readers, measured against blank starts."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.frame import project_page
from annotation.learning.drawn import drawn_questions, heads_for
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.anchored import comparisons_for, to_read_again
from annotation.queue.anchoring import CONTROL, SHOWN, Fact, over_time

HEADS_SHOWN, CASES_SHOWN = 8, 50


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def anchoring(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show each question's comparison, and the heads that draw."""
    protocol = protocol_in_force(visit.project.pk)
    compared = comparisons_for(visit.user, visit.project.pk)
    return project_page(
        request,
        "learning/anchoring.html",
        "learning",
        visit,
        settings=settings_in(protocol),
        questions=[
            vars(one)
            | {
                "chart": chart_of(one.facts, one.measure),
                "taken": to_read_again(visit.project.pk, one.taken)[:CASES_SHOWN],
            }
            for one in compared
        ],
        heads=heads_for(visit.user, visit.project.pk)[:HEADS_SHOWN],
        draws=bool(drawn_questions(protocol)),
    )


def chart_of(facts: Sequence[Fact], measure: str) -> Chart | None:
    """Draw agreement as readings came in, a line a side."""
    names = {SHOWN: "Suggestion shown", CONTROL: "Blank start"}
    series = [
        Series(
            name,
            [
                Point(count, one.value, one.low, one.high, f"{one.value:.2f} after {count} readings")
                for count, one in over_time([fact for fact in facts if fact.side == side])
            ],
        )
        for side, name in names.items()
    ]
    return chart(
        [one for one in series if one.points],
        title=f"{measure} with the suggestion by number of readings, one line a side",
        x_title="readings of that side",
        y_title=f"{measure} with the suggestion so far, with its 95 % interval",
        y_limits=(0.0, 1.0),
    )
